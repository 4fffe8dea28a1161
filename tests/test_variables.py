"""Variables: who sets them last, what may be computed with them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netcfg
from netcfg.passes.expressions import ExpressionError, evaluate, replaced

NETWORK = "{N}\n[net]\nchannels = 1\n[convolutional]\nfilters = $width\nkernel_size = 1\n"
PROGRAM = "{General}\n[variables]\nwidth = 8\n[preset demo]\nwidth = 4\n" + NETWORK


def width_of(text: str | Path, preset: str | None = None, **variables: object) -> int:
    program = netcfg.load(text, preset, **variables)
    return program.networks["N"].nodes[-1].output.shape[0]  # type: ignore[return-value]


def codes(text: str | Path, preset: str | None = None, **variables: object) -> list[str]:
    return [finding.code for finding in netcfg.check(text, preset, variables)[1]]


def value(text: str, **variables: str) -> str:
    return evaluate(text, variables.__getitem__)


def variables(*lines: str) -> dict[str, str]:
    """The variables of a program with these lines in its [variables]."""
    text = "\n".join(["{General}", "[variables]", "width = 1", *lines, NETWORK])
    return dict(netcfg.load(text).variables)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Two files that set the same things: `a.cfg` includes `b.cfg` at its end."""
    (tmp_path / "b.cfg").write_text("{General}\n[variables]\nwidth = 1\n[preset demo]\nwidth = 2\n")
    head = "{General}\n[variables]\nwidth = 3\n[preset demo]\nwidth = 4\n"
    (tmp_path / "a.cfg").write_text(head + NETWORK + "{include b.cfg}\n")
    (tmp_path / "first.cfg").write_text("{include b.cfg}\n" + head + NETWORK)
    return tmp_path


# --- who sets a variable


def test_the_file_sets_a_variable() -> None:
    assert width_of(PROGRAM) == 8


def test_a_preset_wins_over_the_file() -> None:
    assert width_of(PROGRAM, "demo") == 4


def test_the_caller_wins_over_a_preset() -> None:
    assert width_of(PROGRAM, "demo", width=2) == 2


@pytest.mark.parametrize("name", ["a.cfg", "first.cfg"])
def test_the_including_file_wins_over_the_included(files: Path, name: str) -> None:
    assert width_of(files / name) == 3


@pytest.mark.parametrize("name", ["a.cfg", "first.cfg"])
def test_a_preset_of_the_including_file_wins_over_the_included(files: Path, name: str) -> None:
    assert width_of(files / name, "demo") == 4


def test_an_included_preset_wins_over_the_including_files_variable(files: Path) -> None:
    (files / "c.cfg").write_text("{include b.cfg}\n{General}\n[variables]\nwidth = 5\n" + NETWORK)
    assert width_of(files / "c.cfg", "demo") == 2


def test_presets_of_several_files_add_up(tmp_path: Path) -> None:
    (tmp_path / "b.cfg").write_text("{General}\n[variables]\na = 1\n[preset demo]\na = 2\n")
    text = "{include b.cfg}\n{General}\n[variables]\nwidth = 1\n[preset demo]\nwidth = 3\n" + NETWORK
    (tmp_path / "a.cfg").write_text(text)
    assert netcfg.load(tmp_path / "a.cfg", "demo").variables == {"a": "2", "width": "3"}


def test_a_preset_sets_what_expressions_compute_with() -> None:
    text = PROGRAM.replace("$width", "${2 * width}")
    assert (width_of(text), width_of(text, "demo")) == (16, 8)


def test_a_presets_value_may_be_an_expression() -> None:
    assert width_of(PROGRAM.replace("width = 4", "width = ${3 * 5}"), "demo") == 15


def test_lists_may_be_set_from_python() -> None:
    text = PROGRAM + "[upsample]\noutput_sizes = $width\n"
    assert (
        netcfg.check(text.replace("filters = $width", "filters = 1"), None, {"width": (3, 4)})[0] is not None
    )


