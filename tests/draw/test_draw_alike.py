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
