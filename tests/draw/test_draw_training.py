"""Training diagrams: what they show of a program, and that nothing on them runs into anything else."""

import itertools
import subprocess
import sys
import time
from pathlib import Path as File
from random import Random

import numpy as np
import pytest
import trainings

from netcfg.draw.formats import FORMATS
from netcfg.draw.scene import Group, Text
from netcfg.draw.svg import write_svg
from netcfg.draw.training import sifting, straighten
from netcfg.draw.training.channels import Track, assign
from netcfg.draw.training.columns import Columns, Link, Slot
from netcfg.draw.training.figure import TrainingFigure
from netcfg.draw.training.sifting import sift, sift_rows

AUDETNET = File(__file__).resolve().parents[2] / "cfg" / "audetnet.cfg"
PROGRAMS = {"gan": trainings.GAN, "cycle": trainings.CYCLE, "audetnet": AUDETNET} | {
    f"random {seed}": trainings.random_program(seed) for seed in (*range(12), 31, 44)
}


@pytest.fixture(params=PROGRAMS, scope="module")
def picture(request):
    return trainings.picture(PROGRAMS[request.param])


def flows_of(training):
    """Source and target by name, with the phases whose gradients pass and those whose gradients end."""
    names = [card.box.name for card in training.cards]
    return {
        (names[flow.source], names[flow.target], flow.input): (flow.gradients, flow.cuts)
        for flow in training.flows
    }


# --- what is shown --------------------------------------------------------------------------------------------


def test_gan_shows_whose_gradients_flow_where():
    flows = flows_of(trainings.shown(trainings.GAN))
    assert flows == {
        ("synthetic faces", "Generator", 0): ((), ()),
        ("Generator", "Critic", 0): ((2,), (1,)),
        ("synthetic faces", "Critic", 1): ((), ()),
        ("Critic", "fake", 0): ((1, 2), ()),
        ("Critic", "real", 0): ((1,), ()),
        ("synthetic faces", "penalty", 0): ((), ()),
        ("Generator", "penalty", 1): ((), (1,)),
        ("Critic", "penalty", 2): ((1,), ()),
        ("fake", "critic", 0): ((1,), ()),
        ("real", "critic", 1): ((1,), ()),
        ("penalty", "critic", 2): ((1,), ()),
        ("fake", "generator", 0): ((2,), ()),
    }


def test_phases_show_their_sums_and_what_they_update():
    critic, generator = trainings.shown(trainings.GAN).cards[-2:]
    assert [row.text for row in critic.rows] == ["fake", "− real", "+ 10 × penalty"]
    assert [row.text for row in generator.rows] == ["− fake"]
    assert critic.updates == ("Critic",)
    assert generator.box.pieces == ["phase 2", "adam", "every 5th batch"]


def test_uses_of_one_network_share_a_card():
    critic = next(card for card in trainings.shown(trainings.GAN).cards if card.box.name == "Critic")
    assert [(row.text, row.shape) for row in critic.rows] == [
        ("of_made", "3×16×16"),
        ("of_real", "3×16×16"),
        ("itself", ""),
    ]
    assert critic.phases == (1,)


def test_uses_that_need_each_other_stand_apart():
    training = trainings.shown(trainings.CYCLE)
    uses = [[row.text for row in card.rows] for card in training.cards if card.kind == "network"]
    assert sorted(text for rows in uses for text in rows) == ["a", "b", "c", "d"]
    assert len(uses) == 3
    columns = [card.column for card in training.cards]
    assert all(columns[flow.source] < columns[flow.target] for flow in training.flows)


def test_one_phase_alone_leaves_out_what_it_does_not_need():
    training = trainings.shown(trainings.GAN, "generator")
    assert [card.box.name for card in training.cards] == [
        "synthetic faces", "Generator", "Critic", "fake", "generator",
    ]  # fmt: skip
    assert list(training.phases) == [2]
    assert [row.text for row in training.cards[2].rows] == ["of_made"]


def test_a_critic_that_only_its_penalty_reads_is_shown():
    text = trainings.GAN.replace("fake - real + 10 * penalty", "penalty")
    cards = {card.box.name: card for card in trainings.shown(text, "critic").cards}
    assert list(cards) == ["synthetic faces", "Generator", "Critic", "penalty", "critic"]
    assert [row.text for row in cards["Critic"].rows] == ["itself"]


def test_a_second_card_of_a_network_says_that_it_shares_parameters():
    cards = [card for card in trainings.shown(trainings.CYCLE).cards if card.kind == "network"]
    twice = [card.box.pieces for card in cards if [c.box.name for c in cards].count(card.box.name) == 2]
    assert twice == [["12 parameters", "updated by adam"], ["the same parameters", "updated by adam"]]


def test_what_is_special_in_an_optimizer_stands_on_its_card():
    text = trainings.GAN + "accumulate = 2\nclip_grad_norm = 0.5\nschedule = linear\n"
    pieces = trainings.shown(text).cards[-1].box.pieces
    assert pieces == ["phase 2", "adam", "every 5th batch", "mean of 2", "norm ≤ 0.5", "linear"]


