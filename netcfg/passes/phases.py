"""Pass: each block of `{Optimizer}` becomes a phase or an average, and these are checked against the model.

Ensures: every loss that is minimised exists and reaches a parameter that its phase trains, every network of a phase
gets a gradient from it, and no network is trained by two.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from netcfg.blocks.changing import Weight
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.model import NetworkUse
from netcfg.blocks.optimizers.again import Again
from netcfg.blocks.optimizers.base import Optimizer, StepSection
from netcfg.blocks.optimizers.moving_average import MovingAverage
from netcfg.graph import Graph
from netcfg.passes.averages import check_averages
from netcfg.passes.judge import Judges
from netcfg.passes.loss_sums import NoSum, sum_of_losses
from netcfg.passes.once import check_once
from netcfg.passes.parameter_groups import check_groups
from netcfg.passes.reach import Reach
from netcfg.passes.reserved import Reserved, called
from netcfg.passes.steps import Steps
from netcfg.program import Average, Phase
from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.syntax import Section


def read_steps(
    reserved: Reserved, judges: Judges, networks: Mapping[str, object], schedules: Container[str] = ()
) -> Steps:
    """The phases and the averages, each in file order; `schedules` are the names of numbers that change."""
    phases: list[tuple[Section, Phase]] = []
    averages: list[tuple[Section, Average]] = []
    names: dict[str, None] = {}
    for section in reserved.sections("Optimizer"):
        step = reserved.checked(section, "optimizer", StepSection)
        if step is None or not reserved.is_new(step, section, names):
            continue
        names[called(step)] = None
        if isinstance(step, MovingAverage):
            named = [("networks", name) for name in step.networks] + [("of", name) for name in step.of]
            if all([_check_network(name, section, reserved, networks, key) for key, name in named]):
                averages.append((section, Average(called(step), step, len(phases), section.span)))
            continue
        if isinstance(step, Again):
            again = _read_again(step, section, phases, reserved, judges, schedules)
            phases += [(section, again)] if again is not None else []
            continue
        assert isinstance(step, Optimizer)
        optimizer = step
        # A list and no generator, which would stop at the first name that is wrong and report no other.
        known = all([_check_network(name, section, reserved, networks) for name in optimizer.networks])
        weights = _sum_of_losses(optimizer.minimise, section, reserved, judges, schedules)
        if known and weights is not None:
            inner = tuple(one for name in weights for one in judges.losses[name].losses)
            phases.append((section, Phase(called(optimizer), optimizer, weights, section.span, inner)))
    if len(phases) + len(averages) == len(
        reserved.sections("Optimizer")
    ):  # else one that could not be read may minimise it
        _warn_unused(judges, [phase for _, phase in phases], reserved.findings)
    return Steps(phases, averages)


def _read_again(
    again: Again,
    section: Section,
    phases: Sequence[tuple[Section, Phase]],
    reserved: Reserved,
    judges: Judges,
    schedules: Container[str],
) -> Phase | None:
    """One more step of a phase above; None where that is wrong (reported)."""
    known = {phase.name: phase for _, phase in phases if phase.again is None}
    weights = _sum_of_losses(again.minimise, section, reserved, judges, schedules)
    option = section.option("of")
    span = option.value_span if option else section.span
    of = known.get(again.of)
    if of is None:
        message = f"there is no optimizer `{again.of}` above"
        help = did_you_mean(again.of, known) or "an [again] stands below the phase that steps once more"
        reserved.findings.append(Finding("NC401", message, span, help=help))
        return None
    if of.optimizer.accumulate > 1:
        message = f"`{of.name}` accumulates the gradients of {of.optimizer.accumulate} batches, and cannot step between"
        help = "leave out `accumulate`, or add the losses to those of the phase"
        reserved.findings.append(
            Finding("NC105", message, span, (Note(of.span, "it says so here"),), help=help)
        )
        return None
    if weights is None:
        return None
    when = {
        key: getattr(again, key) for key in ("every", "every_of", "from_epoch", "until_epoch", "minimise")
    }
    optimizer = of.optimizer.model_copy(update={**when, "name": called(again)})
    inner = tuple(one for name in weights for one in judges.losses[name].losses)
    return Phase(called(again), optimizer, weights, section.span, inner, of.name)


def _warn_unused(judges: Judges, phases: list[Phase], findings: list[Finding]) -> None:
    for name, section in judges.sections.items() if phases else ():
        if not any(name in phase.losses for phase in phases):
            message = f"no optimizer minimises the loss `{name}`"
            help = "take it out, or name it in an optimizer's `minimise`"
            findings.append(Finding("NC412", message, section.span, help=help, severity="warning"))


def _check_network(
    name: str, section: Section, reserved: Reserved, networks: Mapping[str, object], key: str = "networks"
) -> bool:
    if name in networks:
        return True
    if name in reserved.parts.refused:  # said at its group
        return False
    if not networks and reserved.holds_network:  # its header is missing, which is said there
        return False
    option = section.option(key)
    span = option.item_span(name) if option else section.span
    help = did_you_mean(name, networks)
    reserved.findings.append(Finding("NC401", f"there is no network `{name}`", span, help=help))
    return False


# --- sums of losses


def _sum_of_losses(
    text: str, section: Section, reserved: Reserved, judges: Judges, schedules: Container[str]
) -> dict[str, Weight] | None:
    """`a + 10 * b` as factors by loss, or None and a finding."""
    option = section.option("minimise")
    span = option.value_span if option else section.span
    try:
        weights, constant = sum_of_losses(text, schedules)
    except NoSum as error:
        help = "losses by name, joined by + and -, each with a number before it where wanted: `a + 10 * b`"
        why = f": it {error}" if str(error) else ""
        reserved.findings.append(
            Finding("NC009", f"`{_short(text)}` is not a sum of losses{why}", span, help=help)
        )
        return None
    unknown = [name for name in weights if name not in judges.losses]
    declared = {
        option.value if (option := section.option("name")) else section.name
        for section in reserved.sections("Loss")
    }
    for name in unknown:
        if name not in declared:
            help = did_you_mean(name, judges.losses) or "declare it: `{Loss}`"
            reserved.findings.append(
                Finding("NC401", f"there is no loss `{name}`", _term_span(name, section), help=help)
            )
    if constant or not weights:
        help = "a number alone changes nothing: put it before a loss, `10 * a`"
        reserved.findings.append(
            Finding("NC009", f"`{_short(text)}` adds a number to the losses", span, help=help)
        )
    if weights and not any(weights.values()):
        help = "a factor other than 0, or no optimizer"
        reserved.findings.append(Finding("NC009", f"`{_short(text)}` is always 0", span, help=help))
        return None
    if unknown or constant or not weights:
        return None
    return {
        name: weight for name, weight in weights.items() if weight
    }  # nothing is computed for a factor of 0


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}…"


def _term_span(name: str, section: Section) -> Span:
    """Where a loss stands in `minimise`."""
    option = section.option("minimise")
    if option is None:
        return section.span
    span = option.value_span
    text = span.file.line(span.line)[span.column - 1 : span.column - 1 + span.length]
    match = re.search(rf"\b{re.escape(name)}\b", text)
    return Span(span.file, span.line, span.column + match.start(), len(name)) if match else span


# --- phases against the model


def check_steps(
    steps: Steps,
    judges: Judges,
    model: Graph,
    reach: Reach,
    networks: Mapping[str, Graph],
    findings: list[Finding],
) -> None:
    """That gradients go where the file sends them, and nowhere else."""
    first: dict[str, Section] = {}
    learners: dict[str, Section] = {}
    phases = steps.phases
    for section, phase in phases:
        if phase.again is None:
            _check_once(section, phase, findings)
        for name in phase.optimizer.networks if phase.again is None else ():
            _check_alone(name, section, first.setdefault(name, section), findings)
        learned = [name for name in phase.losses if judges.losses[name].learns]
        for name in learned:
            _check_learned(name, section, learners.setdefault(name, section), judges, networks, findings)
        check_groups(section, phase.optimizer, networks, learned, findings)
        once = [name for name in phase.losses if learners.get(name, section) is section]
        unreached = _check_losses(section, phase, once, judges, reach, networks, findings)
        _check_trained(section, phase, judges.losses, reach, networks, unreached, findings)
    check_averages(steps.averages, first, networks, findings)
    check_once(steps, judges, model, reach, findings)
    if phases:
        following = {name for _, average in steps.averages for name in average.section.networks}
        _warn_untrained(model, set(first) | following, networks, findings)


def _check_once(section: Section, phase: Phase, findings: list[Finding]) -> None:
    option = section.option("networks")
    for name in dict.fromkeys(phase.optimizer.networks):
        if phase.optimizer.networks.count(name) > 1:
            span = option.item_span(name) if option else section.span
            message = f"`{phase.name}` names `{name}` twice"
            findings.append(Finding("NC409", message, span, help="once is enough"))


def _check_alone(name: str, section: Section, other: Section, findings: list[Finding]) -> None:
    if other is section:
        return
    option, known = section.option("networks"), other.option("networks")
    assert option is not None
    assert known is not None
    message = f"`{name}` is trained by two optimizers, and each would move what the other has just set"
    notes = (Note(known.item_span(name), "it is trained here already"),)
    help = "train a network in one of them; the other may still send its loss through it"
    findings.append(Finding("NC409", message, option.item_span(name), notes, help=help))


def _check_learned(
    name: str,
    section: Section,
    other: Section,
    judges: Judges,
    networks: Mapping[str, Graph],
    findings: list[Finding],
) -> None:
    """A loss with parameters belongs to one phase, and is called as no network is: checkpoints hold both."""
    if name in networks:
        message = f"the loss `{name}` has parameters, and a network is called so, too"
        notes = (Note(networks[name].span, "the network is declared here"),)
        help = "give the loss another `name`"
        findings.append(Finding("NC107", message, judges.sections[name].span, notes, help=help))
    if other is not section:
        message = (
            f"the parameters of `{name}` are trained by two optimizers, and each would move what the other has "
            "just set"
        )
        notes = (Note(_term_span(name, other), "they are trained here already"),)
        help = "minimise it in one of them, or declare a loss for each"
        findings.append(Finding("NC409", message, _term_span(name, section), notes, help=help))


def _check_losses(
    section: Section,
    phase: Phase,
    losses: Sequence[str],
    judges: Judges,
    reach: Reach,
    networks: Mapping[str, Graph],
    findings: list[Finding],
) -> bool:
    """Each of a sum's losses must change something that the phase trains; whether one does not.

    Where the phase names a network that cannot learn, that is the mistake, and found elsewhere.
    """
    trained = set(phase.optimizer.networks)
    if not all(networks[name].trainable for name in trained):
        return False
    before = len(findings)
    for name in losses:
        reached = reach.trains(judges.losses[name])
        if reached & trained or judges.losses[name].losses:
            continue
        where = _listed(sorted(reached)) if reached else "no parameter at all"
        message = f"the loss `{name}` reaches {where}, and `{phase.name}` trains {_listed(sorted(trained))}"
        notes = (Note(judges.sections[name].span, "the loss is declared here"),)
        findings.append(
            Finding("NC407", message, _term_span(name, section), notes, help="take it out of the sum")
        )
    return len(findings) > before


def _check_trained(
    section: Section,
    phase: Phase,
    losses: Mapping[str, Loss],
    reach: Reach,
    networks: Mapping[str, Graph],
    unreached: bool,
    findings: list[Finding],
) -> None:
    """Each network of a phase must have something to learn, and get a gradient from some loss.

    `unreached`: one of its losses goes astray, which is the mistake where a network gets none.
    """
    reached = frozenset[str]().union(*(reach.trains(losses[name]) for name in phase.losses))
    option = section.option("networks")
    for name in phase.optimizer.networks:
        span = option.item_span(name) if option else section.span
        if not networks[name].trainable:
            what = "is frozen" if networks[name].parameters else "has no parameters"
            message = f"`{phase.name}` trains `{name}`, which {what}"
            notes = (Note(networks[name].span, "the network is declared here"),)
            findings.append(Finding("NC408", message, span, notes, help="take it out of `networks`"))
        elif name not in reached and not unreached:
            message = f"`{phase.name}` trains `{name}`, and none of its losses reaches it"
            help = "take it out of `networks`, or minimise a loss that depends on it"
            findings.append(Finding("NC408", message, span, help=help))


def _warn_untrained(
    model: Graph, trained: set[str], networks: Mapping[str, Graph], findings: list[Finding]
) -> None:
    """A network that is used, could learn, and never does."""
    used = {node.block.network.name for node in model.blocks if isinstance(node.block, NetworkUse)}
    for name in sorted(used - trained):
        graph = networks[name]
        if graph.trainable:
            message = f"no optimizer trains `{name}`, which stays as it starts"
            where = "there" if graph.is_block else f"in the [net] of {name}"
            help = f"name it in an optimizer's `networks`, or write `freeze = True` {where}"
            findings.append(Finding("NC410", message, graph.span, help=help, severity="warning"))


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return " and ".join([*([", ".join(quoted[:-1])] if quoted[1:] else []), quoted[-1]])