@pytest.mark.parametrize(
    ("text", "preset", "settings", "code"),
    [
        (PROGRAM, "dmo", {}, "NC113"),
        (PROGRAM, None, {"widht": 3}, "NC108"),
        (PROGRAM.replace("$width", "$widht"), None, {}, "NC108"),
        (PROGRAM.replace("width = 4", "widht = 4"), None, {}, "NC108"),
        (PROGRAM.replace("width = 8", "width = 8\nwidth = 9"), None, {}, "NC109"),
        (PROGRAM.replace("width = 4", "width = 4\nwidth = 5"), None, {}, "NC106"),
        (PROGRAM.replace("[preset demo]", "[preset]"), None, {}, "NC002"),
        (PROGRAM, None, {"width": "${width}"}, "NC009"),
        (PROGRAM, None, {"width": "many"}, "NC105"),
    ],
)
def test_what_cannot_be_set_is_one_finding(
    text: str, preset: str | None, settings: dict[str, object], code: str
) -> None:
    assert codes(text, preset, **settings) == [code]


# --- expressions


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2 * 3 + 1", "7"),
        ("2 * (3 + 1)", "8"),
        ("7 // 2", "3"),
        ("7 % 4", "3"),
        ("8 / 2", "4"),
        ("7 / 2", "3.5"),
        ("-3 + +1", "-2"),
        ("min(3, 1, 2)", "1"),
        ("max(3, 2 * 4)", "8"),
        ("int(7 / 2)", "3"),
        ("0.1 + 0.2", "0.30000000000000004"),
        ("1e-4 / 2", "5e-05"),
        ("  1+1 ", "2"),
        ("w + 1", "9"),
        ("half * w", "4"),
    ],
)
def test_an_expression_computes(text: str, result: str) -> None:
    assert value(text, w="8", half="0.5") == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 if w > 4 else 2", "1"),
        ("w == 8 and not off", "True"),
        ("off or w != 8", "False"),
        ("0.5 + 0.1 * on", "0.6"),
        ("2 if 0 else 1 / w", "0.125"),
        ("1 / 0 if off else 3", "3"),
        ("off and 1 / 0", "False"),
        ("word == 'wide'", "True"),
        ("'a' if word != 'wide' else 'b'", "b"),
        ("round(2.5)", "2"),
        ("ceil(2.1)", "3"),
        ("divisible(19, 8)", "24"),
        ("divisible(w * 1.3, 8)", "16"),
        ("divisible(3, 8)", "8"),
    ],
)
def test_conditions_and_rounding(text: str, result: str) -> None:
    assert value(text, w="8", on="True", off="False", word="wide") == result


@given(st.integers(-1000, 1000), st.integers(1, 50))
def test_exact_quotients_are_whole_numbers(quotient: int, divisor: int) -> None:
    assert value("a / b", a=str(quotient * divisor), b=str(divisor)) == str(quotient)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2 **",
        "2 @ 3",
        "[1]",
        "abs(1)",
        "min()",
        "min(3)",
        "min(1, key=2)",
        "__import__('os')",
        "(lambda: 1)()",
        "1 / 0",
        "1 // 0",
        "1 % 0",
        "1e300 * 1e300",
        "10 * 999999999999999",
        "word + 1",
        "word < 1",
        "not word",
        "1 < 2 < 3",
        "'a' * 3",
        "w.real()",
        "w[0]",
        "round(1.5, 1)",
        "divisible(8, 0)",
        "1 / 0 if w else 2",
        "w and 1 / 0",
        "1, 2",
        "1j",
        "(" * 300 + "1" + ")" * 300,
        "-" * 495 + "x",
        "1+" * 400 + "1",
        "9" * 499 + "*" + "9",
        "0 \0",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text, w="8", word="wide", x="many")


