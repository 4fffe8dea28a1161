"""What differs outside of networks."""

import pytest

import netcfg
from netcfg.compare.programs import compare

PROGRAM = """
{General}
[variables]
rate = 1e-3
[training]
batch_size = 8
{Data}
[synthetic_faces]
image_size = 32
action_units = 6, 12
[horizontal_flip]
[normalise]
mean = 0.5
std = 0.5
{Net}
[net]
channels = 3
height = 32
width = 32
[flatten]
[connected]
output_features = 2
{Loss}
[bce_with_logits]
name = detection
input = Net
target = labels
[mse]
name = size
input = Net
target = labels
{Optimizer}
[adam]
networks = Net
minimise = detection + 2 * size
learning_rate = $rate
{Metric}
[f1]
input = Net
target = labels
"""


def training(old, new):
    assert PROGRAM.count(old) == 1
    return compare(netcfg.load(PROGRAM), netcfg.load(PROGRAM.replace(old, new))).training


CHANGES = [
    ("batch_size = 8", "batch_size = 16", "General", "training", [("batch_size", "8", "16")]),
    ("[horizontal_flip]\n", "[horizontal_flip]\nwhen = always\n", "Data", "", [("when", "train", "always")]),
    ("mean = 0.5", "mean = 0.25", "Data", "", [("mean", "0.5", "0.25")]),
    ("name = size\n", "name = extent\n", "Loss", "extent", [("name", "size", "extent")]),
    ("[adam]", "[adam]\nbeta1 = 0.5", "Optimizer", "adam", [("beta1", "None", "0.5")]),
    (
        "2 * size",
        "3 * size",
        "Optimizer",
        "adam",
        [("minimise", "detection + 2 * size", "detection + 3 * size")],
    ),
    ("[f1]\n", "[f1]\nthreshold = 0.4\n", "Metric", "f1", [("threshold", "0.5", "0.4")]),
]


@pytest.mark.parametrize(("old", "new", "group", "name", "changes"), CHANGES)
def test_an_option_is_reported_before_and_after(old, new, group, name, changes):
    assert PROGRAM.count(old) == 1
    text = PROGRAM.replace(old, new)
    if name == "extent":
        text = text.replace("2 * size", "2 * extent")
    found = compare(netcfg.load(PROGRAM), netcfg.load(text)).training
    (change,) = (change for change in found if change.group == group)
    assert (change.status, change.name) == ("changed", name)
    assert [tuple(one) for one in change.changes] == changes


def test_how_a_sum_is_written_is_no_difference():
    assert training("detection + 2 * size", "2*size+detection") == ()


def test_a_variable_is_reported_with_what_it_sets():
    found = compare(netcfg.load(PROGRAM), netcfg.load(PROGRAM, rate="1e-4"))
    assert [tuple(one) for one in found.variables] == [("rate", "1e-3", "1e-4")]
    assert [tuple(one) for one in found.training[0].changes] == [("learning_rate", "0.001", "0.0001")]


def test_a_new_transform_is_new_and_the_others_stay():
    (change,) = training("[horizontal_flip]\n", "[horizontal_flip]\n[brightness]\namount = 0.3\n")
    assert (change.group, change.status, change.type) == ("Data", "added", "brightness")
    assert [tuple(one) for one in change.changes] == [("amount", None, "0.3")]


def test_another_order_of_transforms_is_a_difference():
    flip, resize = "[horizontal_flip]\n", "[resize]\nsize = 32\n"
    first, second = (netcfg.load(PROGRAM.replace(flip, order)) for order in (flip + resize, resize + flip))
    (change,) = compare(first, second).training
    assert [tuple(one) for one in change.changes] == [
        (
            "order",
            "synthetic_faces, horizontal_flip, resize, normalise",
            "synthetic_faces, resize, horizontal_flip, normalise",
        )
    ]


def test_fields_of_another_shape_are_named():
    text = PROGRAM.replace("= 6, 12", "= 6, 12, 17").replace("output_features = 2", "output_features = 3")
    source, fields = compare(netcfg.load(PROGRAM), netcfg.load(text)).training
    assert [tuple(one) for one in source.changes] == [("action_units", "6, 12", "6, 12, 17")]
    assert ("labels", "vector 2 (AU6, AU12)", "vector 3 (AU6, AU12, AU17)") in fields.changes


def test_wiring_of_networks_is_compared_where_there_is_a_model():
    model = "{Model}\n[Net]\nname = p\nfrom = image\n[Net]\nname = q\nfrom = image\n"
    before = PROGRAM.replace("{Loss}", model + "{Loss}").replace("input = Net", "input = p")
    after = before.replace("name = q\nfrom = image\n", "name = q\nfrom = flow\n")
    found = compare(netcfg.load(before), netcfg.load(after))
    assert [tuple(one) for one in found.model.blocks[0].changes] == [("from", "image", "flow")]
