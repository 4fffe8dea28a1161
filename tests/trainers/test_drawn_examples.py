"""Samples with what networks say of them: which are shown, and what is drawn into them."""

import torch
from tiny import tiny_program

from netcfg.trainers.reporting.examples import MOST, _drawn, _Shown, _take, laid_over, with_points

NUMBERS = tuple(range(20))


def test_the_surest_are_shown_first_right_and_wrong_apart():
    kept = _Shown("class", ("happy", "sad"))
    logits = torch.stack([torch.arange(20.0), torch.zeros(20)], 1)
    truths = torch.arange(20) % 2
    _take(kept, NUMBERS, torch.rand(20, 3, 8, 8), logits, truths)
    assert [-number for _, number, _, _ in sorted(kept.rows["right"], reverse=True)] == [
        18,
        16,
        14,
        12,
        10,
        8,
        6,
        4,
    ]
    assert len(kept.rows["wrong"]) == MOST
    assert max(kept.rows["wrong"])[3] == "1.00 happy, is sad"
    picture = _drawn(kept)
    assert picture.width > 8 * 100
    assert picture.height > 2 * 100


def test_a_mask_colours_what_is_no_background():
    picture, mask = torch.full((3, 2, 2), 0.5), torch.tensor([[0, 1], [2, 0]])
    drawn = laid_over(picture, mask)
    assert torch.equal(drawn[:, 0, 0], picture[:, 0, 0])
    assert not torch.equal(drawn[:, 0, 1], drawn[:, 1, 0])


def test_points_lie_where_they_are_and_may_lie_outside():
    drawn = with_points(torch.zeros(1, 32, 32), {(255, 0, 0): torch.tensor([[3.0, 5.0], [-90.0, 2.0]])})
    rows, columns = drawn[0].nonzero().T
    assert (rows.float().mean().item(), columns.float().mean().item()) == (21.5, 13.5)  # four times as large


def test_a_program_without_a_class_shows_nothing():
    from netcfg.trainers.reporting.examples import _pairs

    assert _pairs(tiny_program()) == {}


def test_masks_are_shown_from_all_over_the_split_with_a_legend_of_their_classes():
    kept = _Shown("mask", ("background", "skin", "hair", "lips"), places=frozenset({0, 10, 19}))
    truths = torch.zeros(20, 8, 8, dtype=torch.uint8)
    truths[:, 0] = 1
    truths[:, 1] = 255  # what is ignored is no class
    logits = torch.zeros(20, 4, 8, 8)
    logits[:, 2] = 1.0
    pictures = torch.rand(20, 3, 8, 8)
    _take(kept, NUMBERS, pictures, logits, truths)
    assert sorted(-number for _, number, _, _ in kept.rows["truth"]) == [0, 10, 19]
    assert [text for _, text in kept.legend()] == ["skin", "hair"]
    shown = {-number: picture for _, number, picture, _ in kept.rows["truth"]}
    assert torch.equal(shown[10][:, 1:], pictures[10][:, 1:])
    colours = {colour for _, colour in _drawn(kept).getcolors(1 << 20)}
    assert {colour for colour, _ in kept.legend()} <= colours


def test_a_legend_takes_as_many_lines_as_it_needs():
    many = _Shown("mask", tuple(f"a long name {number}" for number in range(60)))
    few = _Shown("mask", ("background", "skin"))
    for kept, classes in ((many, 60), (few, 2)):
        logits = torch.rand(1, classes, 32, 32)
        _take(kept, (0,), torch.rand(1, 3, 32, 32), logits, torch.zeros(1, 32, 32, dtype=torch.long))
    assert len(many.legend()) > 10
    assert _drawn(many).height > _drawn(few).height
