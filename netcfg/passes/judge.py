"""Pass: losses and metrics find the signals they name, and check the shapes.

Requires: the model, or at least its networks. Ensures: every name exists, and what is compared can be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.metrics.judgement import CLIP
from netcfg.passes.ragged import places_as_samples
from netcfg.passes.reserved import Reserved, called
from netcfg.program import Sizes
from netcfg.shapes import Shape, show
from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.syntax import Section

Judge = TypeVar("Judge", Loss | None, Metric | None)
_COMPARED = frozenset({"target", "mask", "group", "interval_over", "apart"})
"""Options that mostly name a data field."""


class Known(NamedTuple):
    """Something a loss or metric may name: a signal of the model, or a data field."""

    shape: Shape
    span: Span
    what: str
    spec: FieldSpec | None = None
    axes: str = ""


@dataclass(eq=False)
class Judges:
    """The losses and metrics of a program, and where each was written."""

    losses: dict[str, Loss] = field(default_factory=dict)
    metrics: dict[str, Metric] = field(default_factory=dict)
    sizes: dict[str, Sizes] = field(default_factory=dict)
    """What losses are given, by name."""
    sections: dict[str, Section] = field(default_factory=dict)
    """Of the losses, by name."""
    metric_sections: dict[str, Section] = field(default_factory=dict)
    read: dict[str, None] = field(default_factory=dict)
    """The signals that any of them reads."""


def read_judges(
    reserved: Reserved, known: Mapping[str, Known], networks: Mapping[str, object], complete: bool
) -> Judges:
    """All losses and metrics; `complete`: everything they may name is known, so that names can be checked."""
    judges = Judges()
    before = len(reserved.findings)
    for section in reserved.sections("Loss"):
        loss = _ignoring(reserved.checked(section, "loss", Loss), known)
        if loss is not None and reserved.is_new(loss, section, judges.losses):
            judges.losses[called(loss)] = loss
            judges.sections[called(loss)] = section
            if complete:
                _check_networks(loss, section, networks, reserved.findings)
                _check_signals(loss, loss.reads, section, known, judges, reserved.findings)
    # When all are read: a loss may name one that stands below it.
    _check_inner(judges, reserved)
    for section in reserved.sections("Metric"):
        metric = _ignoring(reserved.checked(section, "metric", Metric), known)
        if metric is not None and reserved.is_new(metric, section, judges.metrics):
            judges.metrics[called(metric)] = metric
            judges.metric_sections[called(metric)] = section
            if complete:
                _check_signals(metric, metric.reads, section, known, judges, reserved.findings)
    _check_tables(judges.metrics, reserved)
    # Ten metrics of one signal that is not there are one mistake, which is told at the first of them.
    reserved.findings[before:] = _each_once(reserved.findings[before:])
    return judges


def _ignoring(judge: Judge, known: Mapping[str, Known]) -> Judge:
    """What is compared with a field leaves out what is no class there, where it does not say otherwise."""
    if judge is None or "ignore" not in judge.readers() or "ignore" in judge.options():
        return judge
    target = known.get(judge.reads.get("target", ""))
    if target is None or target.spec is None or target.spec.ignore is None:
        return judge
    return judge.model_copy(update={"ignore": target.spec.ignore})


def _check_inner(judges: Judges, reserved: Reserved) -> None:
    """That the losses which a loss reads are there, and read none themselves."""
    declared = {
        option.value if (option := section.option("name")) else section.name
        for section in reserved.sections("Loss")
    }
    for name, loss in judges.losses.items():
        section = judges.sections[name]
        option = section.option("of")
        for inner in loss.losses:
            span = option.item_span(inner) if option else section.span
            if inner not in declared:
                help = did_you_mean(inner, judges.losses)
                reserved.findings.append(Finding("NC401", f"there is no loss `{inner}`", span, help=help))
            elif loss.losses.count(inner) > 1:
                message = f"`{name}` names `{inner}` twice"
                reserved.findings.append(Finding("NC106", message, span, help="once is enough"))
                break
            elif inner in judges.losses and judges.losses[inner].losses:
                message = f"`{name}` reads `{inner}`, which reads losses itself"
                help = "name the losses that compare signals"
                reserved.findings.append(Finding("NC401", message, span, help=help))


def _each_once(findings: Sequence[Finding]) -> list[Finding]:
    """One mistake told once, however many losses and metrics meet it: a signal that is not there, two unlike."""
    first: dict[object, Finding] = {}
    for index, finding in enumerate(findings):
        known = first.setdefault(_cause(finding) or index, finding)
        if known is not finding and finding.span is not None:
            first[_cause(finding)] = replace(known, notes=(*known.notes, Note(finding.span, "and here")))
    return list(first.values())


def _cause(finding: Finding) -> object:
    """What several findings would have in common that tell of one mistake; None: it is told for itself."""
    if finding.code in ("NC401", "NC501"):
        return finding.code, finding.message
    if finding.code != "NC402" or finding.severity != "error":
        return None
    _, _, sentence = finding.message.partition("] ")
    signals = frozenset((note.message, note.span) for note in finding.notes[:2])
    # Two of the same signals that one remedy puts right, a loss and a metric of a map, are one mistake, too.
    return finding.code, finding.help or sentence, signals


def _check_tables(metrics: Mapping[str, Metric], reserved: Reserved) -> None:
    """No metric may be called as another one's variant."""
    for name, metric in metrics.items():
        for variant in metric.table_names[1:]:
            if variant in metrics:
                section = next(s for s in reserved.sections("Metric") if _calls(s, variant))
                message = f"`{variant}` is what `{name}` calls one of its variants"
                reserved.findings.append(
                    Finding("NC107", message, section.span, help="give it another `name`")
                )


