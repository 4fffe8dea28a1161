"""Formulas in boxes and cards: as a whole, over lines that break where a reader would."""

import pytest
from overlaps import flaws

import netcfg
from netcfg.draw import draw, style
from netcfg.draw.measure import box_lines, broken
from netcfg.draw.metrics import text_width
from netcfg.draw.model import diagram, pieces_of
from netcfg.draw.training.picture import training_picture
from netcfg.passes.read import shipped_folder

NET = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[formula]\nname = f\nvalue = "
LONG = "sqrt(abs(in * 0.25 - mean(in) ** 2) + 0.0001) / (1 + exp(tanh(in * 3 + 0.125))) * where(in > 0.5, in, 1 - in)"


def lines_of(formula: str) -> list[str]:
    (graph,) = netcfg.load(NET + formula + "\n").networks.values()
    box = next(part for part in diagram(graph).frame.parts if part.name == "f")
    return [" ".join(word.text for word in line) for line in box_lines(box)]


def test_a_short_formula_stands_in_the_line_of_its_type() -> None:
    assert lines_of("in * 2 + 1") == ["f", "formula in * 2 + 1"]


def test_a_long_formula_is_there_as_a_whole_in_lines_of_one_size() -> None:
    name, kind, *rest = lines_of(LONG)
    assert (name, kind) == ("f", "formula")
    assert " ".join(rest) == LONG
    assert all(text_width(row, style.SMALL) <= style.LINE_WIDTH for row in rest)
    assert not any(row.endswith((" *", " +", " -", " /", " >")) for row in rest), "an operator begins a line"


def test_commas_in_brackets_part_no_options() -> None:
    assert pieces_of("formula where(a > 0, b[0, 1], c), over frames") == [
        "formula where(a > 0, b[0, 1], c)",
        "over frames",
    ]
    assert pieces_of("convolutional 3×3, 64, stride 2") == ["convolutional 3×3", "64", "stride 2"]


def test_a_line_ends_outside_of_brackets_where_there_is_such_a_place() -> None:
    rows = broken("sqrt(left) * image + sqrt(1 - left) * noise", style.SMALL, 170)
    assert rows == ["sqrt(left) * image + sqrt(1 - left)", "* noise"]


@pytest.mark.parametrize("limit", [20.0, 60.0, 110.0, 170.0, 1000.0])
def test_breaking_loses_nothing_but_what_is_said_to_be_left_out(limit: float) -> None:
    rows = broken(LONG, style.SMALL, limit)
    assert len(rows) <= style.FORMULA_LINES
    text = " ".join(rows)
    assert text == LONG or (text.endswith(" …") and LONG.startswith(text[:-2]))
    for row in rows:  # what is wider is an operator and a single word
        row = row.removesuffix(" …")
        assert text_width(row, style.SMALL) <= limit or row.count(" ") <= 1, row


def test_formulas_that_differ_late_are_not_drawn_as_one() -> None:
    begin = "in * 0.0625 + in ** 2 * 0.25 + in * "
    text = NET.replace("name = f\n", "") + begin + "3\n[formula]\nvalue = " + begin + "4\n"
    (graph,) = netcfg.load(text).networks.values()
    assert [part.count for part in diagram(graph).frame.parts] == [1, 1, 1, 1]


def test_pictures_with_long_formulas_keep_their_order() -> None:
    (graph,) = netcfg.load(NET + LONG + "\n").networks.values()
    assert flaws(draw([graph])) == []


def test_cards_of_a_training_diagram_show_whole_formulas() -> None:
    from overlaps import flat

    from netcfg.draw.scene import Text

    drawn = training_picture(netcfg.load(shipped_folder() / "zoo" / "ddpm.cfg"))
    texts = [shape.text for shape in flat(drawn.scene.shapes) if isinstance(shape, Text)]
    assert "formula sqrt(left) * image" in texts
    assert "+ sqrt(1 - left) * noise" in texts
