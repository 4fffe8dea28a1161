import itertools
import random

import pytest

from netcfg.draw.columns import PAGE_LENGTH, fold
from netcfg.draw.layout import Item, Link, Port, arrange

BOX = Item(140.0, 40.0, 70.0, (Port(0.0, 60.0, 17.0),))


def chain(count):
    return [Link(index, index + 1) for index in range(count - 1)]


def random_graph(seed, count=40):
    """Boxes of many sizes, some with several ports; each reads one to three earlier ones."""
    chance = random.Random(seed)
    items, links = [], []
    for index in range(count):
        width, height = chance.choice([100.0, 160.0, 240.0]), chance.choice([30.0, 60.0, 300.0])
        ports = tuple(Port(0.0, 50.0, 17.0) for _ in range(chance.choice([1, 1, 1, 3])))
        if len(ports) > 1 and chance.random() < 0.3:  # as of a frame, whose exits are where they are
            ports = tuple(Port(offset, 12.0, 17.0) for offset in (0.0, 40.0, -30.0))
        elif (
            len(ports) == 1 and width == 240.0 and chance.random() < 0.5
        ):  # as of a frame with folded contents
            ports = (Port(chance.choice([-90.0, 30.0, 90.0]), 25.0, 17.0),)
        items.append(Item(width, height, width / 2, ports, spread=len(ports) > 1 and ports[1].offset == 0))
        if index > chance.randrange(4):
            for source in sorted(
                {chance.randrange(max(0, index - 9), index) for _ in range(chance.choice([1, 1, 2, 3]))}
            ):
                links.append(Link(source, index, chance.randrange(len(items[source].ports))))
    return items, links


def rectangles(placement):
    return [
        (x, y, x + item.width, y + item.height)
        for item, (x, y) in zip(placement.items, placement.corners, strict=True)
    ]


def labels(placement, links):
    """The rectangles of the labels beside lines."""
    for source, port in {(link.source, link.port) for link in links}:
        item, (x, y) = placement.items[source], placement.corners[source]
        place = item.ports[port]
        left, top = x + item.axis + place.offset + 1, y + item.height
        yield source, (left, top, left + place.label_width - 1, top + place.label_height)


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def segments(route):
    return list(itertools.pairwise(route))


def crosses_inside(segment, box):
    (x0, y0), (x1, y1) = segment
    low_x, high_x, low_y, high_y = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    return (
        low_x < box[2] - 0.01 and high_x > box[0] + 0.01 and low_y < box[3] - 0.01 and high_y > box[1] + 0.01
    )


@pytest.fixture(params=[*((seed, 1) for seed in range(25)), *((seed, 3) for seed in range(12))])
def case(request):
    seed, columns = request.param
    items, links = random_graph(seed)
    return links, fold(arrange(items, links), links, columns)


def test_boxes_do_not_overlap(case):
    _, placement = case
    assert not any(overlap(one, other) for one, other in itertools.combinations(rectangles(placement), 2))


def test_labels_overlap_neither_boxes_nor_each_other(case):
    links, placement = case
    texts = [rectangle for _, rectangle in labels(placement, links)]
    assert not any(overlap(text, box) for text in texts for box in rectangles(placement))
    assert not any(overlap(one, other) for one, other in itertools.combinations(texts, 2))


def test_lines_are_orthogonal(case):
    _, placement = case
    for line in [*placement.routes, *placement.lines]:
        assert all(first[0] == second[0] or first[1] == second[1] for first, second in segments(line))


def test_lines_run_through_no_box(case):
    _, placement = case
    boxes = rectangles(placement)
    for route in placement.routes:
        assert not any(crosses_inside(segment, box) for segment in segments(route) for box in boxes)


def test_lines_run_through_no_label(case):
    links, placement = case
    texts = dict(labels(placement, links))
    for link, route in zip(links, placement.routes, strict=True):
        for source, text in texts.items():
            assert not any(crosses_inside(segment, text) for segment in segments(route)), (link, source)


def test_lines_lead_from_their_source_to_their_target(case):
    links, placement = case
    boxes = rectangles(placement)
    for link, route in zip(links, placement.routes, strict=True):
        source, target = boxes[link.source], boxes[link.target]
        assert route[0][1] == source[3]
        assert source[0] <= route[0][0] <= source[2]
        x, y = route[-1]
        assert (y == target[1] and target[0] < x < target[2]) or (
            x in (target[0], target[2]) and target[1] < y < target[3]
        )