def _calls(section: Section, name: str) -> bool:
    option = section.option("name")
    return name == (option.value if option else section.name)


def _check_networks(
    loss: Loss, section: Section, networks: Mapping[str, object], findings: list[Finding]
) -> None:
    for key, name in zip(loss.network_options, loss.evaluates, strict=True):
        if name not in networks:
            option = section.option(key)
            span = option.value_span if option else section.span
            help = did_you_mean(name, networks)
            findings.append(Finding("NC401", f"there is no network `{name}`", span, help=help))


def _check_signals(
    judge: Loss | Metric,
    reads: Mapping[str, str],
    section: Section,
    known: Mapping[str, Known],
    judges: Judges,
    findings: list[Finding],
) -> None:
    """Look up what a loss or metric reads, and let it check the shapes."""
    found = {key: _find(name, key, section, known, findings) for key, name in reads.items()}
    judges.read |= dict.fromkeys(reads.values())
    signals = [signal for signal in found.values() if signal is not None]
    if len(signals) < len(found):
        return
    try:
        shapes = places_as_samples([(signal.shape, signal.axes) for signal in signals])
        if isinstance(judge, Loss):
            target = found.get("target")
            classes = target.spec.names if target and target.spec else ()
            judge.check(*shapes, classes=len(classes) or None)
            judges.sizes[called(judge)] = Sizes(dict(zip(reads, shapes, strict=True)), len(classes) or None)
            for key, (code, sentence, help) in judge.doubts_about(classes).items():
                findings.append(Finding(code, sentence, _place(section, key), help=help, severity="warning"))
        else:
            target = found.get("target")
            names = target.spec.names if target and target.spec else ()
            judge.check_signals(dict(zip(found, shapes, strict=True)), names)
    except ShapeError as error:
        notes = tuple(
            Note(signal.span, f"{signal.what} is {show(signal.shape) or 'one number'}") for signal in signals
        )
        place = section.span if error.option is None else _place(section, error.option)
        findings.append(Finding("NC402", f"[{section.name}] {error}", place, notes, help=error.help))


def _place(section: Section, key: str) -> Span:
    option = section.option(key)
    return option.value_span if option else section.span


def _find(
    name: str, key: str, section: Section, known: Mapping[str, Known], findings: list[Finding]
) -> Known | None:
    signal = known.get(name)
    if signal is None:
        option = section.option(key)
        span = option.value_span if option else section.span
        code, what = ("NC501", "field or signal") if key in _COMPARED else ("NC401", "signal")
        help = did_you_mean(name, known)
        finding = Finding(code, f"there is no {what} `{name}`", span, help=help)
        findings.append(_no_clips(section) if key == CLIP else finding)
    return signal


def _no_clips(section: Section) -> Finding:
    """A median over time needs to know where clips begin and end."""
    option = section.option("median_window")
    return Finding(
        "NC501",
        f"[{section.name}] takes a median within clips, and the data have no field `{CLIP}` that tells them apart",
        option.value_span if option else section.span,
        help="`median_window = 1`, or `across_clips = True` to take the whole split as one clip",
    )
