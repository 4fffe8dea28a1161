"""Pass: data, losses, optimizers and metrics meet the networks.

Requires: the networks' graphs (those without errors). Ensures: every input is fed by a data field of a fitting
shape, every name of a loss, metric or optimizer exists, and what is compared has comparable shapes.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from netcfg.blocks.audetnet import POSITIONAL
from netcfg.blocks.base import SECTIONS, Group, ShapeError
from netcfg.blocks.base import Section as Checked
from netcfg.blocks.data import misplaced
from netcfg.blocks.general import Training
from netcfg.blocks.kinds import FieldSpec, Loss, Metric, Optimizer, Source, Transform
from netcfg.graph import Graph
from netcfg.passes.collect import AUDETNET_NETWORKS, Parts
from netcfg.passes.read import Reading
from netcfg.passes.resolve import resolved_text
from netcfg.passes.schema import check_section
from netcfg.passes.variables import VariableScope
from netcfg.program import Data, Phase, Program
from netcfg.shapes import Shape, differ, show
from netcfg.source import Finding, Note, Span, did_you_mean, has_errors
from netcfg.syntax import Section

Kind = TypeVar("Kind", bound=Checked)


def bind(
    parts: Parts, reading: Reading, graphs: Sequence[Graph], preset: str | None, findings: list[Finding]
) -> Program | None:
    """The program, or None where its parts do not fit together."""
    return _Binder(parts, {graph.name: graph for graph in graphs}, findings).run(reading, preset)


@dataclass(slots=True, eq=False, repr=False)
class _Signal:
    """Something a loss or metric may name: a network's output or a data field."""

    shape: Shape
    span: Span
    what: str
    spec: FieldSpec | None = None


