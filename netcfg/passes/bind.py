"""Pass: data, networks, losses, optimizers and metrics become one program.

Requires: the networks' graphs (those without errors). Ensures: every input is fed by a signal of a fitting shape,
every name of a loss, metric or optimizer exists, what is compared has comparable shapes, and gradients reach what
the optimizers train.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from netcfg.axes import axes_in_words, kind_in_words
from netcfg.blocks.base import Section as Checked
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.general.training import AUTO, Pictures, Published, Settings, Training
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Signal
from netcfg.passes.arithmetic import with_arithmetic
from netcfg.passes.collect import Parts
from netcfg.passes.coming import never_runs
from netcfg.passes.feed import check_batches, check_clips, check_fields_used, check_spoiled, read_data
from netcfg.passes.gaps import Counting, check_unjoined, counting, known_of
from netcfg.passes.generate import GENERATION, read_generation, used_networks
from netcfg.passes.gradients import check_gradients, in_training_only
from netcfg.passes.judge import Judges, Known, read_judges
from netcfg.passes.own import owned, with_own_networks
from netcfg.passes.phases import check_steps, read_steps
from netcfg.passes.reach import reach
from netcfg.passes.read import Reading
from netcfg.passes.reserved import Reserved
from netcfg.passes.resolve import resolved_text
from netcfg.passes.schedules import Schedules, check_rates, say_what_may_not_change
from netcfg.passes.steps import Steps
from netcfg.passes.wire import MODEL, check_classes, signals_by_name, single_model, wire
from netcfg.program import Data, Phase, Program, Step, total_name
from netcfg.shapes import differ, show
from netcfg.source import Finding, Note, Span, did_you_mean, has_errors
from netcfg.syntax import Section


class Counted(NamedTuple):
    """Whose samples count in losses and in metrics, of joined sources."""

    losses: Counting
    metrics: Counting


def bind(
    parts: Parts, reading: Reading, graphs: Sequence[Graph], preset: str | None, findings: list[Finding]
) -> Program | None:
    """The program, or None where its parts do not fit together."""
    binder = _Binder(parts, Reserved(parts, findings), {graph.name: graph for graph in graphs}, findings)
    return binder.run(reading, preset)


@dataclass(eq=False, repr=False)
class _Binder:
    parts: Parts
    reserved: Reserved
    graphs: dict[str, Graph]
    findings: list[Finding]
    signals: dict[str, Signal] = field(default_factory=dict)

    def run(self, reading: Reading, preset: str | None) -> Program | None:
        training, pictures, published = self._general()
        counted = Counted({}, {})
        data = read_data(self.reserved)
        # Without one of the networks, every name that leads to it would be told as a mistake of its own.
        complete = set(self.graphs) == set(self.parts.networks)
        model = self._model(data) if complete else None
        own: dict[str, Graph] = {}
        if model is not None:
            model, own = with_own_networks(model, self.graphs, self.findings)
        if model is not None:
            self.signals = signals_by_name(model)
            # What losses and metrics compute becomes part of the model, and then is a signal like any other.
            model = with_arithmetic(model, self.signals, self.reserved, self.findings)
            self.signals = signals_by_name(model)
        generation = read_generation(self.reserved, data, self.graphs) if complete else None
        self.graphs |= own
        self._check_samples(pictures, generation)
        known = self._known(model, data)
        judged = complete and model is not None
        judges = read_judges(self.reserved, known, self.parts.networks, judged)
        if judged and pictures is not None:
            self._check_pictures(pictures, known, judges)
        schedules = Schedules(self.reserved)
        schedules.check_names(judges.sections, self.findings)
        steps = read_steps(self.reserved, judges, {**self.parts.networks, **own}, schedules.declared)
        phases = [phase for _, phase in steps.phases]
        self._check_monitor(training, judges, phases)
        if judged and published is not None:
            self._check_published(published, judges.metrics)
        if model is not None and data is not None and not has_errors(self.findings):
            self._check_changes(schedules, steps, judges, (training or Training()).max_epochs, model)
            self._check_gradients(model, judges, pictures)
            every: list[Step] = [*phases, *(average for _, average in steps.averages)]
            late = (never_runs(step, training or Training(), None) for step in every)
            self.findings += [finding for finding in late if finding is not None]
            if not has_errors(
                self.findings
            ):  # which would say of a gradient that does not pass what it does not reach
                reached = reach(model, self.signals)
                steps = owned(steps, own, judges, reached, self.findings)
                phases = [phase for _, phase in steps.phases]
                check_steps(steps, judges, model, reached, self.graphs, self.findings)
            counted = self._counted(data, model, judges)
            data = self._used(data, model, judges)
            check_fields_used(data, self.reserved)
            check_clips(data, self.reserved)
            check_batches(data, training or Training(), self.reserved)
            check_spoiled(data, judges.losses, judges.sections, self.reserved)
            self._warn_unused(model, judges, generation)
        else:
            schedules.check_graphs(self.graphs.values(), self.findings)
        if schedules.declared:
            say_what_may_not_change(self.findings, schedules.declared)
        if has_errors(self.findings):
            return None
        settled = [part.source.settled() for part in data.each] if data else []
        return Program(
            name=self.parts.name,
            networks=self.graphs,
            training=training or Training(),
            data=data,
            model=model,
            signals=self.signals,
            losses=judges.losses,
            loss_sizes=judges.sizes,
            loss_spans={name: section.span for name, section in judges.sections.items()},
            generation=generation,
            loss_sources=counted.losses,
            metric_sources=counted.metrics,
            training_only=in_training_only(model, self.signals, judges.losses)
            if model is not None
            else frozenset(),
            phases=tuple(phases),
            averages=tuple(average for _, average in steps.averages),
            schedules=schedules.by_name,
            metrics=judges.metrics,
            pictures=pictures,
            published=published,
            variables=dict(self.parts.variables.values),
            presets=tuple(self.parts.presets),
            preset=preset,
            extensions=tuple(reading.extensions),
            resolve=partial(resolved_text, reading, self.parts, settled),
            findings=tuple(self.findings),
        )

    def _check_changes(
        self,
        schedules: Schedules,
        steps: Steps,
        judges: Judges,
        epochs: int,
        model: Graph,
    ) -> None:
        """Numbers that change, wherever they are named."""
        named: list[tuple[Checked, Section]] = [(one.optimizer, section) for section, one in steps.phases]
        named += [(average.section, section) for section, average in steps.averages]
        named += [(loss, judges.sections[name]) for name, loss in judges.losses.items()]
        graphs = [*self.graphs.values(), model]
        schedules.check_uses(named, graphs, [phase for _, phase in steps.phases], epochs, self.findings)
        check_rates(steps.phases, epochs, self.findings)

    def _general(self) -> tuple[Training | None, Pictures | None, Published | None]:
        """How the program trains, what it shows, and what others have reached; each at most once."""
        found: dict[str, Settings] = {}
        for section in self.reserved.sections("General"):
            checked = self.reserved.checked(section, "general", Settings)
            if checked is not None and section.name in found:
                self.findings.append(Finding("NC107", f"[{section.name}] is written twice", section.span))
            elif checked is not None:
                found[section.name] = checked
        training, pictures, published = map(found.get, ("training", "pictures", "published"))
        return (
            training if isinstance(training, Training) else None,
            pictures if isinstance(pictures, Pictures) else None,
            published if isinstance(published, Published) else None,
        )

    # --- the model

    def _model(self, data: Data | None) -> Graph | None:
        """What connects data and networks; None where nothing does, or something is wrong."""
        sections, span = self.reserved.sections(MODEL), self.parts.spans.get(MODEL)
        if span is not None and not sections:
            help = "a network by its name: `[Encoder]`"
            self.findings.append(Finding("NC208", "{Model} uses no network", span, help=help))
        elif span is not None and data is None and "Data" not in self.parts.spans:
            message = "{Model} connects networks with data, and the program has none"
            help = "add a group {Data} with a source"
            self.findings.append(Finding("NC403", message, span, help=help))
        if span is not None:
            return wire(sections, data, self.graphs, self.parts, self.findings) if data and sections else None
        if len(self.graphs) > 1:
            self._check_wired()
            return None
        if data is None or not self.graphs:
            return None
        return self._single_model(data, next(iter(self.graphs.values())))

    def _check_wired(self) -> None:
        """Several networks may stand in a file by themselves, but not train without {Model}."""
        for name in ("Loss", "Optimizer", "Metric"):
            if name in self.parts.spans:
                listed = ", ".join(f"`{network}`" for network in self.graphs)
                message = f"{{{name}}} needs to know how {listed} connect"
                help = "add a group {Model}, in which each network's name is a block"
                self.findings.append(Finding("NC212", message, self.parts.spans[name], help=help))
                return

    def _single_model(self, data: Data, graph: Graph) -> Graph | None:
        """One network takes the fields of its inputs' names."""
        before = len(self.findings)
        fed = {}
        for node in graph.nodes:
            if node.is_input:
                fed[node.path] = name = _fed_by(node.path, data.fields, graph)
                self._check_fed(node.path, node.output, data.fields.get(name), node.span, data, graph)
        if len(self.findings) > before:
            return None
        model = single_model(graph, fed, data)
        check_classes(model, self.findings)
        return None if has_errors(self.findings[before:]) else model

    def _check_fed(
        self, name: str, signal: Signal, spec: FieldSpec | None, span: Span, data: Data, graph: Graph
    ) -> None:
        shape = signal.shape
        if spec is None:
            message = f"no data field feeds the input `{name}` of `{graph.name}`"
            listed = ", ".join(f"`{known}`" for known in data.fields)
            notes = (Note(data.span, f"the data have {listed}"),)
            help = did_you_mean(name, data.fields)
            self.findings.append(Finding("NC206", message, span, notes, help=help))
        elif unlike := _unlike(signal, spec):
            takes, given = unlike
            message = (
                f"the input `{name}` of `{graph.name}` takes {takes}, is given {given} from its data field"
            )
            notes = (Note(data.span, "the data are declared here"),)
            self.findings.append(
                Finding("NC305", message, span, notes, help="another field, or other `axes` here")
            )
        elif len(shape) != len(spec.shape) or any(map(differ, shape, spec.shape)):
            takes = show(shape) or "one number"
            message = f"the input `{name}` of `{graph.name}` takes {takes}, and its data field gives {spec}"
            help = "a [resize] in {Data}, or other sizes in the [input]"
            notes = (Note(data.span, "the data are declared here"),)
            self.findings.append(Finding("NC301", message, span, notes, help=help))

    # --- what may be named, and what is used

    def _known(self, model: Graph | None, data: Data | None) -> dict[str, Known]:
        """What losses and metrics may name."""
        if model is None or data is None:
            return {}
        known = {}
        for name, signal in self.signals.items():
            node = model.nodes[signal.producer]
            span = node.span
            if isinstance(node.block, NetworkUse) and MODEL not in self.parts.spans:
                graph = node.block.network
                span = graph.nodes[
                    graph.outputs.get(signal.port, next(iter(graph.outputs.values()))).producer
                ].span
            spec = data.fields[node.path] if node.is_input else None
            what = f"the data field `{node.path}`" if node.is_input else f"`{name}`"
            known[name] = Known(signal.shape, span, what, spec, signal.axes)
        return known

    def _used(self, data: Data, model: Graph, judges: Judges) -> Data:
        """The data with the fields that a network, loss or metric reads, in this order."""
        read = {model.nodes[signal.producer].path for node in model.nodes for signal in node.inputs}
        used = [node.path for node in model.nodes if node.is_input and node.path in read]
        used += [name for name in judges.read if name in data.fields and name not in used]
        return data.using(tuple(used))

    def _counted(self, data: Data, model: Graph, judges: Judges) -> Counted:
        """Whose samples count in losses and metrics, where sources are joined."""
        if data.joined is None:
            check_unjoined(judges.sections, self.findings)
            check_unjoined(judges.metric_sections, self.findings)
            return Counted({}, {})
        known = known_of(data, model, self.findings)
        losses, metrics = (
            counting(data, known, self.signals, of_kind, sections, self.findings)
            for of_kind, sections in (
                (judges.losses, judges.sections),
                (judges.metrics, judges.metric_sections),
            )
        )
        return Counted(losses, metrics)

    def _warn_unused(self, model: Graph, judges: Judges, generation: Graph | None) -> None:
        """Warn of what {Model} computes for nobody, and of networks that it leaves out."""
        if MODEL not in self.parts.spans:
            return
        read = {signal.producer for node in model.nodes for signal in node.inputs}
        read |= {self.signals[name].producer for name in judges.read}
        for index, node in enumerate(model.nodes):
            if index not in read and not node.is_input:
                message = f"nothing reads `{node.path}`: no other block, loss or metric"
                help = "take it out, or name it in a loss or metric"
                self.findings.append(Finding("NC209", message, node.span, help=help, severity="warning"))
        used = {node.block.network.name for node in model.blocks if isinstance(node.block, NetworkUse)}
        used |= {name for loss in judges.losses.values() for name in loss.evaluates}
        used |= set(used_networks(generation)) if generation is not None else set()
        for name, graph in self.graphs.items():
            if name not in used:
                message = f"{{Model}} does not use the network `{name}`"
                self.findings.append(
                    Finding("NC211", message, graph.span, help=f"add a block `[{name}]`", severity="warning")
                )

    def _check_pictures(self, pictures: Pictures, known: Mapping[str, Known], judges: Judges) -> None:
        """Every signal shown exists, and is a picture."""
        section = next(s for s in self.reserved.sections("General") if s.name == "pictures")
        option = section.option("show")
        for name in pictures.show:
            span = option.item_span(name) if option else section.span
            signal = known.get(name)
            if signal is None:
                help = did_you_mean(name, known)
                self.findings.append(Finding("NC401", f"there is no signal `{name}`", span, help=help))
            elif len(signal.shape) != 3 or signal.shape[0] not in (1, 3):
                message = f"`{name}` is {show(signal.shape) or 'one number'}, which is no picture of 1 or 3 channels"
                notes = (Note(signal.span, f"{signal.what} is made here"),)
                self.findings.append(Finding("NC402", message, span, notes, help="take it out of `show`"))
        # Who shows a signal reads it: nobody else may.
        judges.read |= dict.fromkeys(pictures.show)

    def _check_samples(self, pictures: Pictures | None, generation: Graph | None) -> None:
        """Samples are what {Generation} makes of draws alone."""
        if pictures is None or pictures.samples_every is None:
            return
        given = list(generation.inputs) if generation is not None else []
        if GENERATION in self.parts.spans and not given:
            return
        section = next(s for s in self.reserved.sections("General") if s.name == "pictures")
        option = section.option("samples_every")
        message = "`samples_every` asks for samples, and no {Generation} says what is made"
        help = "add a group {Generation}, or leave it out"
        if given:
            message = f"`samples_every` asks for samples, and {{Generation}} makes them of `{given[0]}`, which is given"
            help = "leave it out: `show` has pictures of the data, and what is made of them"
        span = option.span if option else section.span
        self.findings.append(Finding("NC403", message, span, help=help))

    def _check_gradients(self, model: Graph, judges: Judges, pictures: Pictures | None) -> None:
        """What is judged and shown is there when nothing is differentiated."""
        named = {name for metric in judges.metrics.values() for name in metric.reads.values()}
        named |= set(pictures.show if pictures is not None else ())
        judged = {name: signal for name, signal in self.signals.items() if name in named}
        check_gradients(model, judged, self.findings)

    def _check_published(self, published: Published, metrics: Mapping[str, Metric]) -> None:
        """The metric exists, and so does the variable whose values are the rows."""
        section = next(s for s in self.reserved.sections("General") if s.name == "published")
        variables = self.parts.variables.values
        for key, name, known, what, code in (
            ("metric", published.metric, metrics, "metric", "NC401"),
            ("of", published.of, variables, "variable", "NC108"),
        ):
            if name is not None and name not in known:
                option = section.option(key)
                span = option.value_span if option else section.span
                help = did_you_mean(name, known)
                self.findings.append(Finding(code, f"there is no {what} `{name}`", span, help=help))

    def _check_monitor(self, training: Training | None, judges: Judges, phases: Sequence[Phase]) -> None:
        known = [*judges.metrics, *judges.losses, *(total_name(phases, phase) for phase in phases)]
        if training is None or training.monitor in (None, AUTO, *known):
            return
        for section in self.reserved.sections("General"):
            option = section.option("monitor")
            if option is not None:
                declared = [s.name for group in ("Metric", "Loss") for s in self.reserved.sections(group)]
                if training.monitor not in declared:
                    help = did_you_mean(str(training.monitor), known) or "declare it: `{Metric}`"
                    message = f"there is no metric and no loss `{training.monitor}` to monitor"
                    self.findings.append(Finding("NC401", message, option.value_span, help=help))


def _unlike(signal: Signal, spec: FieldSpec) -> tuple[str, str] | None:
    """What an input takes and a field gives, where these are other axes or another kind."""
    if signal.kind != spec.holds:
        return kind_in_words(signal.kind), kind_in_words(spec.holds)
    if signal.axes and spec.axes and signal.axes != spec.axes:
        return axes_in_words(signal.axes), axes_in_words(spec.axes)
    return None


def _fed_by(name: str, fields: Mapping[str, FieldSpec], graph: Graph) -> str:
    """The field of an input: of the same name; the unnamed input of `channels = …` takes `image`."""
    unnamed = name == "input" and len(graph.inputs) == 1 and graph.options.channels is not None
    return "image" if unnamed and name not in fields else name
