from dataclasses import replace

from overlaps import flaws, groups
from sketches import Sketch

from netcfg.draw import Look, draw
from netcfg.draw.alike import gathered
from netcfg.draw.model import diagram


def head(name, features=1):
    sketch = Sketch(name)
    sketch.input("vector", (512,))
    sketch.add("connected", "64, relu", shape=(64,), parameters=32_832)
    sketch.add("connected", f"{features}", shape=(features,), parameters=65)
    return sketch.graph()


def shown(*graphs):
    return [(each.frame.name, each.frame.count) for each in gathered([diagram(graph) for graph in graphs])]


def test_networks_that_are_alike_are_drawn_once():
    assert shown(*(head(f"AU{unit}") for unit in (1, 2, 4, 6, 9, 12))) == [("AU1, AU2, … AU12", 6)]


def test_two_equal_networks_are_drawn_both():
    assert shown(head("A"), head("B")) == [("A", 1), ("B", 1)]


def test_networks_that_differ_stay_in_their_order():
    graphs = [head("A"), head("Wide", 7), head("B"), head("C")]
    assert shown(*graphs) == [("A, B, C", 3), ("Wide", 1)]


def test_a_marked_network_is_drawn_by_itself():
    diagrams = [diagram(head(name)) for name in "ABCD"]
    diagrams[1].frame.parts[1].mark = "changed"
    assert [each.frame.name for each in gathered(diagrams)] == ["A, C, D", "B"]


def test_the_one_that_is_drawn_keeps_its_id_and_says_what_it_stands_for():
    graphs = [head(f"AU{unit}") for unit in range(12)]
    scene = draw(graphs)
    (network,) = groups(scene.shapes, "network")
    assert network.id == "AU0"
    assert "AU11" in network.title
    assert [group.id for group in groups(scene.shapes, "box output")] == ["AU0.output:AU0"]
    assert flaws(scene) == []


def test_all_are_drawn_when_expanded():
    graphs = [head(f"AU{unit}") for unit in range(4)]
    assert len(list(groups(draw(graphs, look=Look(expand=True)).shapes, "network"))) == 4


def test_what_is_gathered_is_not_changed():
    diagrams = [diagram(head(name)) for name in "ABC"]
    before = [replace(each.frame) for each in diagrams]
    gathered(diagrams)
    assert [(each.frame.name, each.frame.count) for each in diagrams] == [
        (one.name, one.count) for one in before
    ]
    assert diagrams[0].frame.parts[-1].name == "A"


def heads(count, **different):
    """A trunk and as many equal heads, read by one sum; `different` features of one of them, by its name."""
    sketch = Sketch("Hydra")
    sketch.input("image", (3, 8, 8))
    trunk = sketch.add("flatten", shape=(192,), name="vector")
    ends = []
    for place in range(count):
        name = f"head{place}"
        with sketch.use(name, "classifier"):
            sketch.add("connected", "64", trunk, shape=(64,), parameters=100)
            ends.append(sketch.add("connected", f"{different.get(name, 1)}", shape=(1,), parameters=65))
    sketch.add("combine_concat", "", *ends, shape=(count,))
    return diagram(sketch.graph())


def frames(diagram):
    return [(part.name, part.note, part.count) for part in diagram.frame.parts if not hasattr(part, "pieces")]


def test_equal_heads_are_drawn_once_as_standing_side_by_side():
    (shown,) = gathered([heads(12)])
    assert frames(shown) == [("head0 … head11", "classifier, side by side", 12)]
    assert len(shown.wires) == 5


def test_a_head_that_differs_is_drawn_by_itself():
    (shown,) = gathered([heads(6, head2=7)])
    assert [count for _, _, count in frames(shown)] == [5, 1]


def test_few_equal_heads_are_drawn_each():
    (shown,) = gathered([heads(3)])
    assert [count for _, _, count in frames(shown)] == [1, 1, 1]


def test_equal_inputs_are_drawn_each():
    sketch = Sketch("Frames")
    frames = [sketch.input(f"frame{place}", (3, 8, 8)) for place in range(5)]
    sketch.add("combine_add", "", *frames)
    (shown,) = gathered([diagram(sketch.graph())])
    assert len(shown.frame.parts) == 7


def test_equal_boxes_side_by_side_are_one_box():
    sketch = Sketch("Frames")
    image = sketch.input("image", (3, 8, 8))
    ends = [sketch.conv(8, image) for _ in range(5)]
    sketch.add("combine_add", "", *ends)
    (shown,) = gathered([diagram(sketch.graph())])
    assert [(part.name, part.count) for part in shown.frame.parts[:3]] == [
        ("image", 1),
        ("side by side", 5),
        ("", 1),
    ]