def test_a_loss_that_nothing_minimises_says_so():
    cards = {card.box.name: card for card in trainings.shown(trainings.GAN.replace("- real ", "")).cards}
    assert cards["real"].box.pieces == ["mean", "not minimised"]


def test_audetnet_has_three_phases_in_order():
    training = trainings.shown(AUDETNET)
    assert [(number, phase.name) for number, phase in training.phases.items()] == [
        (1, "image_critic"), (2, "pair_critic"), (3, "main"),
    ]  # fmt: skip
    flows = flows_of(training)
    assert flows["Decoder", "Image Discriminator", 1] == ((3,), (1,))
    assert flows["Encoder", "Discriminator", 0] == ((3,), (2,))
    assert flows["z2", "other_z2", 0] == ((), ())
    assert "f1 (action_units, labels)" in training.measured


def test_frozen_and_idle_networks_say_so():
    text = trainings.GAN
    text = text[: text.index("[adam]\nname = critic")] + text[text.index("[adam]\nname = generator") :]
    cards = {card.box.name: card for card in trainings.shown(text).cards}
    assert cards["Critic"].box.pieces == ["12 parameters", "not trained"]
    assert cards["Generator"].box.pieces == ["12 parameters", "updated by generator"]
    frozen = text.replace("{Critic}\n[net]", "{Critic}\n[net]\nfreeze = True")
    critic = next(card for card in trainings.shown(frozen).cards if card.box.name == "Critic")
    assert critic.box.frozen
    assert critic.box.pieces == ["12 parameters"]


# --- that it can be read --------------------------------------------------------------------------------------


def overlap(one, other, clear=0.0):
    (left, top, width, height), (x, y, w, h) = one, other
    return (
        left < x + w - clear and x < left + width - clear and top < y + h - clear and y < top + height - clear
    )


def texts_of(shapes):
    for shape in shapes:
        if isinstance(shape, Group):
            yield from texts_of(shape.shapes)
        elif isinstance(shape, Text):
            yield shape


def text_box(text):
    return text.left, text.y - 0.75 * text.size, text.width, 0.95 * text.size


def cards_of(scene):
    return [shape for shape in scene.shapes if isinstance(shape, Group) and shape.place]


def segments(points):
    return [(one, other) for one, other in itertools.pairwise(points) if one != other]


def test_cards_and_texts_keep_clear_of_each_other(picture):
    scene = picture.scene
    cards = cards_of(scene)
    assert len(cards) == len(picture.training.cards)
    for one, other in itertools.combinations(cards, 2):
        assert not overlap(one.place, other.place)
    texts = [text_box(text) for text in texts_of(scene.shapes)]
    assert not any(overlap(one, other) for one, other in itertools.combinations(texts, 2))
    assert all(
        box[0] >= 0 and box[0] + box[2] <= scene.width and box[1] + box[3] <= scene.height for box in texts
    )


def test_texts_stay_in_their_cards(picture):
    for card in cards_of(picture.scene):
        x, y, width, height = card.place
        for text in texts_of(card.shapes):
            left, top, w, h = text_box(text)
            assert x < left
            assert left + w < x + width
            assert y < top
            assert top + h < y + height


def test_no_line_runs_through_a_card(picture):
    cards = [card.place for card in cards_of(picture.scene)]
    for _, route in TrainingFigure(picture.training).routes():
        for (x0, y0), (x1, y1) in segments(route):
            line = min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0)
            assert not any(overlap(line, card, clear=0.01) for card in cards)


def test_lines_run_to_the_right_at_right_angles(picture):
    for _, route in TrainingFigure(picture.training).routes():
        assert all(x0 == x1 or abs(y0 - y1) < 0.6 for (x0, y0), (x1, y1) in segments(route))
        assert [x for x, _ in route] == sorted(x for x, _ in route)


def test_no_line_runs_on_top_of_another_signals(picture):
    pieces = [
        ((flow.source, flow.output), *one, *other)
        for flow, route in TrainingFigure(picture.training).routes()
        for one, other in segments(route)
    ]
    upright = [(signal, x0, *sorted((y0, y1))) for signal, x0, y0, x1, y1 in pieces if x0 == x1]
    level = [(signal, y0, x0, x1) for signal, x0, y0, x1, y1 in pieces if x0 != x1]
    for lines, distance in ((upright, 5), (level, 3)):
        for (one, at, low, high), (other, near, bottom, top) in itertools.combinations(lines, 2):
            assert one == other or abs(at - near) > distance or high <= bottom or top <= low


def test_all_lines_begin_and_end_at_cards(picture):
    places = [card.place for card in cards_of(picture.scene)]
    for flow, route in TrainingFigure(picture.training).routes():
        (x, y), (end_x, end_y) = route[0], route[-1]
        left, top, width, height = places[flow.source]
        assert x == pytest.approx(left + width)
        assert top < y < top + height
        left, top, width, height = places[flow.target]
        assert end_x == pytest.approx(left)
        assert top < end_y < top + height


