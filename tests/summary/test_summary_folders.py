"""A folder of names is a group in the tree of a summary, as the use of a template is."""

import netcfg
from netcfg.summary.data import summary_data
from netcfg.summary.rows import Wish
from netcfg.summary.tables import summary_text

FILE = """
{Define head}
[connected]
name = layers.first
output_features = 4

[connected]
name = layers.second
output_features = 2

{Net}
[net]

[input]
name = picture
channels = 1
height = 8
width = 8

[convolutional]
name = features.
filters = 2
kernel_size = 3

[convolutional]
name = features.
filters = 3
kernel_size = 3

[activation]
activation = relu

[head]
name = parts.head
repeat = 2
"""


def tree(tmp_path, depth):
    path = tmp_path / "net.cfg"
    path.write_text(FILE, encoding="utf-8")
    (network,) = summary_data(netcfg.load(path), Wish(depth))["networks"]
    return [(row["depth"], row["name"], row["folder"], row["blocks"]) for row in network["tree"]]


def test_a_closed_folder_is_one_row(tmp_path):
    assert tree(tmp_path, 0) == [(0, "features", True, 2), (0, "2", False, 1), (0, "parts", True, 4)]


def test_a_use_in_a_folder_and_a_folder_in_a_use(tmp_path):
    found = tree(tmp_path, 2)
    assert found[1:3] == [(1, "features.0", False, 1), (1, "features.1", False, 1)]
    assert found[4:] == [
        (0, "parts", True, 4),
        (1, "parts.head", False, 4),
        (2, "parts.head.0.layers", True, 2),
        (2, "parts.head.1.layers", True, 2),
    ]


def test_a_folder_has_the_sums_of_its_blocks(tmp_path):
    path = tmp_path / "net.cfg"
    path.write_text(FILE, encoding="utf-8")
    program = netcfg.load(path)
    (network,) = summary_data(program, Wish(0))["networks"]
    features = network["tree"][0]
    assert features["parameters"] == sum(layer["parameters"] for layer in network["layers"][:2])
    assert features["template"] is None
    assert "folder, 2 blocks" in summary_text(program, Wish(0))
