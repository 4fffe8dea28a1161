"""Text to tree: what is read, where it stands, and that no text whatever makes the reader fall over."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark, Tree
from lark import Token as LarkToken

import netcfg
from netcfg.passes.read import shipped_folder
from netcfg.source import Finding, SourceFile, Span, render
from netcfg.syntax import File, Group, Include, Section, parse, table_data, tables
from netcfg.syntax.format import format_text


def read(text: str) -> tuple[File, list[Finding]]:
    findings: list[Finding] = []
    return parse(SourceFile("a.cfg", text), findings), findings


def only_section(text: str) -> Section:
    tree, findings = read(text)
    assert findings == []
    group = tree.items[0]
    assert isinstance(group, Group)
    return group.sections[0]


def options_of(text: str) -> dict[str, str]:
    return {option.key: option.value for option in only_section("{N}\n[b]\n" + text).options}


def outline(text: str) -> list[object]:
    """A tree without places."""
    tree, _ = read(text)
    rows: list[object] = []
    for item in tree.items:
        if isinstance(item, Include):
            rows.append(item.path)
        else:
            sections = [
                (
                    section.name,
                    [(o.key, o.value) for o in section.options],
                    [word.key for word in section.words],
                )
                for section in item.sections
            ]
            rows.append((item.name, sections))
    return rows


def codes(text: str) -> list[str]:
    return [finding.code for finding in read(text)[1]]


# --- comments, spaces, quotes


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("key = 3", "3"),
        ("key=3", "3"),
        ("\t key\t=\t3 \t", "3"),
        ("key = 3 # three", "3"),
        ("key = 3 ; three", "3"),
        ("key = 3# three", "3# three"),
        ("key = a;b", "a;b"),
        ('key = "a # b"', '"a # b"'),
        ('key = "a # b" # c', '"a # b"'),
        ("key = 'a ; b' ; it's", "'a ; b'"),
        ("key = 3  # don't", "3"),
        ("key = a = b", "a = b"),
        ("key = 1, 2,3", "1, 2,3"),
        ("key = \u00e9t\u00e9 \u2603", "\u00e9t\u00e9 \u2603"),
        ("key = [a] {b}", "[a] {b}"),
    ],
)
def test_the_value_is_what_stands_before_the_comment(line: str, value: str) -> None:
    assert options_of(line + "\n") == {"key": value}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "", "\n# bye", "\n  \t"])
def test_a_file_may_end_in_any_way(end: str) -> None:
    assert options_of("key = 3" + end) == {"key": "3"}


def test_windows_line_ends_change_nothing() -> None:
    text = "# c\n{N}\n[net]  # d\nchannels = 3 ; e\n\n[b]\nkey = a, b\n"
    assert outline(text.replace("\n", "\r\n")) == outline(text)


@pytest.mark.parametrize("mark", ["\ufeff", "\u00a0", "\x0b", "\x0c", "\u2028", "\x85"])
def test_marks_and_odd_spaces_before_a_line_change_nothing(mark: str) -> None:
    text = "{N}\n[net]\nchannels = 3\n[b]\n"
    assert outline(mark + text) == outline(text)
    assert outline(text.replace("[b]", mark + "[b]")) == outline(text)
    assert codes(mark + text) == []


def test_blank_lines_and_comments_stand_anywhere_in_a_block() -> None:
    text = "a = 1\n\n# one\n   ; two\nb = 2\n\n\n\tc = 3\n# d = 4\n"
    assert options_of(text) == {"a": "1", "b": "2", "c": "3"}


def test_headers_may_be_spaced_and_commented() -> None:
    assert outline("  {  My   Net }  # one\n\t[  net ] ; two\n") == [("My Net", [("net", [], [])])]


def test_names_of_groups_may_be_in_any_script() -> None:
    assert outline("{R\u00e9seau \u7f51\u7edc}\n[net]\n")[0] == (
        "R\u00e9seau \u7f51\u7edc",
        [("net", [], [])],
    )


def test_words_alone_are_kept_for_parameters() -> None:
    assert outline("{Define t}\n[parameters]\nfilters # required\nslope = 1\n") == [
        ("Define t", [("parameters", [("slope", "1")], ["filters"])])
    ]


def test_an_include_is_read_with_its_path() -> None:
    assert outline("{include parts/a b.cfg}  # c\n{ include 'd.cfg' }\n") == ["parts/a b.cfg", "d.cfg"]


# --- places


def place(span: Span) -> tuple[int, int, int]:
    return span.line, span.column, span.length


def test_a_key_has_its_place() -> None:
    option = only_section("{N}\n[b]\n\t  kernel_size =  3 # c\n").options[0]
    assert place(option.span) == (3, 4, len("kernel_size"))


def test_a_value_has_its_place() -> None:
    option = only_section("{N}\n[b]\n\n# c\nsize  =  12, 13   # c\n").options[0]
    assert place(option.value_span) == (5, 10, len("12, 13"))


@pytest.mark.parametrize(("item", "column"), [("stem", 8), ("-2", 14), ("a.b", 19)])
def test_an_item_of_a_list_has_its_place(item: str, column: int) -> None:
    option = only_section("{N}\n[b]\nkeys = stem, -2 , a.b # c\n").options[0]
    assert place(option.item_span(item)) == (3, column, len(item))


def test_a_value_keeps_its_place_when_its_variables_are_replaced() -> None:
    option = only_section("{N}\n[b]\nkey = $name # c\n").options[0].with_value("something longer")
    assert place(option.value_span) == (3, 7, len("$name"))


def test_headers_have_their_places() -> None:
    tree, _ = read("{A}\n\n   { B }\n [ net ] # c\n")
    second = tree.items[1]
    assert isinstance(second, Group)
    assert place(second.span) == (3, 4, len("{ B }"))
    assert place(second.sections[0].span) == (4, 2, len("[ net ]"))


def test_an_included_path_has_its_place() -> None:
    tree, _ = read("\n  {include  inc}\n")
    assert isinstance(tree.items[0], Include)
    assert place(tree.items[0].span) == (2, 13, 3)


def test_places_are_right_behind_windows_line_ends() -> None:
    option = only_section("{N}\r\n[b]\r\n  key = 3\r\n").options[0]
    assert place(option.value_span) == (3, 9, 1)


def test_an_option_outside_a_block_is_shown_alone() -> None:
    _, findings = read("a = 1 ; one\nb = 2\n{N}\n[net]\n")
    assert [(f.code, place(f.span)) for f in findings if f.span] == [("NC003", (1, 1, len("a = 1")))]


# --- mistakes


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "NC006"),
        ("# nothing\n", "NC006"),
        ("{N\n[net]\n", "NC002"),
        ("{}\n", "NC002"),
        ("{N} x\n[net]\n", "NC002"),
        ("{N}\n[net\n", "NC002"),
        ("{N}\n[]\n", "NC002"),
        ("{N}\n[net] x = 3\n", "NC002"),
        ("{N}\n[net]\nchannels\n", "NC001"),
        ("{N}\n[net]\n= 3\n", "NC001"),
        ("{N}\n[net]\n3 = channels\n", "NC001"),
        ("{N}\n[net]\nchannels =\n", "NC010"),
        ("{N}\n[net]\nchannels = # 3\n", "NC010"),
        ("{N}\nchannels = 3\n[net]\n", "NC003"),
        ("[b]\nkey = 3\n", "NC003"),
        ("[net]\nchannels = 3\n", "NC011"),
    ],
)
def test_one_mistake_gives_one_finding(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_all_mistakes_of_a_text_are_found_in_one_run() -> None:
    assert codes("{N}\n[net\nchannels =\n!\n[b] c\n") == ["NC002", "NC010", "NC001", "NC002"]


# --- the canonical form

NAMES = st.sampled_from(["net", "b", "preset  demo", "a-b", "pre}x"])
KEYS = st.sampled_from(["a", "key", "kernel_size", "b.c", "d-e"])
VALUES = st.sampled_from(["1", "a, b", '"x # y"', "'p;q'", "$v", "${2 * v}", "it's", "a=b", "\u00e9\u2028x"])
COMMENTS = st.sampled_from(["", "", " # c", "  ; c = 3", "\t# [x]", " # \u2028k = 1", "# tight"])
SPACES = st.sampled_from(["", " ", "\t", "   "])


@st.composite
def lines(draw: st.DrawFn) -> str:
    space = [draw(SPACES) for _ in range(4)]
    comment = draw(COMMENTS)
    kind = draw(
        st.sampled_from(["group", "block", "option", "option", "option", "comment", "blank", "include"])
    )
    if kind == "group":
        return f"{space[0]}{{{space[1]}{draw(st.sampled_from(['N', 'My  Net', 'Define t']))}{space[2]}}}{comment}"
    if kind == "block":
        return f"{space[0]}[{space[1]}{draw(NAMES)}{space[2]}]{comment}"
    if kind == "include":
        return f"{space[0]}{{include {space[1]}x y.cfg{space[2]}}}{comment}"
    if kind == "option":
        return f"{space[0]}{draw(KEYS)}{space[1]}={space[2]}{draw(VALUES)}{space[3]}{comment}"
    return draw(st.sampled_from(["# c", "; d = 4", "#"])) if kind == "comment" else space[0]


TEXTS = st.lists(lines(), max_size=12).map(lambda rows: "\n".join(["{N}", "[net]", *rows]))


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["\n", "\r\n"]))
def test_the_canonical_form_says_the_same(text: str, end: str) -> None:
    assert outline(format_text(text.replace("\n", end))) == outline(text)


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_the_canonical_form_is_its_own(text: str) -> None:
    once = format_text(text)
    assert format_text(once) == once


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_the_canonical_form_keeps_every_comment(text: str) -> None:
    kept = sorted("".join(text.split()))
    assert [c for c in kept if c in "#;"] == sorted(c for c in format_text(text) if c in "#;")


@pytest.mark.parametrize("path", sorted(shipped_folder().rglob("*.cfg")), ids=lambda path: path.stem)
def test_shipped_files_are_in_canonical_form(path: object) -> None:
    text = path.read_text(encoding="utf-8")  # type: ignore[attr-defined]
    assert format_text(text) == text


# --- any text at all


def rendered(text: str) -> None:
    """Check a text as a program; every finding can be shown."""
    program, findings = netcfg.check(text + "\n")
    assert program is not None or findings
    for finding in findings:
        assert finding.code in render(finding)
        finding.to_json()


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_tree_or_findings(text: str) -> None:
    rendered(text)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}[]=#;\"'$,\n\r\t ab1.-", max_size=120))
def test_any_text_of_marks_gives_a_tree_or_findings(text: str) -> None:
    rendered(text)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_file_gives_a_program_or_findings(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.cfg"
    path.write_bytes(data)
    program, findings = netcfg.check(path)
    assert program is None
    assert all(render(finding) for finding in findings)


def mangled(line: str, chance: random.Random) -> str:
    """A line with something small wrong in it."""
    at = chance.randrange(len(line) + 1)
    piece = chance.choice(
        ["$", "{", "}", "[", "]", "=", "#", ",", "-1", "None", "\u00a0", "9" * 20, "input", ""]
    )
    return line[:at] + piece + line[at + chance.randrange(4) :]


def mutated(text: str, seed: int) -> str:
    """A text with some of its lines deleted, repeated, moved or mangled."""
    chance = random.Random(seed)
    rows = text.splitlines()
    for _ in range(chance.randint(1, 4)):
        here, there = chance.randrange(len(rows)), chance.randrange(len(rows))
        match chance.choice(["delete", "repeat", "swap", "mangle", "mangle", "mangle"]):
            case "delete" if len(rows) > 1:
                del rows[here]
            case "repeat":
                rows.insert(there, rows[here])
            case "swap":
                rows[here], rows[there] = rows[there], rows[here]
            case _:
                rows[here] = mangled(rows[here], chance)
    return "\n".join(rows)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["audetnet", "aunet_of_horizontal", "blocks/vgg16", "parts/aunet_training"]),
    st.integers(0, 2**32),
)
def test_no_mutation_of_a_shipped_file_makes_the_compiler_fall_over(name: str, seed: int) -> None:
    rendered(mutated((shipped_folder() / f"{name}.cfg").read_text(encoding="utf-8"), seed))


_LARK = Lark(tables.grammar(), parser="lalr", lexer="basic")
_SIGNS = st.text("{}[]#;=\"'\n\r\t a1_.$\ufeffé", max_size=60)


def branch(node: Tree[LarkToken] | LarkToken) -> object:
    """A part of Lark's tree as the own parser is asked for it below."""
    if isinstance(node, Tree):
        return (str(node.data), *map(branch, node.children))
    return str(node), node.type, node.line, node.column