@given(st.text(alphabet="0123456789.e+-*/%() wminaxt,", max_size=40))
def test_any_expression_gives_a_number_or_is_refused(text: str) -> None:
    try:
        result = value(text, w="8", m="1", a="2", x="0.5", t="3", i="4", n="5", e="6")
    except (ExpressionError, KeyError):
        return
    assert abs(float(result)) <= 1e15


def test_two_dollars_stand_for_one() -> None:
    assert replaced("a$$b $x $$x", {"x": "1"}.__getitem__) == "a$b 1 $x"


@pytest.mark.parametrize("text", ["$", "$ x", "${x", "${}", "$1", "a$"])
def test_a_dollar_without_a_name_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        replaced(text, {"x": "1"}.__getitem__)


def test_names_stand_inside_words() -> None:
    assert replaced("runs/$x.pth, ${x}b", {"x": "1"}.__getitem__) == "runs/1.pth, 1b"


# --- variables of variables


def test_variables_are_evaluated_in_any_order() -> None:
    assert variables("a = ${b + 1}", "b = ${c * 2}", "c = 3")["a"] == "7"


def test_a_variable_may_hold_any_text() -> None:
    assert variables("a = one, two", "b = $a, three")["b"] == "one, two, three"


@pytest.mark.parametrize("lines", ["a = $a", "a = $b\nb = $a", "a = ${b + 1}\nb = $c\nc = ${a * 2}"])
def test_a_cycle_is_one_finding(lines: str) -> None:
    text = "{General}\n[variables]\nwidth = 1\n" + lines + "\n" + NETWORK
    assert codes(text) == ["NC009"]


def test_a_cycle_is_spelt_out() -> None:
    text = "{General}\n[variables]\nwidth = 1\na = $b\nb = ${a + 1}\n" + NETWORK
    assert "a → b → a" in netcfg.check(text)[1][0].message


@pytest.mark.parametrize("length", [400, 5_000])
def test_a_chain_may_be_as_long_as_it_likes(length: int) -> None:
    lines = [f"v{index} = ${{v{index + 1} + 1}}" for index in range(length)]
    assert variables(*lines, f"v{length} = 0")["v0"] == str(length)


def test_a_mistake_at_the_end_of_a_chain_is_one_finding_where_it_is() -> None:
    lines = [f"v{index} = $v{index + 1}" for index in range(100)]
    text = "{General}\n[variables]\nwidth = 1\n" + "\n".join(lines) + "\nv100 = $nothing\n" + NETWORK
    (finding,) = netcfg.check(text)[1]
    assert finding.code == "NC108"
    assert finding.span is not None
    assert finding.span.line == 104


DOUBLING = "\n".join(f"v{index} = $v{index - 1}$v{index - 1}" for index in range(1, 40))


@pytest.mark.parametrize("lines", ["v0 = aaaaaaaaaa\n" + DOUBLING, DOUBLING + "\nv0 = aaaaaaaaaa"])
def test_a_text_that_doubles_is_one_finding_where_it_becomes_too_long(lines: str) -> None:
    text = "{General}\n[variables]\nwidth = 1\n" + lines + "\n" + NETWORK + "weights = $v39\n"
    (finding,) = netcfg.check(text)[1]
    assert (finding.code, finding.message) == ("NC015", "`v13` becomes longer than 65536 characters")


def test_a_text_that_doubles_by_a_templates_parameters_is_refused_at_its_place() -> None:
    defaults = "\n".join(f"v{index} = $v{index - 1}$v{index - 1}" for index in range(1, 40))
    text = "{Define t}\n[parameters]\nv0\n" + defaults + "\n[identity]\nname = $v39\n"
    text += "{N}\n[net]\nchannels = 1\n[t]\nv0 = aaaaaaaaaa\n"
    (finding,) = netcfg.check(text)[1]
    assert finding.code == "NC015"
    assert finding.span is not None
    assert finding.span.line == 48