@pytest.mark.parametrize("seed", range(25))
def test_lines_never_run_upwards(seed):
    items, links = random_graph(seed)
    placement = arrange(items, links)
    assert all(first[1] <= second[1] for route in placement.routes for first, second in segments(route))


def test_lines_of_different_signals_share_no_stretch(case):
    links, placement = case
    runs = [
        ((link.source, link.port), segment)
        for link, route in zip(links, placement.routes, strict=True)
        for segment in segments(route)
    ]
    for (signal, one), (other_signal, other) in itertools.combinations(runs, 2):
        if signal != other_signal:
            assert not _collinear(one, other), (signal, other_signal)


def _collinear(one, other):
    for axis in (0, 1):
        if one[0][axis] == one[1][axis] == other[0][axis] == other[1][axis]:
            low, high = sorted((one[0][1 - axis], one[1][1 - axis]))
            other_low, other_high = sorted((other[0][1 - axis], other[1][1 - axis]))
            if low < other_high and other_low < high:
                return True
    return False


def test_everything_lies_inside(case):
    links, placement = case
    points = [point for route in placement.routes for point in route]
    for box in [*rectangles(placement), *(text for _, text in labels(placement, links))]:
        points += [box[:2], box[2:]]
    assert all(
        -0.01 <= x <= placement.width + 0.01 and -0.01 <= y <= placement.height + 0.01 for x, y in points
    )


def test_spine_boxes_share_one_axis():
    placement = arrange([BOX] * 6, [*chain(6), Link(0, 3), Link(1, 5)])
    assert {x + BOX.axis for x, _ in placement.corners} == {placement.axis}


def test_nested_skips_run_in_nested_lanes():
    placement = arrange([BOX] * 8, [*chain(8), Link(0, 7), Link(1, 6), Link(2, 5)])
    outer, middle, inner = (max(x for x, _ in route) for route in placement.routes[-3:])
    assert placement.axis + 70 < inner < middle < outer


def test_crossing_skips_run_on_two_sides():
    placement = arrange([BOX] * 6, [*chain(6), Link(0, 3), Link(2, 5)])
    first, second = placement.routes[-2:]
    assert (max(x for x, _ in first) > placement.axis) != (max(x for x, _ in second) > placement.axis)


def test_readers_of_one_signal_are_served_from_one_trunk():
    placement = arrange([BOX] * 8, [*chain(8), Link(0, 3), Link(0, 5), Link(0, 7)])
    assert len({max(x for x, _ in route) for route in placement.routes[-3:]}) == 1
    assert len(placement.dots) == 3


def test_inputs_stand_side_by_side_at_the_top():
    placement = arrange([BOX] * 3, [Link(0, 2), Link(1, 2)])
    (x, y), (other_x, other_y), _ = placement.corners
    assert y == other_y == 0
    assert x < other_x


def test_branches_stand_in_file_order_from_left_to_right():
    # 0 feeds three branches, of which the middle one is the longest; 5 joins them.
    links = [Link(0, 1), Link(0, 2), Link(2, 3), Link(0, 4), Link(1, 5), Link(3, 5), Link(4, 5)]
    placement = arrange([BOX] * 6, links)
    assert placement.corners[1][0] < placement.corners[2][0] < placement.corners[4][0]


def test_tall_item_does_not_push_the_other_lane_down():
    tall = Item(140.0, 900.0, 70.0, weight=9)
    placement = arrange(
        [BOX, tall, BOX, BOX, BOX], [Link(0, 1), Link(0, 2), Link(2, 3), Link(1, 4), Link(3, 4)]
    )
    assert placement.corners[3][1] < placement.corners[1][1] + 900


def test_ports_follow_the_order_of_the_lanes_they_lead_to():
    backbone = Item(100.0, 40.0, 50.0, tuple(Port(0.0, 80.0, 17.0) for _ in range(3)), spread=True)
    placement = arrange([backbone, BOX, BOX, BOX], [Link(0, port + 1, port) for port in range(3)])
    heads = [placement.corners[index][0] for index in (1, 2, 3)]
    offsets = [port.offset for port in placement.items[0].ports]
    assert sorted(range(3), key=heads.__getitem__) == sorted(range(3), key=offsets.__getitem__)
    assert placement.items[0].width >= 3 * 80


def test_exits_stand_at_the_bottom():
    exit_pin = Item(0.0, 0.0, 0.0, weight=0, last=True)
    placement = arrange([BOX, BOX, BOX, exit_pin, exit_pin], [*chain(3), Link(2, 3), Link(0, 4)])
    assert placement.corners[3][1] == placement.corners[4][1] == placement.height