@dataclass(eq=False, repr=False)
class _Binder:
    parts: Parts
    graphs: dict[str, Graph]
    findings: list[Finding]
    signals: dict[str, _Signal] = field(default_factory=dict)
    used: dict[str, None] = field(default_factory=dict)

    def run(self, reading: Reading, preset: str | None) -> Program | None:
        self._refuse_model()
        training = self._general()
        data = self._data()
        complete = set(self.graphs) == set(self.parts.networks)
        if data is not None and complete:
            self._feed_inputs(data)
        self._collect_signals(data)
        losses = self._losses(complete and data is not None)
        metrics = self._metrics(complete and data is not None)
        phases = self._phases(losses)
        self._check_monitor(training, metrics)
        if data is not None and complete and not has_errors(self.findings):
            data = Data(data.source, data.transforms, data.fields, tuple(self.used), data.span)
            self._check_fields_used(data)
        if has_errors(self.findings):
            return None
        return Program(
            name=self.parts.name,
            networks=self.graphs,
            training=training or Training(),
            data=data,
            losses=losses,
            phases=phases,
            metrics=metrics,
            variables=dict(self.parts.variables.values),
            presets=tuple(self.parts.presets),
            preset=preset,
            resolve=partial(resolved_text, reading, self.parts),
            findings=tuple(self.findings),
        )

    # --- sections

    def _sections(self, group: str) -> list[Section]:
        scope = VariableScope(self.parts.variables)
        return [scope.replace(section) for section in self.parts.reserved.get(group, [])]

    def _checked(self, section: Section, group: Group, kind: type[Kind]) -> Kind | None:
        """The section by its schema; an unknown type is reported with the nearest right one."""
        if section.malformed:
            return None
        found = SECTIONS[group].get(section.name)
        if found is None or not issubclass(found, kind):
            self._report_unknown(section, group, kind)
            return None
        return check_section(section, found, self.findings)

    def _report_unknown(self, section: Section, group: Group, kind: type[Checked]) -> None:
        known = [name for name, found in SECTIONS[group].items() if issubclass(found, kind)]
        help = did_you_mean(section.name, known)
        if group == "data" and section.name in SECTIONS["data"]:
            help = "the first block of {Data} is the source, the others change its samples"
        for other, sections in SECTIONS.items():
            if other != group and section.name in sections:
                place = "a network" if other == "network" else f"{{{other.capitalize()}}}"
                help = f"it belongs into {place}"
        message = f"{{{group.capitalize()}}} has no block `{section.name}` here"
        self.findings.append(Finding("NC102", message, section.span, help=help))

    def _refuse_model(self) -> None:
        span = self.parts.spans.get("Model")
        if span is not None:
            help = "one network per file trains today; `{Model}` comes with the step planner"
            self.findings.append(Finding("NC404", "netcfg cannot wire several networks yet", span, help=help))

    def _general(self) -> Training | None:
        sections = self._sections("General")
        if AUDETNET_NETWORKS <= set(self.parts.networks) and not any(s.name == "training" for s in sections):
            return self._audetnet(sections)
        training = None
        for section in sections:
            checked = self._checked(section, "general", Training)
            if training is not None and checked is not None:
                self.findings.append(Finding("NC107", "[training] is written twice", section.span))
            training = training or checked
        return training

    def _audetnet(self, sections: list[Section]) -> Training | None:
        """AUDetNet's three blocks, by position."""
        if len(sections) != len(POSITIONAL):
            span = self.parts.spans.get("General")
            message = f"an AUDetNet file has three blocks in {{General}}, and this has {len(sections)}"
            self.findings.append(
                Finding("NC104", message, span, help="training, data and loss options, in this order")
            )
            return None
        checked = [
            check_section(section, kind, self.findings)
            for section, kind in zip(sections, POSITIONAL, strict=True)
        ]
        options = checked[0]
        if options is None:
            return None
        values = options.model_dump()
        return Training(batch_size=values["batch_size"], max_epochs=values["max_epochs"])

    # --- data

    def _data(self) -> Data | None:
        sections = self._sections("Data")
        span = self.parts.spans.get("Data")
        if span is None:
            return None
        if not sections:
            help = "write `[synthetic_faces]`"
            self.findings.append(Finding("NC403", "{Data} has no source", span, help=help))
            return None
        source = self._checked(sections[0], "data", Source)
        transforms = []
        for section in sections[1:]:
            transform = self._checked(section, "data", Transform)
            if transform is not None:
                transforms.append((section, transform))
        if source is None or len(transforms) < len(sections) - 1:
            return None
        late = misplaced(transform for _, transform in transforms)
        for section, transform in transforms:
            if transform is late:
                message = f"[{section.name}] changes single samples, and stands after one that changes whole batches"
                self.findings.append(Finding("NC112", message, section.span, help="put it higher up"))
        fields = self._pipeline(source, transforms)
        if fields is None:
            return None
        return Data(source, tuple(transform for _, transform in transforms), fields, (), span)

    def _pipeline(
        self, source: Source, transforms: list[tuple[Section, Transform]]
    ) -> dict[str, FieldSpec] | None:
        fields = source.fields()
        for section, transform in transforms:
            for name in transform.only or ():
                if name not in fields:
                    self._unknown_field(name, section, "only", fields)
                    return None
            try:
                fields = transform.fields(fields)
            except ShapeError as error:
                option = section.option(error.option) if error.option else None
                span = option.value_span if option else section.span
                self.findings.append(Finding("NC502", f"[{section.name}] {error}", span, help=error.help))
                return None
        return fields

    def _unknown_field(self, name: str, section: Section, key: str, fields: Mapping[str, FieldSpec]) -> None:
        option = section.option(key)
        span = option.item_span(name) if option else section.span
        self.findings.append(
            Finding("NC501", f"the data have no field `{name}`", span, help=did_you_mean(name, fields))
        )

    def _feed_inputs(self, data: Data) -> None:
        """Bind each network input to the data field of its name."""
        if len(self.graphs) > 1:
            return
        for graph in self.graphs.values():
            for node in graph.nodes:
                if not node.is_input:
                    continue
                name = self._fed_by(node.path, data.fields, graph)
                spec = data.fields.get(name)
                if spec is None:
                    message = f"no data field feeds the input `{node.path}` of `{graph.name}`"
                    notes = (
                        Note(data.span, f"the data have {', '.join(f'`{known}`' for known in data.fields)}"),
                    )
                    help = did_you_mean(node.path, data.fields)
                    self.findings.append(Finding("NC206", message, node.span, notes, help=help))
                    continue
                self.used[name] = None
                self._check_fed(node.path, node.output.shape, spec, node.span, data.span, graph)

    @staticmethod
    def _fed_by(name: str, fields: Mapping[str, FieldSpec], graph: Graph) -> str:
        """The field of an input: of the same name; the unnamed input of `channels = …` takes `image`."""
        if (
            name == "input"
            and name not in fields
            and len(graph.inputs) == 1
            and graph.options.channels is not None
        ):
            return "image"
        return name

    def _check_fed(
        self, name: str, shape: Shape, spec: FieldSpec, span: Span, data: Span, graph: Graph
    ) -> None:
        if len(shape) == len(spec.shape) and not any(map(differ, shape, spec.shape)):
            return
        message = f"the input `{name}` of `{graph.name}` takes {show(shape)}, and its data field gives {spec}"
        help = "a [resize] in {Data}, or other sizes in the [input]"
        self.findings.append(
            Finding("NC301", message, span, (Note(data, "the data are declared here"),), help=help)
        )

    def _check_fields_used(self, data: Data) -> None:
        """A field that is asked for by name must be of use to somebody."""
        sections = self._sections("Data")
        for section, asked in zip(sections, (data.source, *data.transforms), strict=True):
            for key, names in (
                ("fields", getattr(asked, "wanted", None)),
                ("only", getattr(asked, "only", None)),
            ):
                option = section.option(key)
                for name in names or ():
                    if name not in self.used and option is not None:
                        message = f"no network, loss or metric takes the data field `{name}`"
                        help = did_you_mean(name, self.used) or "leave it out"
                        self.findings.append(Finding("NC207", message, option.item_span(name), help=help))

    # --- losses, metrics, phases

    def _collect_signals(self, data: Data | None) -> None:
        for graph in self.graphs.values():
            for output, signal in graph.outputs.items():
                name = f"{graph.name}.{output}" if output else graph.name
                self.signals[name] = _Signal(signal.shape, graph.nodes[signal.producer].span, f"`{name}`")
            if len(graph.outputs) == 1:
                self.signals.setdefault(graph.name, self.signals[next(reversed(self.signals))])
        for name, spec in (data.fields if data else {}).items():
            self.signals.setdefault(name, _Signal(spec.shape, data.span, f"the data field `{name}`", spec))  # type: ignore[union-attr]

    def _losses(self, check: bool) -> dict[str, Loss]:
        losses: dict[str, Loss] = {}
        for section in self._sections("Loss"):
            loss = self._checked(section, "loss", Loss)
            if loss is not None and self._new_name(loss, section, losses):
                losses[loss.name or loss.type_name] = loss
                if check:
                    self._compare(loss, section)
        return losses

    def _metrics(self, check: bool) -> dict[str, Metric]:
        metrics: dict[str, Metric] = {}
        for section in self._sections("Metric"):
            metric = self._checked(section, "metric", Metric)
            if metric is not None and self._new_name(metric, section, metrics):
                metrics[metric.name or metric.type_name] = metric
                if check:
                    self._compare(metric, section)
        return metrics

    def _new_name(self, checked: Checked, section: Section, taken: Mapping[str, object]) -> bool:
        name = checked.name or checked.type_name
        if name in taken:
            option = section.option("name")
            span = option.value_span if option else section.span
            self.findings.append(
                Finding("NC107", f"there are two called `{name}`", span, help="write `name = …`")
            )
        return name not in taken

    def _compare(self, judge: Loss | Metric, section: Section) -> None:
        """Look up what a loss or metric compares, and let it check the shapes."""
        input = self._signal(judge.input, "input", section)
        target = self._signal(judge.target, "target", section) if judge.target is not None else None
        if input is None or (target is None and judge.target is not None):
            return
        if target is not None and target.spec is not None:
            self.used[str(judge.target)] = None
        try:
            if isinstance(judge, Loss):
                names = target.spec.names if target and target.spec else ()
                judge.check(input.shape, target.shape if target else None, len(names) or None)
            elif target is not None:
                judge.check(input.shape, target.shape)
        except ShapeError as error:
            places = [place for place in (input, target) if place]
            notes = tuple(Note(place.span, f"{place.what} is {show(place.shape)}") for place in places)
            message = f"[{section.name}] {error}"
            self.findings.append(Finding("NC402", message, section.span, notes, help=error.help))

    def _signal(self, name: str | None, key: str, section: Section) -> _Signal | None:
        signal = self.signals.get(str(name))
        if signal is None:
            option = section.option(key)
            span = option.value_span if option else section.span
            code, what = ("NC501", "field or signal") if key == "target" else ("NC401", "signal")
            help = did_you_mean(str(name), self.signals)
            self.findings.append(Finding(code, f"there is no {what} `{name}`", span, help=help))
        return signal

    def _phases(self, losses: Mapping[str, Loss]) -> tuple[Phase, ...]:
        phases = []
        for section in self._sections("Optimizer"):
            optimizer = self._checked(section, "optimizer", Optimizer)
            if optimizer is None:
                continue
            known = all([self._check_network(name, section) for name in optimizer.networks])
            weights = self._sum_of_losses(optimizer.minimise, section, losses)
            if known and weights is not None:
                phases.append(Phase(optimizer, weights, section.span))
        if len(phases) > 1:
            help = "one optimizer per file trains today; several come with the step planner"
            self.findings.append(
                Finding("NC404", "netcfg cannot train with several optimizers yet", phases[1].span, help=help)
            )
        self._warn_unused(losses, phases)
        return tuple(phases)

    def _warn_unused(self, losses: Mapping[str, Loss], phases: list[Phase]) -> None:
        for section in self._sections("Loss") if phases else []:
            name = option.value if (option := section.option("name")) else section.name
            if name in losses and not any(name in phase.weights for phase in phases):
                message = f"no optimizer minimises the loss `{name}`"
                self.findings.append(Finding("NC401", message, section.span, severity="warning"))

    def _check_network(self, name: str, section: Section) -> bool:
        if name in self.parts.networks:
            return True
        option = section.option("networks")
        span = option.item_span(name) if option else section.span
        help = did_you_mean(name, self.parts.networks)
        self.findings.append(Finding("NC401", f"there is no network `{name}`", span, help=help))
        return False

    def _sum_of_losses(
        self, text: str, section: Section, losses: Mapping[str, Loss]
    ) -> dict[str, float] | None:
        """`a + 10 * b` as factors by loss, or None and a finding."""
        option = section.option("minimise")
        span = option.value_span if option else section.span
        try:
            weights, constant = _linear(ast.parse(text.strip(), mode="eval").body)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
            help = (
                "losses by name, joined by + and -, each with a number before it where wanted: `a + 10 * b`"
            )
            self.findings.append(Finding("NC009", f"`{text}` is not a sum of losses", span, help=help))
            return None
        unknown = [name for name in weights if name not in losses]
        declared = {option.value if (option := s.option("name")) else s.name for s in self._sections("Loss")}
        for name in unknown:
            if name not in declared:
                help = did_you_mean(name, losses) or "declare it: `{Loss}`"
                self.findings.append(Finding("NC401", f"there is no loss `{name}`", span, help=help))
        if constant or not weights:
            help = "a number alone changes nothing: put it before a loss, `10 * a`"
            self.findings.append(Finding("NC009", f"`{text}` adds a number to the losses", span, help=help))
        return None if unknown or constant or not weights else weights

    def _check_monitor(self, training: Training | None, metrics: Mapping[str, Metric]) -> None:
        if training is None or training.monitor is None or training.monitor in metrics:
            return
        for section in self._sections("General"):
            option = section.option("monitor")
            if option is not None:
                declared = [s.name for s in self._sections("Metric")]
                if training.monitor not in declared:
                    help = did_you_mean(training.monitor, metrics) or "declare it: `{Metric}`"
                    message = f"there is no metric `{training.monitor}` to monitor"
                    self.findings.append(Finding("NC401", message, option.value_span, help=help))