def test_a_text_that_doubles_from_template_to_template_is_refused() -> None:
    templates = "".join(
        f"{{Define t{index}}}\n[parameters]\nv\n[t{index + 1}]\nv = $v$v\n" for index in range(30)
    )
    text = templates + "{Define t30}\n[parameters]\nv\n[identity]\nname = $v\n"
    text += "{N}\n[net]\nchannels = 1\n[t0]\nv = aaaaaaaaaa\n"
    assert [finding.code for finding in netcfg.check(text)[1]] == ["NC015"]


def test_long_texts_in_many_uses_are_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcfg.passes.variables.MAX_TEXTS", 10_000)
    text = "{Define t}\n[parameters]\nv\n[identity]\nweights = $v\n{N}\n[net]\nchannels = 1\n"
    text += f"[t]\nrepeat = 1000\nv = {'a' * 100}\n"
    assert [finding.code for finding in netcfg.check(text)[1]] == ["NC015"]


def test_a_sum_of_many_terms_and_deep_brackets_are_computed() -> None:
    assert value("1+" * 240 + "1") == "241"
    assert value("(" * 150 + "7" + ")" * 150) == "7"
    assert value("-" * 400 + "7") == "7"


def test_the_resolved_text_means_the_same() -> None:
    text = PROGRAM + "weights = a$$b\n"
    program = netcfg.load(text, "demo")
    again = netcfg.load(program.resolved)
    assert again.variables == program.variables
    assert again.networks["N"].weights[0].source == "a$b"
    assert width_of(program.resolved) == 4


# --- parameters of templates

TEMPLATE = (
    "{Define t}\n"
    "[parameters]\nwidth\nkernel = ${1 + 2}\n"
    "[convolutional]\nfilters = $width\nkernel_size = $kernel\npad = 1\n"
)
USE = "{General}\n[variables]\nwidth = 8\nkernel = 5\n{N}\n[net]\nchannels = 1\n[t]\n"


def convolution(options: str) -> tuple[int, int]:
    block = netcfg.load(TEMPLATE + USE + options).networks["N"].nodes[-1].block
    return block.filters, block.kernel_size[0]  # type: ignore[attr-defined]


def test_a_parameter_shadows_the_variable_of_its_name() -> None:
    assert convolution("width = 3\nkernel = 1\n") == (3, 1)


def test_a_use_may_pass_the_variable_of_the_same_name_on() -> None:
    assert convolution("width = $width\nkernel = $kernel\n") == (8, 5)


def test_a_word_in_quotes_is_no_variable() -> None:
    found = variables("method = wide", 'wide = ${method == "wide"}', "low = ${method == 'low'}")
    assert (found["wide"], found["low"]) == ("True", "False")


def test_a_default_may_be_an_expression() -> None:
    assert convolution("width = 2\n") == (2, 3)


def test_a_template_sees_the_programs_variables() -> None:
    text = TEMPLATE.replace("width\n", "", 1).replace("kernel = ${1 + 2}", "kernel = 1") + USE
    assert netcfg.load(text).networks["N"].nodes[-1].output.shape[0] == 8


@pytest.mark.parametrize(("power", "value"), [("2 ** 3", 8), ("2 ** (1 + 1) * 3", 12), ("-2 ** 2 + 20", 16)])
def test_powers(power: str, value: int) -> None:
    text = f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 3\n[connected]\noutput_features = ${{{power}}}\n"
    assert netcfg.load(text).networks["N"].nodes[-1].output.shape == (value,)


@pytest.mark.parametrize(
    "power", ["2 ** 100", "1.5e14 ** 64", "9 ** 9 ** 9", "(-2) ** 0.5", "0 ** -1", "1e-9 ** 64"]
)
def test_powers_that_are_no_number(power: str) -> None:
    text = f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 3\n[connected]\noutput_features = ${{{power}}}\n"
    assert [finding.code for finding in netcfg.check(text)[1]] == ["NC009"]
