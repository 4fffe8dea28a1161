"""PDF, Graphviz, Mermaid and TikZ: what is written can be read back, whatever the names are."""

import re
import shutil
import subprocess
from io import BytesIO

import pytest
import sketches
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from netcfg.draw import draw
from netcfg.draw.dot import write_dot
from netcfg.draw.mermaid import write_markdown, write_mermaid
from netcfg.draw.metrics import text_width
from netcfg.draw.model import diagram
from netcfg.draw.pdf import write_pdf
from netcfg.draw.pdf_fonts import glyph
from netcfg.draw.scene import Dot, Path, Rect, Scene, Text
from netcfg.draw.tikz import tex, write_tikz

NAMES = st.text(st.sampled_from("ab1 \"'\\{}[]()<>%_#&$^~`|;:*-!?/é×·−≤名\n\t\x07"), min_size=1, max_size=12)
ODD = 'a "b" {c} %d _e #f \\n & <g> [h] |i| `j` ~ ^ $k$ × · − é 名'


def one_box(name):
    sketch = sketches.Sketch()
    sketch.input("image", (3, 8, 8))
    sketch.conv(4, name=name)
    return sketch.graph()


def one_text(text):
    width = text_width(text, 12.0)
    return Scene(200.0, 50.0, shapes=[Text(10.0, 20.0, text, 12.0, width, "#102030")])


# --- PDF ------------------------------------------------------------------------------------------------------