def _linear(node: ast.AST) -> tuple[dict[str, float], float]:
    """Factors by name and the constant of a linear expression. Raises ValueError where it is none."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, (int, float))
        and not isinstance(node.value, bool)
    ):
        return {}, float(node.value)
    if isinstance(node, ast.Name):
        return {node.id: 1.0}, 0.0
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        return _scaled(_linear(node.operand), -1.0 if isinstance(node.op, ast.USub) else 1.0)
    if isinstance(node, ast.BinOp):
        left, right = _linear(node.left), _linear(node.right)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            return _added(left, _scaled(right, -1.0 if isinstance(node.op, ast.Sub) else 1.0))
        if isinstance(node.op, ast.Mult) and not (left[0] and right[0]):
            return _scaled(right, left[1]) if right[0] else _scaled(left, right[1])
        if isinstance(node.op, ast.Div) and not right[0]:
            return _scaled(left, 1 / right[1])
    raise ValueError


def _scaled(sum: tuple[dict[str, float], float], factor: float) -> tuple[dict[str, float], float]:
    return {name: weight * factor for name, weight in sum[0].items()}, sum[1] * factor


def _added(
    first: tuple[dict[str, float], float], second: tuple[dict[str, float], float]
) -> tuple[dict[str, float], float]:
    names = {**first[0], **second[0]}
    return {name: first[0].get(name, 0.0) + second[0].get(name, 0.0) for name in names}, first[1] + second[1]
