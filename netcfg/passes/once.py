"""Pass: what is made `once` in a batch keeps history for one phase, which must come before its networks step."""

from __future__ import annotations

from netcfg.graph import Graph
from netcfg.passes.judge import Judges
from netcfg.passes.reach import Reach
from netcfg.passes.steps import Steps
from netcfg.source import Finding, Note


def check_once(steps: Steps, judges: Judges, model: Graph, reach: Reach, findings: list[Finding]) -> None:
    """Refuse (NC420) phases that would train through a value that is another phase's, or out of date by then."""
    made_once = [index for index, node in enumerate(model.nodes) if node.once]
    if not made_once:
        return
    # Few programs need the planner to be checked, and loading it is a sixtieth of what a check takes.
    from netcfg.passes.plan import needed_by, trained_through

    paths = [trained_through(judges.losses, model, reach, phase) for _, phase in steps.phases]
    needs = [
        needed_by((judges.losses[name] for name in phase.losses), model, reach) for _, phase in steps.phases
    ]
    for index in made_once:
        node = model.nodes[index]
        through = [number for number, path in enumerate(paths) if index in path]
        if not through:
            continue
        owner, *others = through
        first = next(number for number, needed in enumerate(needs) if index in needed)
        changed = frozenset[str]().union(
            *(networks for place, networks in steps.changing() if first <= place < owner)
        )
        if others:
            late = steps.phases[others[0]]
            why = f"`{steps.phases[owner][1].name}` has trained through it already"
        elif changed & reach.depends[index]:
            late = steps.phases[owner]
            listed = " and ".join(sorted(changed & reach.depends[index]))
            why = f"{listed} will have stepped since it was made for `{steps.phases[first][1].name}`"
        else:
            continue
        message = f"`{late[1].name}` cannot train through `{node.path}`, which is made once: {why}"
        notes = (Note(node.span, "it is made here"),)
        help = "leave `once` out, or read it through a [detach]"
        findings.append(Finding("NC420", message, late[0].span, notes, help=help))