def objects_of(data):
    """The objects of a PDF by number, found as a viewer finds them: through the table at its end."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", data)[1])
    assert data[start:].startswith(b"xref\n")
    offsets = [int(row) for row in re.findall(rb"(\d{10}) 00000 n \n", data[start:])]
    found = {}
    for number, offset in enumerate(offsets, 1):
        head = b"%d 0 obj\n" % number
        assert data[offset:].startswith(head)
        found[number] = data[offset + len(head) : data.index(b"\nendobj\n", offset)]
    return found


def content_of(data):
    body = objects_of(data)[4]
    length, stream = re.fullmatch(rb"<< /Length (\d+) >>\nstream\n(.*)\nendstream", body, re.DOTALL).groups()
    assert int(length) == len(stream)
    return stream.decode("ascii")


def strings_of(content):
    """The strings shown, with their escapes undone."""
    shown = re.findall(r"\(((?:[^()\\]|\\.)*)\) Tj", content)
    return [
        re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1], 8)) if m[1].isdigit() else m[1], text)
        for text in shown
    ]


@pytest.mark.parametrize("name", sketches.ALL)
def test_pdf_is_one_page_as_large_as_the_picture(name):
    scene = draw([sketches.ALL[name]()], title=name)
    objects = objects_of(write_pdf(scene))
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", objects[3]).groups()
    assert [float(side) for side in box] == pytest.approx([scene.width * 0.75, scene.height * 0.75])
    assert objects[2] == b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def test_pdf_holds_every_text():
    content = content_of(write_pdf(draw([sketches.resnet18()], title="resnet.cfg")))
    assert {"resnet.cfg", "ResNet-18", "layer1_0", "64\u00d756\u00d756"} <= set(strings_of(content))


def test_same_scene_gives_the_same_pdf():
    assert write_pdf(draw([sketches.taps()])) == write_pdf(draw([sketches.taps()]))


def test_a_page_is_no_larger_than_a_viewer_takes():
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", write_pdf(Scene(100.0, 60_000.0)))
    assert [float(side) for side in box.groups()] == pytest.approx([24, 14_400])


@given(NAMES)
def test_pdf_text_is_as_wide_as_measured(name):
    scene = one_text(name)
    content = content_of(write_pdf(scene))
    stretch = float(re.search(r"([\d.]+) Tz", content)[1])
    natural = sum(glyph(character, False).advance for character in name) * 12 / 1000
    assert natural * stretch / 100 == pytest.approx(scene.shapes[0].width, abs=0.1)
    assert len("".join(strings_of(content))) == len(name)


def test_pdf_gives_replaced_characters_back_when_copied():
    content = content_of(write_pdf(one_text("名 − b")))
    assert f"/ActualText <FEFF{'名 − b'.encode('utf-16-be').hex().upper()}>" in content
    assert strings_of(content) == ["? \x96 b"]  # a dash, as long as a minus sign


def test_pdf_takes_signs_of_mathematics_from_the_font_symbol():
    content = content_of(write_pdf(one_text("a ≤ λ")))
    assert r"/F1 12 Tf (a ) Tj /F3 12 Tf (\243) Tj /F1 12 Tf ( ) Tj /F3 12 Tf (l) Tj" in content
    assert "ActualText" not in content


def test_pdf_has_its_fonts_within_itself():
    text = "a ≤ λ é × − 名 x64"
    fonts = re.findall(r"/(F\d) ", content_of(write_pdf(one_text(text))))
    objects = objects_of(write_pdf(one_text(text)))
    names = dict(re.findall(rb"/(F\d) (\d+) 0 R", objects[3]))
    assert set(fonts) <= {name.decode() for name in names}
    for number in names.values():
        font = objects[int(number)]
        assert b"/Subtype /TrueType" in font
        about = objects[int(re.search(rb"/FontDescriptor (\d+) 0 R", font)[1])]
        file = objects[int(re.search(rb"/FontFile2 (\d+) 0 R", about)[1])]
        length, data = re.fullmatch(
            rb"<< /Length (\d+) /Length1 \1 >>\nstream\n(.*)\nendstream", file, re.DOTALL
        ).groups()
        assert int(length) == len(data)
        letters = TTFont(BytesIO(data))
        assert {glyph(character, False).shown for character in text} == set(map(chr, letters.getBestCmap()))
        assert all(letters["glyf"][letters.getBestCmap()[ord(sign)]].numberOfContours > 0 for sign in "aλé×?")


def test_pdf_states_the_widths_that_its_letters_have():
    text = "Wii 64×56 ≤ é"
    objects = objects_of(write_pdf(one_text(text)))
    for character in text:
        one = glyph(character, False)
        number = dict(re.findall(rb"/(F\d) (\d+) 0 R", objects[3]))[one.font.encode()]
        widths = re.search(rb"/Widths \[([\d ]*)\]", objects[int(number)])[1].split()
        assert int(widths[one.code]) == one.advance > 0


@pytest.mark.skipif(not shutil.which("pdffonts"), reason="needs poppler")
def test_poppler_finds_all_fonts_embedded(tmp_path):
    (tmp_path / "a.pdf").write_bytes(write_pdf(draw([sketches.resnet18()], title="≤ λ")))
    rows = run("pdffonts", "a.pdf", cwd=tmp_path).splitlines()[2:]
    assert rows
    assert all(re.search(r" yes yes (yes|no) +\d+  0$", row) for row in rows)


def test_pdf_operators_of_each_shape():
    shapes = [
        Rect(1.0, 2.0, 30.0, 20.0, "#ff0000", "#000000", 4.0, top_only=True),
        Path(((0.0, 0.0), (10.0, 0.0), (10.0, 10.0)), "#0000ff", arrow=True),
        Dot(5.0, 5.0, 2.0, "#00ff00"),
    ]
    rows = content_of(write_pdf(Scene(50.0, 50.0, shapes=shapes))).splitlines()[2:]
    assert rows[0].startswith("1 0 0 rg 0 0 0 RG 1 w 5 2 m 27 2 l")
    assert rows[0].count(" c") == 2
    assert rows[1].startswith("0 0 1 RG 1.2 w 0 0 m 5 0 l")
    assert rows[1].endswith("S")
    assert rows[2] == "0 0 1 rg 10 10 m 6.8 4 l 13.2 4 l h f"
    assert rows[3].count(" c") == 4


# --- Graphviz -------------------------------------------------------------------------------------------------

DOT_TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|[{}\[\]=,]|[\w.]+)', re.DOTALL)


def dot_tokens(text):
    """The tokens of Graphviz text; fails where there is anything else."""
    tokens, place = [], 0
    while text[place:].strip():
        match = DOT_TOKEN.match(text, place)
        assert match, text[place : place + 40]
        tokens.append(match[1])
        place = match.end()
    return tokens


@pytest.mark.parametrize("name", sketches.ALL)
def test_dot_has_a_cluster_for_each_frame_and_an_edge_for_each_wire(name):
    one = diagram(sketches.ALL[name]())
    text = write_dot([one], title=name)
    tokens = dot_tokens(text)
    assert tokens.count("{") == tokens.count("}") == 1 + tokens.count("subgraph")
    assert tokens.count("->") == len(one.wires)
    named = {token for token in tokens if re.fullmatch(r"b\d+", token)}
    assert named == set(re.findall(r"^\s*(b\d+) \[", text, re.MULTILINE))


@given(NAMES)
def test_dot_strings_give_names_back(name):
    tokens = dot_tokens(write_dot([diagram(one_box(name))], title=name))
    title = (
        tokens[1][1:-1].replace("\\n", "\x00").replace('\\"', '"').replace("\\\\", "\\").replace("&amp;", "&")
    )
    expected = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in name)
    assert title == expected.replace("\\n", "\x00").replace("\n", "\x00")
    assert tokens.count("->") == 2


# --- Mermaid --------------------------------------------------------------------------------------------------

MERMAID_ROW = re.compile(
    r"""\s*(flowchart\ TB | direction\ TB | end | subgraph\ s\d+\[(?P<frame>"[^"]*")\]
    | b\d+ (\[|\(\[) "[^"]*" (\]|\]\)) | b\d+\ (-->|--x) (\|"[^"]*"\|)?\ b\d+
    | classDef\ (c\d+|frame)\ [\w:,\#-]+ | class\ [bs\d,]+\ (c\d+|frame) | linkStyle\ \d+\ [\w:,\#-]+)""",
    re.VERBOSE,
)


@given(NAMES)
def test_mermaid_is_made_of_known_rows_whatever_the_names(name):
    rows = write_mermaid([diagram(one_box(name))]).splitlines()
    assert all(MERMAID_ROW.fullmatch(row) for row in rows)
    labels = "".join(re.findall(r'"([^"]*)"', "\n".join(rows))).replace("<br/>", "")
    assert not re.search(r"[`<>_*\[\](){}|\\]", labels)


@pytest.mark.parametrize("name", sketches.ALL)
def test_mermaid_subgraphs_are_closed_and_every_wire_is_there(name):
    one = diagram(sketches.ALL[name]())
    rows = [row.strip() for row in write_mermaid([one]).splitlines()]
    assert sum(row.startswith("subgraph ") for row in rows) == rows.count("end")
    assert sum(" --> " in row or " -->|" in row for row in rows) == len(one.wires)


def test_markdown_has_mermaid_in_a_fence():
    text = write_markdown([diagram(sketches.taps())], title="taps `#1`")
    assert text.startswith('```mermaid\n---\ntitle: "taps `#1`"\n---\nflowchart TB\n')
    assert text.endswith("\n```\n")


# --- TikZ -----------------------------------------------------------------------------------------------------


def braces(text):
    """How deep braces are open at the end of TeX text; what a backslash escapes does not count."""
    plain = re.sub(r"\\[^a-zA-Z]", "", text)
    return plain.count("{") - plain.count("}")


@given(NAMES)
def test_tex_leaves_nothing_special(name):
    text = tex(name)
    assert braces(text) == 0
    bare = re.sub(r"\$[^$]*\$", "", re.sub(r"\\[^a-zA-Z]", "", text))
    assert not re.search(r"[%#&_^$\n\t\x07]", bare)


@pytest.mark.parametrize("name", sketches.ALL)
def test_tikz_has_a_node_for_each_text_and_defines_its_colours(name):
    text = write_tikz(draw([sketches.ALL[name]()], title=ODD))
    assert braces(text) == 0
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    used, defined = (
        set(re.findall(r"netcfg\d+", text)),
        set(re.findall(r"\\definecolor\{(netcfg\d+)\}", text)),
    )
    assert used == defined


def test_bare_tikz_picture_has_no_document():
    text = write_tikz(draw([sketches.taps()]), document=False)
    assert text.startswith(r"\begin{tikzpicture}")
    assert text.endswith("\\end{tikzpicture}\n")
    assert "documentclass" not in text


# --- by the real tools, where they are ------------------------------------------------------------------------


def run(*command, cwd):
    return subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", errors="replace", check=True
    ).stdout


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
def test_graphviz_draws_odd_names(tmp_path):
    (tmp_path / "a.dot").write_text(write_dot([diagram(one_box(ODD))], title=ODD), encoding="utf-8")
    drawn = run("dot", "-Tplain", "a.dot", cwd=tmp_path)
    assert sum(line.startswith("node ") for line in drawn.splitlines()) == 3


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler")
def test_poppler_reads_odd_names(tmp_path):
    (tmp_path / "a.pdf").write_bytes(write_pdf(draw([one_box("b")], title=ODD)))
    assert ODD in run("pdftotext", "-layout", "a.pdf", "-", cwd=tmp_path)
