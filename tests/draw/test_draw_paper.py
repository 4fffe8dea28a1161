"""Pictures for papers: names, colours, letters, edges, insets, several files, and a width in which all can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contrast import contrast

import netcfg
from netcfg.cli.main import main
from netcfg.draw import Look, picture, picture_of_files
from netcfg.draw.options import PALETTES as NAMES
from netcfg.draw.palettes import PALETTES
from netcfg.draw.paper import LEAST_POINTS, PAPERS, UNITS_PER_MM, read_width, texts
from netcfg.draw.scene import Rect, Scene, groups_of
from netcfg.draw.style import FAINT, FAMILIES
from netcfg.source import NetcfgError

CFG = Path(__file__).resolve().parents[2] / "cfg"
NET = """
{Define block}
[parameters]
filters
[convolutional]
name = first
filters = $filters
kernel_size = 3
pad = True
activation = relu
[convolutional]
name = second
filters = $filters
kernel_size = 3
pad = True
[combine_add]
combine_layers = -1, input
{Net}
[net]
channels = 8
height = 32
width = 32
[block]
name = body
filters = 8
[block]
name = tail
filters = 8
[maxpool]
name = small
pool_size = 2
stride = 2
[connected]
name = answer
output_features = 10
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.cfg").write_text(NET)
    return tmp_path / "net.cfg"


def scene_of(**choices: object) -> Scene:
    return picture(netcfg.load(NET).graphs, look=Look(**choices)).scene  # type: ignore[arg-type]


def words(scene: Scene) -> list[str]:
    return [text.text for text in texts(scene.shapes)]


def graph(*arguments: str) -> int:
    return main(["graph", *arguments])


# --- what is shown


def test_other_names_are_for_networks_uses_and_blocks_by_path_or_name() -> None:
    renames = {"Net": "Ours", "body": "B", "Net.tail": "T", "tail.first": "one", "answer": "decision"}
    found = words(scene_of(renames=renames))
    assert [name for name in ("Ours", "B", "T", "one", "decision") if name not in found] == []
    assert [name for name in ("Net", "body", "tail", "answer") if name in found] == []
    assert found.count("first") == 1, "that of the other use keeps its name"


