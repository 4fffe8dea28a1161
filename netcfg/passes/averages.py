"""Pass: each network of a `[moving_average]` is compared with the one it follows, and nothing else moves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest

from netcfg.graph import Graph, Node
from netcfg.program import Average
from netcfg.source import Finding, Note, Span
from netcfg.syntax import Section


def check_averages(
    averages: list[tuple[Section, Average]],
    trained: Mapping[str, Section],
    networks: Mapping[str, Graph],
    findings: list[Finding],
) -> None:
    """That each network follows one other of the same parameters, that no optimizer trains it, and no circle.

    `trained` gives the optimizer of each network that has one.
    """
    leaders: dict[str, str] = {}
    movers: dict[str, Section] = {}
    for section, average in averages:
        for name, of in average.section.pairs:
            finding = (
                (_circle(name, of, section, leaders) if name == of else None)
                or _moved_twice(name, of, section, trained, movers)
                or _circle(name, of, section, leaders)
                or _unlike(name, of, section, networks)
                or _started_twice(name, of, average, section, networks)
            )
            movers.setdefault(name, section)
            if finding is None:
                leaders[name] = of
            else:
                findings.append(finding)


def _moved_twice(
    name: str, of: str, section: Section, trained: Mapping[str, Section], movers: Mapping[str, Section]
) -> Finding | None:
    span = _item(section, "networks", name)
    if name in trained:
        message = f"`{name}` follows `{of}`, and an optimizer trains it: each would move what the other has just set"
        notes = (Note(_item(trained[name], "networks", name), "it is trained here"),)
        return Finding("NC409", message, span, notes, help="take it out of one of the two")
    if name in movers:
        message = f"`{name}` follows twice, and each average would move what the other has just set"
        notes = (Note(_item(movers[name], "networks", name), "it follows here already"),)
        return Finding("NC409", message, span, notes, help="name it once")
    return None


def _circle(name: str, of: str, section: Section, leaders: Mapping[str, str]) -> Finding | None:
    """Whether what is followed follows in its turn, at last the one that would follow it."""
    # Comes to an end: what would close a circle is refused and no leader, so that there is none among those before.
    chain = [name, of]
    while chain[-1] != name and chain[-1] in leaders:
        chain.append(leaders[chain[-1]])
    if chain[-1] != name:
        return None
    words = ", which follows ".join(f"`{one}`" for one in chain[1:])
    message = (
        f"`{name}` follows itself" if of == name else f"`{name}` follows {words}: a circle that nothing moves"
    )
    return Finding(
        "NC415", message, _item(section, "of", of), help="follow a network that an optimizer trains"
    )


def _unlike(name: str, of: str, section: Section, networks: Mapping[str, Graph]) -> Finding | None:
    """The first parameters of the two networks that do not pair, as their blocks tell."""
    own, other = networks[name], networks[of]
    for one, two in zip_longest(_holders(own), _holders(other)):
        if (
            one is None
            or two is None
            or (one.path, one.type, _shape(one)) != (two.path, two.type, _shape(two))
        ):
            message = f"`{name}` cannot follow `{of}`: {_has(own, one)}, {_has(other, two)}"
            notes = tuple(Note(node.span, "here") for node in (one, two) if node is not None)
            help = f"`same_as = {of}` in the [net] of {name}"
            return Finding("NC415", message, _item(section, "networks", name), notes, help=help)
    return None


def _holders(graph: Graph) -> Iterator[Node]:
    return (node for node in graph.nodes if node.parameters)


def _shape(node: Node) -> tuple[object, ...]:
    """What the shapes of a block's parameters hang on, as far as it is known without building it."""
    block = node.block
    # Of what it is given only the channels: height and width decide about no convolution's weights, and two networks
    # that pair may be fed pictures of two sizes.
    return node.parameters, type(block), [shape[:1] for shape in node.given]


def _has(graph: Graph, node: Node | None) -> str:
    if node is None:
        return f"`{graph.name}` has no more parameters"
    return f"`{graph.name}` has {node.parameters:,} parameters in `{node.path}` ([{node.type}])"


def _started_twice(
    name: str, of: str, average: Average, section: Section, networks: Mapping[str, Graph]
) -> Finding | None:
    """Other weights that a file asks for, and that those of the followed network would take the place of."""
    asked, followed = (
        [one._replace(span=networks[of].span) for one in networks[each].weights] for each in (name, of)
    )
    if not average.section.start_equal or not asked or asked == followed:
        return None
    request = networks[name].weights[0]
    message = f"`{name}` asks for weights, and starts with those of the network that it follows"
    notes = (Note(request.span, "it asks for them here"),)
    help = "leave `weights` out, or write `start_equal = False`"
    return Finding("NC415", message, _item(section, "networks", name), notes, help=help)


def _item(section: Section, key: str, name: str) -> Span:
    option = section.option(key)
    return option.item_span(name) if option else section.span
