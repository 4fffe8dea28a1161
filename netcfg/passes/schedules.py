"""Pass: the numbers that change. `[schedule]` sections become schedules, and what names them is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from netcfg.blocks.base import Section as Checked
from netcfg.blocks.changing import Changing, scheduled_in
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.schedule import NumberSchedule
from netcfg.blocks.registry import find
from netcfg.graph import Graph
from netcfg.passes.reserved import Reserved
from netcfg.passes.schema import bound
from netcfg.program import Phase
from netcfg.source import Finding, Note, Span, did_you_mean
from netcfg.syntax import Section

_PARTS = 50
"""So many places between start and end are looked at."""


class Schedules:
    """The schedules of a program by name, where they are written, and which are named somewhere."""

    def __init__(self, reserved: Reserved) -> None:
        """Takes their sections out of `{Optimizer}`, whose others are steps."""
        self.by_name: dict[str, NumberSchedule] = {}
        self.sections: dict[str, Section] = {}
        self.named: set[str] = set()
        self.declared: set[str] = set()
        """Also those that cannot be read."""
        rest = []
        for section in reserved.sections("Optimizer"):
            kind = find("optimizer", section.name)
            if kind is None or not issubclass(kind, NumberSchedule):
                rest.append(section)
                continue
            if (option := section.option("name")) is not None:
                self.declared.add(option.value)
            schedule = reserved.checked(section, "optimizer", NumberSchedule)
            if schedule is not None and reserved.is_new(schedule, section, self.by_name):
                self.by_name[schedule.name] = schedule
                self.sections[schedule.name] = section
        if len(rest) < len(reserved.sections("Optimizer")):
            reserved.replace("Optimizer", rest)

    def check_names(self, losses: Mapping[str, Section], findings: list[Finding]) -> None:
        """That no loss is called like a schedule: `minimise` names both."""
        for name in self.by_name.keys() & losses.keys():
            option = self.sections[name].option("name")
            span = option.value_span if option else self.sections[name].span
            notes = (Note(losses[name].span, "the loss is declared here"),)
            message = f"`{name}` is a loss, too, and `minimise` could mean either"
            findings.append(Finding("NC107", message, span, notes, help="give one of them another name"))

    def check_uses(
        self,
        sections: Iterable[tuple[Checked, Section]],
        graphs: Iterable[Graph],
        phases: Iterable[Phase],
        epochs: int,
        findings: list[Finding],
    ) -> None:
        """That every option names a schedule that there is and keeps within its limits; that each is of use."""
        for checked, section in sections:
            for key, name in scheduled_in(checked):
                option = section.option(key)
                self._check(checked, key, name, option.value_span if option else section.span, findings)
        self.check_graphs(graphs, findings)
        for phase in phases:
            for weight in phase.weights.values():
                self.named |= set(weight.names) if isinstance(weight, Changing) else set()
        misspelt = self.named - self.by_name.keys()
        for name, section in self.sections.items():
            if name not in self.named:
                if misspelt:  # told already, and mostly what was meant is this one
                    continue
                message = f"nothing names the schedule `{name}`"
                help = (
                    f"write it where a number may change, such as `minimise = a + {name} * b`, or take it out"
                )
                findings.append(Finding("NC416", message, section.span, help=help, severity="warning"))
            else:
                findings += _late(self.by_name[name].never(epochs), section, epochs)

    def check_graphs(self, graphs: Iterable[Graph], findings: list[Finding]) -> None:
        """The same of the options of networks and their blocks, whatever else there is."""
        seen: set[tuple[Span, str]] = set()
        for graph in graphs:
            written = [
                (graph.options, graph.options.written_at or graph.span),
                *((node.block, node.span) for node in graph.blocks),
            ]
            for block, span in written:
                for key, name in scheduled_in(block):
                    if (span, key) not in seen:  # a block of a template is in many places
                        seen.add((span, key))
                        self._check(block, key, name, span, findings)

    def _check(self, checked: Checked, key: str, name: str, span: Span, findings: list[Finding]) -> None:
        self.named.add(name)
        schedule = self.by_name.get(name)
        if schedule is None:
            if name not in self.declared:
                help = (
                    did_you_mean(name, self.by_name)
                    or f"declare it in {{Optimizer}}: [schedule], `name = {name}`"
                )
                message = f"`{key}` must be a number or the name of a [schedule], found `{name}`"
                findings.append(Finding("NC105", message, span, help=help))
            return
        for wrong, reason in _outside(checked, key, schedule):
            message = f"`{key}` must be {reason}, and `{name}` comes to {wrong:g}"
            notes = (Note(self.sections[name].span, "the schedule is declared here"),)
            findings.append(Finding("NC105", message, span, notes))
            return


def _outside(checked: Checked, key: str, schedule: NumberSchedule) -> Iterator[tuple[float, str]]:
    """Values of a schedule that an option does not take, and what it takes."""
    values = [schedule.after(part / _PARTS) for part in range(_PARTS + 1)]
    written: dict[str, Any] = {
        field.alias or name: getattr(checked, name)
        for name, field in type(checked).model_fields.items()
        if name in checked.model_fields_set
    }
    # A bound itself is no fault: a rate that starts at 0 is what a warm-up does.
    for value, nudge in ((min(values), 1e-9), (max(values), -1e-9)):
        try:
            type(checked).model_validate(written | {key: value + nudge})
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            yield value, bound(detail)


def check_rates(phases: Iterable[tuple[Section, Phase]], epochs: int, findings: list[Finding]) -> None:
    """That what is to change rates comes about before the last epoch is over."""
    for section, phase in phases:
        optimizer: Optimizer = phase.optimizer
        never = dict(optimizer.schedule.never(epochs))
        if optimizer.warm_up_epochs is not None and optimizer.warm_up_epochs > epochs:
            never["warm_up_epochs"] = f"the warm-up takes {optimizer.warm_up_epochs} epochs"
        findings += _late(never, section, epochs)


def _late(never: Mapping[str, str], section: Section, epochs: int) -> Iterator[Finding]:
    for key, sentence in never.items():
        option = section.option(key)
        span = option.value_span if option else section.span
        message = f"{sentence}, and training has {epochs} epoch{'s' * (epochs != 1)}"
        help = "more `max_epochs` in [training], or an earlier change"
        yield Finding("NC416", message, span, help=help, severity="warning")


def say_what_may_not_change(findings: list[Finding], declared: set[str]) -> None:
    """Tell that a number may not change, where a schedule stands in its place and could not be read as one."""
    for place, finding in enumerate(findings):
        span = finding.span
        if finding.code != "NC105" or span is None:
            continue
        text, key = span.text, span.file.line(span.line).partition("=")[0].strip()
        if "$" in text and (value := finding.message.rpartition("found ")[2].strip("`")) in declared:
            text = value  # of a variable
        # Where one may stand, the message has said so, or by how much it goes beyond.
        may = "[schedule]" in finding.message or f"`{text}` comes to" in finding.message
        if text in declared and not may and finding.message.startswith(f"`{key}` must be "):
            message = f"`{key}` may not change while the program trains, and `{text}` is a [schedule]"
            help = "a number; options that may change say `number or schedule` on their page"
            findings[place] = Finding("NC105", message, span, finding.notes, help=help)