def test_each_strand_has_the_colour_of_its_phase():
    picture = trainings.picture(trainings.GAN)
    lines = [group for group in picture.scene.shapes if isinstance(group, Group) and group.kind == "line"]
    strands = [path.stroke for group in lines for path in group.shapes if path.stroke_width == 1.8]
    flows = picture.training.flows
    assert strands.count("#d55e00") == sum(1 in flow.gradients for flow in flows)
    assert strands.count("#009e73") == sum(2 in flow.gradients for flow in flows)


def test_each_line_says_what_it_carries():
    svg = write_svg(trainings.picture(trainings.GAN).scene)
    said = "made 3×16×16\nGenerator → Critic\ngradients of generator flow back\ngradients of critic end here"
    assert f"<title>{said}</title>" in svg


def test_audetnet_fits_a_page():
    scene = trainings.picture(AUDETNET).scene
    assert scene.width < 1750
    assert scene.height < 800


def test_columns_straighten_what_they_can():
    """Three slots of equal height in a row: one straight line, whatever their order in the list."""
    slots = [Slot(column, 50.0, 30.0, (15.0,), (15.0,)) for column in (0, 1, 2)]
    columns = Columns(slots, [Link(0, 0, 1, 0), Link(1, 0, 2, 0), Link(0, 0, 2, 0)])
    assert columns.cells[0].y == pytest.approx(columns.cells[1].y) or columns.cells[0].y == pytest.approx(
        columns.cells[2].y
    )


def test_sifting_puts_members_where_they_cost_least():
    order = [3, 1, 4, 5, 2]
    assert sift(order, lambda one, other: int(one > other))
    assert order == [1, 2, 3, 4, 5]
    assert not sift(order, lambda one, other: int(one > other))


def test_tracks_that_meet_have_an_x_each():
    tracks = [Track((0, 0), 0.0, [50.0]), Track((1, 0), 10.0, [60.0]), Track((2, 0), 100.0, [120.0])]
    assert assign(tracks) == 2
    assert tracks[0].level != tracks[1].level
    assert tracks[2].level == 0


# --- files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_can_be_written(ending):
    assert len(FORMATS[ending](trainings.picture(trainings.GAN))) > 500


def test_graphviz_and_mermaid_show_updates_and_cuts():
    picture = trainings.picture(trainings.GAN)
    dot, mermaid = (FORMATS[ending](picture).decode() for ending in (".dot", ".mmd"))
    assert dot.count("style=dashed") == 2
    assert dot.count("updated by") == mermaid.count("updated by") == 2
    assert "rankdir=LR" in dot
    assert "flowchart LR" in mermaid
    assert dot.count("arrowhead=teenormal") == mermaid.count("--x") == 2
    assert 'color="#d55e00:#009e73"' in dot


def test_same_picture_in_another_process_with_another_hash_seed():
    script = (
        "import trainings\n"
        "from netcfg.draw.svg import write_svg\n"
        "print(write_svg(trainings.picture(trainings.random_program(3)).scene), end='')"
    )
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, encoding="utf-8", check=True
    )
    assert run.stdout == write_svg(trainings.picture(trainings.random_program(3)).scene)


def test_orders_are_the_same_pair_by_pair_and_by_rows():
    random = Random(3)
    for count in (1, 2, 9, 30):
        costs = np.array([[random.randrange(4) for _ in range(count)] for _ in range(count)])
        one, other = list(range(count)), list(range(count))
        assert sift(one, lambda above, below, costs=costs: int(costs[above][below])) == sift_rows(
            other, lambda member, costs=costs: costs[:, member] - costs[member]
        )
        assert one == other


@pytest.mark.parametrize("seed", [2, 7, 44])
def test_pictures_are_the_same_pair_by_pair_and_by_rows(seed, monkeypatch):
    text = trainings.random_program(seed)
    pairs = trainings.picture(text).scene.shapes
    monkeypatch.setattr(sifting, "_MANY", 1)
    monkeypatch.setattr(straighten, "_MANY", 1)
    assert repr(trainings.picture(text).scene.shapes) == repr(pairs)


def test_many_losses_take_seconds():
    losses = "".join(f"[l1]\nname = l{place}\ninput = s\ntarget = image\n" for place in range(400))
    total = " + ".join(f"l{place}" for place in range(400))
    text = trainings.DATA + trainings.NETWORK.format(name="N")
    text += f"{{Model}}\n[N]\nname = s\nfrom = image\n{{Loss}}\n{losses}"
    text += f"{{Optimizer}}\n[adam]\nnetworks = N\nminimise = {total}\n"
    picture = trainings.picture(text)
    started = time.process_time()
    assert picture.scene.height > 400 * 14
    assert time.process_time() - started < 6  # a second; 16 when every pair was looked at by itself