def test_a_name_of_nothing_is_refused_with_the_nearest(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graph("net.cfg", "--rename", "answr=A") == 1
    assert (
        "rename: there is no `answr` in this picture\nhelp: did you mean `answer`" in capsys.readouterr().err
    )
    for wrong in ("answer", "answer=", "=A"):
        assert graph("net.cfg", "--rename", wrong) == 1
        assert "write it as NAME=TEXT" in capsys.readouterr().err


def test_the_page_renames_what_it_unfolds(file: Path) -> None:
    assert graph("net.cfg", "-o", "net.html", "--depth", "0", "--rename", "body.first=renamed") == 0
    assert "renamed" in (file.parent / "net.html").read_text()


def test_titles_edges_and_legends_can_be_left_out(file: Path) -> None:
    def drawn(*arguments: str) -> str:
        assert graph("net.cfg", "-o", "net.svg", *arguments) == 0
        return re.sub(r"<title>[^<]*</title>", "", (file.parent / "net.svg").read_text())

    assert ">net.cfg<" in drawn()
    assert ">net.cfg<" not in drawn("--no-title")
    assert ">Our network<" in drawn("--title", "Our network")
    assert ">Net<" in drawn()
    assert drawn("--no-frame").count(">Net<") == 1, "only the output is called so"
    assert ">pooling<" in drawn("--style", "volumes")
    assert ">pooling<" not in drawn("--style", "volumes", "--legend", "off")


def test_without_edges_a_picture_is_smaller_and_everything_is_in_it() -> None:
    whole, bare = scene_of(), scene_of(frame=False)
    assert bare.width < whole.width
    assert bare.height < whole.height
    lost = [word for word in words(whole) if word not in words(bare)]
    assert len(lost) == 1
    assert lost[0].endswith("parameters"), "its size stands beside its name"
    places = [group.place for group in groups_of(bare.shapes) if group.place]
    assert min(left for left, *_ in places) >= 0
    assert max(left + width for left, _, width, _ in places) <= bare.width


@pytest.mark.parametrize("name", NAMES)
def test_words_on_the_boxes_of_a_palette_can_be_read(name: str) -> None:
    assert PALETTES[name].keys() == FAMILIES.keys()
    for family, paint in PALETTES[name].items():
        assert contrast(paint.text, paint.fill) >= 4.5, family
        if family not in ("output", "phase"):
            assert contrast(FAINT, paint.fill) >= 3.0, family


def test_in_grey_there_is_no_colour(file: Path) -> None:
    assert graph("net.cfg", "-o", "net.svg", "--palette", "grey") == 0
    colours = set(re.findall(r'"#([0-9a-f]{6})"', (file.parent / "net.svg").read_text()))
    assert colours
    assert {colour for colour in colours if colour[:2] * 3 != colour} == set()


def test_colours_of_a_palette_are_those_of_the_boxes() -> None:
    fills = {rect.fill for rect in rects(scene_of(palette="colour-blind")) if rect.fill != "#ffffff"}
    assert PALETTES["colour-blind"]["convolution"].fill in fills
    assert FAMILIES["convolution"].fill not in fills


def rects(scene: Scene) -> list[Rect]:
    found = [shape for group in groups_of(scene.shapes) for shape in group.shapes]
    return [shape for shape in found if isinstance(shape, Rect)]


def test_an_inset_is_the_inside_of_what_is_closed_in_the_network() -> None:
    drawn = picture(netcfg.load(NET).graphs, look=Look(insets=("block",)))
    network, inset = drawn.diagrams
    assert [part.name for part in network.frame.parts] == ["input", "body", "tail", "small", "answer", "Net"]
    assert [part.name or part.kind for part in inset.frame.parts] == [
        "input",
        "first",
        "second",
        "combination",
        "output",
    ]  # type: ignore[union-attr]
    ends = [(wire.source.name, wire.target.name) for wire in inset.wires]
    assert ends == [("input", "first"), ("first", "second"), ("second", ""), ("input", ""), ("", "output")]
    places = {group.id: group.place for group in groups_of(drawn.scene.shapes) if group.kind == "network"}
    (left, top, width, _), (beside, other_top, _, _) = places.values()  # type: ignore[misc]
    assert beside > left + width
    assert top == other_top


@pytest.mark.parametrize(
    ("name", "said"), [("blok", "did you mean `block`"), ("nothing", "known here: `block`")]
)
def test_an_inset_of_no_template_is_refused(name: str, said: str) -> None:
    with pytest.raises(NetcfgError, match=f"no network here uses a template `{name}`\nhelp: {said}"):
        scene_of(insets=(name,))


def test_several_files_stand_side_by_side_each_under_its_name(file: Path) -> None:
    graphs = netcfg.load(NET).graphs
    drawn = picture_of_files([("a.cfg", graphs), ("b.cfg", graphs), ("c.cfg", graphs)])
    scene = drawn.scene
    networks = [group for group in groups_of(scene.shapes) if group.kind == "network"]
    assert len(networks) == 3, "equal ones of several files are not one"
    assert len({group.id for group in groups_of(scene.shapes) if group.id}) == sum(
        bool(group.id) for group in groups_of(scene.shapes)
    )
    lefts = [group.place[0] for group in networks if group.place]
    assert lefts == sorted(set(lefts))
    captions = [text for text in texts(scene.shapes) if text.text.endswith(".cfg")]
    assert [(text.text, text.x) for text in captions] == list(
        zip(("a.cfg", "b.cfg", "c.cfg"), lefts, strict=True)
    )
    (file.parent / "b.cfg").write_text(NET.replace("Net", "Other"))
    assert graph("net.cfg", "b.cfg", "-o", "both.svg") == 0
    assert graph("net.cfg", "b.cfg", "-o", "b.cfg") == 1
    assert graph("net.cfg", "b.cfg", "--training", "-o", "both.svg") == 1


def test_letters_are_named_where_a_format_has_a_choice(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for ending, part in (
        (".svg", 'font-family="serif"'),
        (".html", 'font-family="serif"'),
        (".tex", r"\rmfamily"),
    ):
        assert graph("net.cfg", "-o", f"net{ending}", "--font", "serif") == 0
        assert part in (file.parent / f"net{ending}").read_text()
    assert graph("net.cfg", "-o", "net.svg", "--font", 'My "Font') == 0
    assert 'font-family="&#x27;My Font&#x27;, Helvetica' in (file.parent / "net.svg").read_text()
    assert graph("net.cfg", "-o", "net.tex", "--font", "Garamond") == 1
    assert "help: one of these, or .svg" in capsys.readouterr().err
    for ending in (".pdf", ".png"):
        assert graph("net.cfg", "-o", f"net{ending}", "--font", "serif") == 1
        assert "carries letters of its own\nhelp: leave it out, or `-o net.svg`" in capsys.readouterr().err
        assert not (file.parent / f"net{ending}").exists()


# --- how large it is


def smallest(scene: Scene) -> float:
    """In points, as the scene is printed."""
    return min(text.size for text in texts(scene.shapes)) * 0.75


@pytest.mark.parametrize(
    "name", ["zoo/vgg11.cfg", "aunet_of_horizontal.cfg", "aunet_of_fc6.cfg", "audetnet.cfg"]
)
@pytest.mark.parametrize("width", ["88mm", "181mm", "20in"])
def test_a_picture_has_its_width_and_can_be_read_or_is_refused(name: str, width: str) -> None:
    paper = read_width(width)
    drawn = netcfg.picture(netcfg.load(CFG / name), width=width)
    if width == "88mm" and name in ("aunet_of_fc6.cfg", "audetnet.cfg"):
        with pytest.raises(NetcfgError, match="with text of 6 pt the picture is"):
            _ = drawn.scene
        return
    scene = drawn.scene
    assert scene.width == pytest.approx(paper.width * UNITS_PER_MM)
    assert smallest(scene) >= LEAST_POINTS - 1e-6
    for group in groups_of(scene.shapes):
        if group.place:
            left, top, wide, high = group.place
            assert left >= -0.01
            assert top >= -0.01
            assert left + wide <= scene.width + 0.01
            assert top + high <= scene.height + 0.01


def test_what_is_too_wide_is_refused_with_options_that_do_fit(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graph("net.cfg", "-o", "net.svg", "--width", "40mm") == 1
    said = capsys.readouterr().err
    assert "--width 40mm: with text of 6 pt the picture is" in said
    remedies = [one.split() for one in re.findall(r"`(--[^`]*)`", said.partition("help: it fits with")[2])]
    assert remedies
    for remedy in remedies:
        assert graph("net.cfg", "-o", "net.svg", "--width", "40mm", *remedy) == 0
    assert graph("net.cfg", "-o", "net.svg", "--width", "12mm") == 1
    assert "alone are not enough" in capsys.readouterr().err


def test_a_long_picture_is_folded_onto_its_paper() -> None:
    program = netcfg.load(CFG / "zoo" / "vgg16.cfg")
    free = netcfg.picture(program, columns=1, width="300mm").scene
    drawn = netcfg.picture(program)
    drawn.paper = PAPERS["ieee-page"]
    scene = drawn.scene
    assert free.height > scene.height
    assert scene.height <= 235 * UNITS_PER_MM


def test_sizes_are_those_of_the_files(file: Path) -> None:
    for ending in (".svg", ".pdf", ".png", ".tex"):
        assert graph("net.cfg", "-o", f"net{ending}", "--width", "88mm") == 0
    svg = (file.parent / "net.svg").read_text()
    assert float(re.search(r'width="([\d.]+)"', svg)[1]) == pytest.approx(88 * 96 / 25.4, abs=0.01)  # type: ignore[index]
    pdf = (file.parent / "net.pdf").read_bytes()
    assert float(re.search(rb"MediaBox \[0 0 ([\d.]+)", pdf)[1]) == pytest.approx(88 * 72 / 25.4, abs=0.01)  # type: ignore[index]
    png = (file.parent / "net.png").read_bytes()
    assert int.from_bytes(png[16:20], "big") == round(88 / 25.4 * 300)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--width 88", "--width is a number with mm, cm, in or pt behind it"),
        ("--width 1mm", "--width must be from 10 mm to 2 m"),
        ("--width 88mm --scale 2 -o net.png", "leave one of them out"),
        ("--width 88mm -o net.html", "net.html has no size on paper"),
        ("--palette grey --heat macs", "--palette: heat colours boxes by their cost"),
        ("--training --no-frame", "--no-frame goes with pictures of networks"),
        ("--training --inset block", "--inset goes with pictures of networks"),
    ],
)
def test_mistakes(words: str, said: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert graph("net.cfg", *words.split()) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "width"), [("88mm", 88), ("8.8 cm", 88), ("3.5in", 88.9), ("72.27pt", 25.4)]
)
def test_widths_are_read_in_four_units(text: str, width: float) -> None:
    assert read_width(text).width == pytest.approx(width)


def test_a_training_step_is_scaled_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = [str(CFG / "aunet_of_horizontal.cfg"), "--training", "-o", str(tmp_path / "step.svg")]
    assert graph(*step, "--width", "20in", "--title", "The step") == 0
    assert ">The step<" in (tmp_path / "step.svg").read_text()
    assert graph(*step, "--width", "50mm") == 1
    assert "the picture is" in capsys.readouterr().err
