"""Folders of names are drawn as groups, as the uses of templates are."""

import pytest
from overlaps import flaws

import netcfg
from netcfg.draw import Look, draw, picture
from netcfg.draw.folders import with_folders
from netcfg.draw.ids import part_ids, parts_below
from netcfg.draw.model import Box, Frame, diagram
from netcfg.draw.scene import groups_of
from netcfg.passes.read import shipped_folder

HEAD = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"


def conv(name: str, more: str = "") -> str:
    named = f"name = {name}\n" if name else ""
    return f"[convolutional]\n{named}filters = 4\nkernel_size = 1\n{more}"


def graph_of(text: str):
    (graph,) = netcfg.load(text).networks.values()
    return graph


def tree(part):
    """Frames as (name, what is in them), boxes by their names, or their numbers."""
    if isinstance(part, Box):
        return part.name or part.place
    return part.name, [tree(inner) for inner in part.parts]


def inside(text: str, look: Look | None = None):
    return [tree(part) for part in diagram(graph_of(text), look=look).frame.parts][1:-1]


def test_blocks_of_one_folder_stand_in_a_frame_and_drop_its_name() -> None:
    text = HEAD + conv("stem") + conv("stage.1.a") + conv("stage.1.b") + conv("stage.2.a") + conv("stage.2.b")
    assert inside(text) == ["stem", ("stage", [("1", ["a", "b"]), ("2", ["a", "b"])])]


def test_what_has_no_name_between_them_is_in_it_too() -> None:
    text = HEAD + conv("a.x") + "[maxpool]\npool_size = 2\nstride = 2\n" + conv("a.y") + conv("last")
    assert inside(text) == [("a", ["x", "1", "y"]), "last"]


@pytest.mark.parametrize(
    "blocks",
    [
        conv("a.x") + conv("b") + conv("a.y"),  # another is between them
        conv("a.x") + conv("b"),  # one alone is no group
        conv("a.x") + conv("a.y"),  # nothing is beside it
    ],
)
def test_where_a_folder_tells_nothing_apart_there_is_no_frame(blocks: str) -> None:
    assert not any(isinstance(part, Frame) for part in diagram(graph_of(HEAD + blocks)).frame.parts)
    graph = graph_of(HEAD + blocks)
    assert with_folders(graph) is graph


def test_a_folder_is_closed_as_deep_as_a_use_is() -> None:
    text = HEAD + conv("stem") + conv("s.1.a") + conv("s.1.b") + conv("s.2")
    assert inside(text, Look(depth=0)) == ["stem", "s"]
    assert inside(text, Look(depth=1)) == ["stem", ("s", ["1", "2"])]
    (closed,) = (part for part in diagram(graph_of(text), look=Look(depth=0)).frame.parts if part.name == "s")
    assert closed.pieces == ["3 convolutional"]
    assert closed.details.startswith("folder s\n")


def test_turns_of_a_repeat_with_folders_are_one_where_they_are_alike() -> None:
    text = (
        "{Define unit}\n"
        + conv("one.x")
        + "[activation]\nactivation = relu\n"
        + conv("one.y")
        + conv("two")
        + HEAD
        + "[unit]\nname = unit\nrepeat = 3\n"
    )
    assert inside(text) == [("unit", [("one", ["x", "y"]), "two"])]
    shown = diagram(graph_of(text))
    assert [part.count for part in shown.frame.parts[1:-1]] == [3]
    assert len(set(part_ids([shown]).values())) == 1 + len(list(parts_below(shown.frame)))


def test_the_boxes_of_a_network_are_the_same_with_its_folders() -> None:
    for name in ("densenet121", "vit_b_16", "mobilenet_v2"):
        for graph in netcfg.load(shipped_folder() / "zoo" / f"{name}.cfg").networks.values():
            grouped = with_folders(graph)
            assert [node.path for node in grouped.nodes] == [node.path for node in graph.nodes]
            assert [node.chain() for node in grouped.nodes] == [node.chain() for node in graph.nodes]
            for one, other in zip(graph.nodes, grouped.nodes, strict=True):
                assert [scope for scope in other.scopes if scope.template] == list(one.scopes)


@pytest.mark.parametrize(
    "look", [Look(), Look(direction="left-right"), Look(style="volumes"), Look(expand=True)]
)
def test_pictures_of_folders_keep_their_order(look: Look) -> None:
    graphs = list(netcfg.load(shipped_folder() / "zoo" / "vit_b_16.cfg").networks.values())
    assert flaws(draw(graphs, look=look)) == []


def test_the_inmost_long_frame_is_the_one_that_is_folded() -> None:
    """In a Vision Transformer all layers are in `layers`, which nearly fills `encoder`."""
    drawn = picture(list(netcfg.load(shipped_folder() / "zoo" / "vit_b_16.cfg").networks.values()))
    places = {group.id: group.place for group in groups_of(drawn.scene.shapes) if group.place}
    first, last = places["ViT.encoder.layers.encoder_layer_0"], places["ViT.encoder.layers.encoder_layer_11"]
    assert last[0] > first[0] + first[2], "in a column of its own"
    assert places["ViT.encoder.pos_embedding"][0] == places["ViT.encoder.ln"][0]


def test_a_frame_that_is_long_even_so_is_folded_as_well() -> None:
    """In a DenseNet with open blocks `features` is long, though each long block in it is folded."""
    (graph,) = netcfg.load(shipped_folder() / "zoo" / "densenet121.cfg").networks.values()
    drawn = picture([graph], look=Look(depth=2))
    places = {group.id: group.place for group in groups_of(drawn.scene.shapes) if group.place}
    first, last = places["DenseNet.features.denseblock1"], places["DenseNet.features.denseblock4"]
    assert last[0] > first[0] + first[2]
    assert flaws(drawn.scene) == []


def test_what_gives_many_signals_is_no_solid() -> None:
    """Of a folder that is closed, with an arrow for each of its blocks, there is no one shape to draw."""
    text = (
        HEAD
        + conv("stem")
        + conv("many.a")
        + conv("many.b")
        + conv("many.c")
        + "[combine_concat]\ncombine_layers = many.a, many.b, many.c\n"
    )
    scene = draw([graph_of(text)], look=Look(style="volumes", depth=0))
    assert flaws(scene) == []
