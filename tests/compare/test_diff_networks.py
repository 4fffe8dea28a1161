"""`netcfg.compare`: which block became which, and what is said to differ."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netcfg
from netcfg.compare.networks import compare_networks
from netcfg.compare.programs import compare
from netcfg.compare.text import difference_text

CONV = "[convolutional]\nfilters = {}\nkernel_size = 3\npad = True\n"
RELU = "[activation]\nactivation = relu\n"
POOL = "[maxpool]\npool_size = 2\nstride = 2\n"
NET = "{Net}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"


def chain(*blocks, net=NET):
    return net + "".join(blocks)


def named(block, name):
    return block.replace("]\n", f"]\nname = {name}\n", 1)


def change(before, after):
    (found,) = compare(netcfg.load(before), netcfg.load(after)).networks
    return found


def rows(found):
    """(status, path, changed things) of what is written differently."""
    return [
        (block.status, found.node(block).path, [one.what for one in block.changes])
        for block in found.blocks
        if block.status != "follows"
    ]


def test_a_program_does_not_differ_from_itself():
    program = netcfg.load("cfg/aunet_of_horizontal.cfg")
    assert not compare(program, program)


@pytest.mark.parametrize("place", range(7))
@pytest.mark.parametrize("block", [RELU, CONV.format(8), POOL, "[dropout]\nprobability = 0.5\n"])
def test_a_block_put_into_an_unnamed_chain_is_one_block_more(place, block):
    blocks = [CONV.format(8), RELU, POOL, CONV.format(8), RELU, POOL]
    found = change(chain(*blocks), chain(*blocks[:place], block, *blocks[place:]))
    assert [status for status, _, _ in rows(found)] == ["added"]
    back = change(chain(*blocks[:place], block, *blocks[place:]), chain(*blocks))
    assert [status for status, _, _ in rows(back)] == ["removed"]


def test_an_option_is_reported_before_and_after_with_what_comes_of_it():
    found = change(chain(named(CONV.format(8), "stem"), RELU), chain(named(CONV.format(16), "stem"), RELU))
    stem, relu = found.blocks
    assert [tuple(one) for one in stem.changes] == [("filters", "8", "16")]
    assert [tuple(one) for one in stem.effects] == [
        ("shape", "8×32×32", "16×32×32"),
        ("parameters", 8 * 28, 16 * 28),
        ("macs", 8 * 27 * 32 * 32, 16 * 27 * 32 * 32),
    ]
    assert (relu.status, [one.what for one in relu.effects]) == ("follows", ["shape"])


def test_a_default_is_reported_as_the_value_it_is():
    stride = CONV.format(8) + "stride = 2\n"
    (block, *_) = change(chain(CONV.format(8)), chain(stride)).blocks
    assert tuple(block.changes[0]) == ("stride", "1", "2")


def test_a_default_that_is_written_is_no_difference():
    assert not change(chain(CONV.format(8)), chain(CONV.format(8) + "stride = 1\n"))


def test_a_named_block_keeps_its_name_wherever_it_goes():
    first = chain(named(CONV.format(4), "a"), named(CONV.format(6), "b"))
    second = chain(named(CONV.format(6), "b"), named(CONV.format(4), "a"))
    assert rows(change(first, second)) == [("changed", "b", ["from"]), ("changed", "a", ["from"])]


def test_a_renamed_block_is_renamed():
    first = chain(named(CONV.format(4), "a"), named(CONV.format(6), "b"))
    second = chain(named(CONV.format(4), "a"), named(CONV.format(6), "head"))
    assert rows(change(first, second)) == [("changed", "head", ["name"])]


def test_another_name_and_another_size_is_another_block():
    first, second = chain(named(CONV.format(4), "a")), chain(named(CONV.format(6), "b"))
    assert sorted(status for status, _, _ in rows(change(first, second))) == ["added", "removed"]


def test_another_type_under_the_same_name_is_a_change():
    first, second = chain(named(RELU, "f")), chain(named("[dropout]\n", "f"))
    ((status, path, changes),) = rows(change(first, second))
    assert (status, path, changes[0]) == ("changed", "f", "type")


def test_new_wiring_names_both_ends():
    tail = "[combine_add]\ncombine_layers = -1, {}\n"
    blocks = [named(CONV.format(4), "a"), named(CONV.format(4), "b"), named(CONV.format(4), "c")]
    found = change(chain(*blocks, tail.format("a")), chain(*blocks, tail.format("b")))
    assert [tuple(one) for one in found.blocks[0].changes] == [("from", "c, a", "c, b")]


def test_the_same_block_by_another_reference_is_no_difference():
    tail = "[combine_add]\ncombine_layers = -1, {}\n"
    blocks = [named(CONV.format(4), "a"), CONV.format(4)]
    assert not change(chain(*blocks, tail.format("a")), chain(*blocks, tail.format("-2")))


def test_a_template_written_out_differs_in_nothing_but_places():
    template = "{Define pair}\n[parameters]\nfilters\n" + CONV.format("$filters") + RELU
    first = template + chain("[pair]\nfilters = 8\n", POOL)
    assert rows(change(first, chain(CONV.format(8), RELU, POOL))) == []


def test_freezing_a_use_of_a_template_shows_on_its_blocks():
    template = "{Define pair}\n" + CONV.format(8) + RELU
    first, second = template + chain("[pair]\n"), template + chain("[pair]\nfreeze = True\n")
    assert rows(change(first, second)) == [("changed", "0.0", ["freeze"])]  # the relu has nothing to freeze


def test_freezing_a_network_is_said_once():
    found = change(chain(CONV.format(8)), chain(CONV.format(8), net=NET + "freeze = True\n"))
    assert [tuple(one) for one in found.options] == [("freeze", "False", "True")]
    assert rows(found) == []


def test_weights_of_a_use_are_a_difference():
    template = "{Define pair}\n" + CONV.format(8) + RELU
    first, second = template + chain("[pair]\n"), template + chain("[pair]\nweights = a.safetensors\n")
    assert [tuple(one) for one in change(first, second).blocks[0].changes] == [
        ("weights", None, "a.safetensors")
    ]


def test_sharing_parameters_is_a_difference_and_a_new_place_is_none():
    blocks = [named(CONV.format(3), "a"), CONV.format(3), CONV.format(3)]
    shares = [*blocks[:2], blocks[2] + "shared_with = {}\n"]
    own, first, second = (
        chain(*blocks), *(chain(*shares[:2], shares[2].format(which)) for which in ("a", "1"))
    )  # fmt: skip
    assert rows(change(own, first)) == [("changed", "2", ["shared_with"])]
    assert rows(change(first, second)) == [("changed", "2", ["shared_with"])]
    moved = chain(RELU, *shares[:2], shares[2].format("2"))
    assert rows(change(second, moved)) == [("added", "0", [])]


def test_inputs_and_outputs_differ_by_name():
    net = "{Net}\n[net]\n[input]\nname = x\nfeatures = 4\n"
    first = net + "[connected]\noutput_features = 2\n[output]\nname = a\n[output]\nname = b\n"
    second = (net + "[input]\nname = y\nfeatures = 4\n[combine_add]\ncombine_layers = x, y\n") + (
        "[connected]\noutput_features = 3\n[output]\nname = a\n"
    )
    found = change(first, second)
    assert ("added", "y", []) in rows(found)
    assert [tuple(one) for one in found.outputs] == [("a", "0 (2)", "1 (3)"), ("b", "0 (2)", None)]


def test_networks_are_matched_by_name_then_by_likeness():
    other = "{{{}}}\n[net]\nchannels = 1\n" + POOL + RELU
    first = chain(CONV.format(8), RELU) + other.format("Old")
    second = other.format("New") + chain(CONV.format(8), RELU)
    renamed, same = compare(netcfg.load(first), netcfg.load(second)).networks
    assert (renamed.before.name, renamed.after.name) == ("Old", "New")
    assert [tuple(one) for one in renamed.options] == [("name", "Old", "New")]
    assert not same


def test_unlike_networks_are_gone_and_new():
    first = chain(CONV.format(8)) + "{A}\n[net]\nchannels = 1\n" + POOL
    second = chain(CONV.format(8)) + "{B}\n[net]\nchannels = 1\n" + "[global_avgpool]\n"
    found = compare(netcfg.load(first), netcfg.load(second)).networks
    assert [(one.before and one.before.name, one.after and one.after.name) for one in found if one] == [
        (None, "B"),
        ("A", None),
    ]


# --- properties -----------------------------------------------------------------------------------------------

BLOCKS = st.sampled_from(
    [
        CONV.format(4),
        CONV.format(8),
        RELU,
        "[dropout]\nprobability = 0.5\n",
        "[batch_norm]\n",
        "[combine_add]\ncombine_layers = -1, -1\n",
        "[combine_concat]\ncombine_layers = -1, input\n",
        "[residual]\n",
        "[residual]\nrepeat = 2\n",
    ]
)
TEMPLATE = "{Define residual}\n" + named(CONV.format(4), "conv") + RELU + CONV.format(4)
PROGRAMS = st.lists(st.tuples(BLOCKS, st.sampled_from(["", "", "a", "b", "c"])), min_size=1, max_size=9).map(
    lambda blocks: TEMPLATE + chain(*_unique_names(blocks))
)


def _unique_names(blocks):
    taken = set()
    for block, name in blocks:
        yield named(block, name) if name and name not in taken else block
        taken.add(name)


def counts(found):
    return {status: found.count(status) for status in ("added", "removed", "changed", "follows")}


@given(PROGRAMS)
@settings(max_examples=25, deadline=None)
def test_nothing_differs_from_itself(text):
    first, second = netcfg.load(text), netcfg.load(text)
    assert not compare(first, second)


@given(PROGRAMS, PROGRAMS)
@settings(max_examples=80, deadline=None)
def test_what_is_new_one_way_is_gone_the_other(first, second):
    before, after = netcfg.load(first).networks["Net"], netcfg.load(second).networks["Net"]
    there, back = compare_networks(before, after), compare_networks(after, before)
    assert len(before.nodes) + there.count("added") - there.count("removed") == len(after.nodes)
    swapped = {"added": "removed", "removed": "added"}
    assert counts(there) == {status: counts(back)[swapped.get(status, status)] for status in counts(back)}
    assert bool(there) == bool(back)


@given(PROGRAMS, PROGRAMS)
@settings(max_examples=40, deadline=None)
def test_both_versions_are_in_the_joined_graph(first, second):
    from netcfg.compare.picture import joined, network_diagram

    found = compare_networks(netcfg.load(first).networks["Net"], netcfg.load(second).networks["Net"])
    graph, marks = joined(found)
    assert len(graph.nodes) == len(found.after.nodes) + found.count("removed")
    assert all(signal.producer < index for index, node in enumerate(graph.nodes) for signal in node.inputs)
    assert [mark.mark for mark in marks.blocks.values()].count("added") == found.count("added")
    assert network_diagram(found).frame.parts


# --- what a block was ------------------------------------------------------------------------------------------


def test_weights_from_says_which_block_it_was():
    first = chain(CONV.format(4), CONV.format(6))
    second = chain(named(CONV.format(6), "head") + "weights_from = 0\n", CONV.format(4))
    found = change(first, second)
    was = {found.node(block).path: [one.what for one in block.changes] for block in found.blocks}
    assert found.pairs[1] == 1  # the first block, the one behind the input, whatever it is like now
    assert was["head"][:2] == ["name", "filters"] or set(was["head"]) >= {"name", "filters"}
    assert change(second, first).pairs[1] == 1


def test_weights_from_on_both_sides_goes_before_the_name():
    first = chain(named(CONV.format(4), "a") + "weights_from = x\n", named(CONV.format(4), "b"))
    second = chain(named(CONV.format(4), "a"), named(CONV.format(4), "c") + "weights_from = x\n")
    found = change(first, second)
    assert found.pairs[1] == 2


DOUBLE = """{Define double}
[parameters]
width
[convolutional]
filters = $width
kernel_size = 3
[convolutional]
filters = $width
kernel_size = 3
[convolutional]
filters = ${width * 2}
kernel_size = 3
{Net}
[net]
channels = 3
height = 32
width = 32
[double]
width = 8
[double]
name = last
width = 8
repeat = 2
"""


def rows_of(before: str, after: str) -> list[str]:
    text = difference_text(compare(netcfg.load(before), netcfg.load(after)))
    return [line for line in text.splitlines() if line.lstrip().startswith(("~", "+", "−"))]


def test_a_parameter_of_a_template_is_said_once_by_the_use() -> None:
    (row, *rest) = rows_of(DOUBLE, DOUBLE.replace("width = 8\nrepeat", "width = 16\nrepeat"))
    assert row.split() == ["~", "last.0", "[double]:", "width", "8", "→", "16", "<text>:20"]
    assert [one.split()[1] for one in rest] == ["output"]


def test_what_is_changed_beside_a_parameter_is_said_too() -> None:
    after = DOUBLE.replace("width = 8\n[", "width = 9\n[").replace(
        "kernel_size = 3\n{Net}", "kernel_size = 1\n{Net}"
    )
    rows = [row for row in rows_of(DOUBLE, after) if "output" not in row]
    assert any("width 8 → 9" in row for row in rows)
    assert any("kernel_size 3 → 1" in row for row in rows)
    assert not any("filters 8 → 9" in row for row in rows)


def test_what_keeps_shape_and_cost_is_not_said_to_have_another() -> None:
    before = "{Define unit}\n[parameters]\nkind\n[activation]\nactivation = $kind\n" + chain(
        "[unit]\nkind = relu\n"
    )
    text = difference_text(
        compare(netcfg.load(before), netcfg.load(before.replace("kind = relu", "kind = tanh")))
    )
    assert "kind relu → tanh" in text
    assert "shape or cost" not in text