def leaf(part: object) -> object:
    return (str(part), part.type, part.line, part.column) if isinstance(part, tables.Token) else part


@settings(max_examples=100, deadline=None)
@given(
    _SIGNS
    | st.lists(st.sampled_from(["{A}", "[b]", "c = 1", "d", "!", "{include e}", "[", "# f"])).map("\n".join)
)
def test_a_text_is_read_as_lark_reads_it(text: str) -> None:
    rules = {
        name: lambda *parts, name=name: (name, *map(leaf, parts))
        for name in ("start", "loose", "group", "section")
    }
    assert tables.parse_by(rules, text + "\n") == branch(_LARK.parse(text + "\n"))


def test_the_tables_are_those_of_the_grammar() -> None:
    assert tables.grammar() == table_data.GRAMMAR


@settings(max_examples=100, deadline=None)
@given(_SIGNS)
def test_no_part_of_a_text_is_passed_over(text: str) -> None:
    text += "\n"
    starts = [0, *(place + 1 for place, sign in enumerate(text) if sign == "\n")]
    left = list(text)
    for token in _LARK.lex(text):
        start = starts[(token.line or 1) - 1] + (token.column or 1) - 1
        assert text.startswith(token, start)
        for place in range(start, start + len(token)):
            left[place] = "\n" if text[place] == "\n" else " "
    rows = [row.strip() for row in "".join(left).replace("\ufeff", " ").split("\n")]
    assert all(not row or row[0] in "#;" for row in rows), rows


def test_json_is_told_what_a_file_looks_like() -> None:
    _, findings = read('{"model": {"layers": [{"type": "conv"}]}}\n')
    assert [finding.code for finding in findings][:1] == ["NC002"]
    assert (findings[0].help or "").startswith("headers are `{Group}` or `[block]`, options `key = value`")