def test_thousand_items_with_skips_keep_one_spine():
    count = 1000
    links = [*chain(count), *(Link(index, index + 3) for index in range(0, count - 3, 4))]
    placement = arrange([BOX] * count, links)
    assert len({x for x, _ in placement.corners}) == 1
    assert placement.width < 200
    tops = [y for _, y in placement.corners]
    assert all(after >= before + BOX.height for before, after in itertools.pairwise(tops))


def test_nothing_and_one_item_have_a_placement():
    assert arrange([], []).corners == []
    assert arrange([BOX], []).corners == [(0.0, 0.0)]


# --- columns --------------------------------------------------------------------------------------------------


def columns_of(placement):
    """The numbers of boxes in columns of one axis."""
    axes = [x + item.axis for item, (x, _) in zip(placement.items, placement.corners, strict=True)]
    return [axes.count(axis) for axis in dict.fromkeys(axes)]


def frame_read_twice():
    """A wide frame whose signal leaves far from its axis, and is read by the two items below it; their links."""
    frame = Item(900.0, 400.0, 70.0, (Port(750.0, 60.0, 17.0),))
    return [BOX, frame, BOX, BOX, BOX], [*chain(5), Link(1, 3)]


def test_a_signal_that_parts_turns_back_to_its_axis_before_it_does():
    items, links = frame_read_twice()
    placement = arrange(items, links)
    start, *_ = placement.routes[1]
    forks = [route[1][1] for route in (placement.routes[1], placement.routes[4])]
    assert forks[0] == forks[1]
    assert start[0] == placement.axis + 750.0
    (dot,) = placement.dots
    assert placement.axis < dot[0] < placement.axis + 140.0
    assert max(x for x, _ in placement.routes[4][2:]) < placement.axis + 140.0


def test_a_signal_that_parts_after_a_cut_is_led_to_where_it_does():
    items, links = frame_read_twice()
    before = arrange(items, links)
    cut = fold(before, links, 2)
    assert columns_of(cut) == [2, 3]
    below = [corner[0] for corner in cut.corners[2:]]
    assert cut.width < before.width + 900.0
    (dot,) = cut.dots
    assert min(below) < dot[0] < max(below) + 140.0 + 20.0
    for route in cut.routes:
        assert all(first[0] == second[0] or first[1] == second[1] for first, second in segments(route))


def test_chain_is_folded_into_equal_columns():
    placement = fold(arrange([BOX] * 12, chain(12)), chain(12), 3)
    assert columns_of(placement) == [4, 4, 4]


def test_lines_lead_from_the_foot_of_a_column_to_the_head_of_the_next():
    placement = fold(arrange([BOX] * 4, chain(4)), chain(4), 2)
    bend = placement.routes[1]
    assert bend[0][1] == placement.corners[1][1] + BOX.height
    assert bend[-1][1] == placement.corners[2][1]
    assert max(y for _, y in bend) > bend[0][1]
    assert min(y for _, y in bend) < placement.corners[2][1]


def test_fold_avoids_skips():
    links = [*chain(8), Link(0, 4)]
    placement = fold(arrange([BOX] * 8, links), links, 2)
    assert columns_of(placement) == [5, 3]


def test_exits_stand_below_all_columns():
    exit_pin = Item(0.0, 0.0, 0.0, weight=0, last=True)
    placement = fold(arrange([BOX] * 5 + [exit_pin], chain(6)), chain(6), 2)
    assert placement.corners[5][1] == placement.height == placement.routes[4][-1][1]


def test_one_column_changes_nothing():
    placement = arrange([BOX] * 4, chain(4))
    assert fold(placement, chain(4), 1) is placement


def test_more_columns_than_boxes_are_as_many_as_there_are_boxes():
    placement = fold(arrange([BOX] * 3, chain(3)), chain(3), 9)
    assert columns_of(placement) == [1, 1, 1]


def test_long_chain_becomes_a_page_by_itself():
    long = arrange([BOX] * 100, chain(100))
    placement = fold(long, chain(100), None)
    assert long.height > 4 * PAGE_LENGTH
    assert 0.7 < placement.height / placement.width < 2.2


def test_short_chain_stays_as_it_is():
    placement = arrange([BOX] * 10, chain(10))
    assert fold(placement, chain(10), None) is placement


def test_nested_skips_are_not_cut_where_nobody_asks_for_it():
    links = [*chain(40), *(Link(place, 39 - place) for place in range(16))]
    placement = arrange([BOX] * 40, links)
    assert placement.height > PAGE_LENGTH
    assert fold(placement, links, None) is placement
