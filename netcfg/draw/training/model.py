"""What a training diagram shows of a program: cards for data, networks, losses and phases, and links between them.

A card may do several things, each in a *row*: the data give fields, a network is used on several signals, a phase adds
up losses. Uses of one network share a card, as they share its parameters, unless one needs what another makes.

A link knows the phases whose gradients flow back along it, from the losses they minimise to the networks they train,
and those whose gradients end at it, though what it carries was made by a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.model import NetworkUse
from netcfg.draw.costs import amount
from netcfg.draw.entry import Entry, entry_of, place_text
from netcfg.draw.model import Box
from netcfg.draw.training.rows import ITSELF, Row, average_words, optimizer_words, term, use_rows, words
from netcfg.draw.training.stages import grouped, set_columns
from netcfg.graph import Graph, Node, Signal
from netcfg.passes.plan import Plan, history_path, section_of
from netcfg.passes.reach import key
from netcfg.plan_text import called, use_of
from netcfg.program import Average, Phase, Step
from netcfg.shapes import show

CardKind = Literal["data", "network", "block", "loss", "phase"]
PHASE_COLOURS = ("#d55e00", "#009e73", "#0072b2", "#b4468f", "#a67c00", "#5b6876")
"""Told apart by colour-blind readers too; further phases begin anew."""
PHASE_INKS = dict(
    zip(PHASE_COLOURS, ("#b34d00", "#00795a", "#0072b2", "#a53d82", "#806000", "#56626f"), strict=True)
)
"""The same, darker: for words, and beneath white ones."""


@dataclass(slots=True, eq=False)
class Card:
    """One box. `phases` are the numbers of those that update it, or of a phase itself its own."""

    kind: CardKind
    box: Box
    rows: list[Row]
    phases: tuple[int, ...] = ()
    updates: tuple[str, ...] = ()
    """The networks that a phase updates."""
    column: int = 0

    @property
    def inputs(self) -> list[Row]:
        """The rows where something enters."""
        return [row for row in self.rows if row.enters]

    @property
    def outputs(self) -> list[Row]:
        """The rows where something leaves."""
        return [row for row in self.rows if row.leaves]


@dataclass(frozen=True, slots=True)
class Flow:
    """From output `output` of card `source` to input `input` of card `target`."""

    source: int
    output: int
    target: int
    input: int
    label: str
    gradients: tuple[int, ...] = ()
    """The phases whose gradients flow back along it."""
    cuts: tuple[int, ...] = ()
    """The phases whose gradients end here."""


@dataclass(slots=True)
class Training:
    """The whole: cards in file order, data first, phases last. `phases` are those shown, by number."""

    cards: list[Card]
    flows: list[Flow]
    phases: dict[int, Step]
    note: str
    measured: list[str] = field(default_factory=list)
    """The metrics, and what each reads."""


def phase_colour(number: int) -> str:
    """The colour of a phase; the first is number 1."""
    return PHASE_COLOURS[(number - 1) % len(PHASE_COLOURS)]


def training(plan: Plan, only: Sequence[str] = ()) -> Training:
    """All phases and averages, or `only` these with what they need."""
    steps = {
        number: step for number, step in enumerate(plan.program.steps, 1) if not only or step.name in only
    }
    return _Sheet(plan, steps, whole=not only).training()


class _Sheet:
    """Gathers the cards of a program, then the flows between them."""

    def __init__(self, plan: Plan, steps: dict[int, Step], whole: bool) -> None:
        self.plan = plan
        self.program = plan.program
        self.model = plan.model
        self.steps = steps
        self.phases = phases = {number: step for number, step in steps.items() if isinstance(step, Phase)}
        self.averages = {number: step for number, step in steps.items() if isinstance(step, Average)}
        self.followed = {name for average in self.averages.values() for name in average.section.of}
        self.whole = whole
        minimised = {name for phase in phases.values() for name in phase.losses}
        chosen = [(name, loss) for name, loss in self.program.losses.items() if whole or name in minimised]
        # What a loss reads is drawn before it.
        self.losses = dict(sorted(chosen, key=lambda item: bool(item[1].losses)))
        self.nodes = self._nodes(whole)
        self.paths = {
            number: history_path(self.program, self.model, plan.reach, phase)
            for number, phase in phases.items()
        }
        self.cards: list[Card] = []
        self.makers: dict[tuple[int, str], tuple[int, int]] = {}
        """For each signal the card and the output that give it."""
        self.loss_places: dict[str, int] = {}
        self.evaluated: dict[str, tuple[int, int]] = {}
        """For each network the card and the output from which losses read the network itself."""

    def training(self) -> Training:
        flows: list[Flow] = []
        self._add_data()
        groups = grouped(self.model, self.nodes)
        first = len(self.cards)
        for group in groups:
            self._add_group(group)
        self._add_evaluated()
        for place, group in enumerate(groups, first):
            flows += self._flows_into(place, group)
        flows += [flow for name, loss in self.losses.items() for flow in self._add_loss(name, loss)]
        for number, step in self.steps.items():
            flows += (
                self._add_phase(number, step) if isinstance(step, Phase) else self._add_average(number, step)
            )
        set_columns(self.cards, flows)
        options = self.program.training
        note = f"training in batches of {options.batch_size}, {options.max_epochs} epochs"
        return Training(self.cards, flows, self.steps, note, self._measured() if self.whole else [])

    def _nodes(self, whole: bool) -> list[int]:
        """The nodes to show: all blocks, or those that a loss needs; fields as far as one of these reads them."""
        reads = [signal for loss in self.losses.values() for signal in self.plan.reach.reads(loss)]
        waiting = [signal.producer for signal in reads]
        if whole:
            waiting += [index for index, node in enumerate(self.model.nodes) if not node.is_input]
        needed: set[int] = set()
        while waiting:
            index = waiting.pop()
            if index not in needed:
                needed.add(index)
                waiting += [signal.producer for signal in self.model.nodes[index].inputs]
        return sorted(needed)

    # --- cards

    def _add(self, card: Card, signals: Iterable[Signal] = ()) -> int:
        place = len(self.cards)
        self.cards.append(card)
        for output, signal in enumerate(signals):
            self.makers[key(signal)] = place, output
        return place

    def _add_data(self) -> None:
        data = self.program.data
        assert data is not None
        fields = [self.model.nodes[index] for index in self.nodes if self.model.nodes[index].is_input]
        source = " and ".join(
            words(part.source.type_name) + (f" ({part.name})" if data.parts else "") for part in data.each
        )
        if data.parts:
            source += ", joined" if data.joined is not None else ", side by side"
        # Each step once, though it may stand for several sources.
        written = {id(step): step for part in data.each for step in part.transforms}
        steps = [words(step.type_name) for step in written.values()]
        rows = [Row(node.path, show(node.output.shape) or "one number", leaves=True) for node in fields]
        details = "\n".join(f"[{part.source.type_name}]" for part in data.each) + f"\n{place_text(data.span)}"
        pieces = [", ".join(steps)] if steps else []
        box = Box("input", source, "", pieces, details, path="Data", entries=(Entry(source, data.span),))
        self._add(Card("data", box, rows), [node.output for node in fields])

    def _add_group(self, group: list[int]) -> None:
        nodes = [self.model.nodes[index] for index in group]
        signals = [signal for node in nodes for signal in node.outputs.values()]
        if isinstance(nodes[0].block, NetworkUse):
            network = nodes[0].block.network
            place = self._add(self._network(network, nodes), signals)
            self.evaluated.setdefault(network.name, (place, len(signals)))
        elif len(nodes) == 1:
            self._add(self._block(nodes[0]), signals)
        else:
            given = self._read_outside(group) or signals[-1:]
            self._add(self._use(group, given), given)

    def _add_evaluated(self) -> None:
        """The networks that losses evaluate themselves, or averages follow, and that nothing shown uses."""
        evaluated = [name for loss in self.losses.values() for name in loss.evaluates]
        moved = [name for average in self.averages.values() for name in average.section.networks]
        shown = {card.box.name for card in self.cards if card.kind == "network"}
        for name in dict.fromkeys(
            [*evaluated, *sorted(self.followed), *(one for one in moved if one not in shown)]
        ):
            if name not in self.evaluated:
                self.evaluated[name] = self._add(self._network(self.program.networks[name], ())), 0

    def _network(self, network: Graph, uses: Sequence[Node]) -> Card:
        rows = [row for use in uses for row in use_rows(network, use)]
        is_first = network.name not in self.evaluated
        read = any(network.name in loss.evaluates for loss in self.losses.values())
        if is_first and (read or network.name in self.followed):
            rows.append(Row(ITSELF, leaves=True))
        phases = tuple(
            number for number, step in self.steps.items() if network.name in section_of(step).networks
        )
        pieces = list(self._network_words(network, is_first, phases))
        details = f"{network.name}\n{network.parameters:,} parameters, {network.trainable:,} trainable"
        details += f"\n{place_text(network.span)}"
        entry = Entry(network.name, network.span)
        box = Box("network", network.name, "", pieces, details, path=network.name, entries=(entry,))
        box.frozen = network.parameters > 0 and network.trainable == 0
        box.colour = phase_colour(phases[0]) if phases else ""
        return Card("network", box, rows, phases)

    def _network_words(self, network: Graph, is_first: bool, phases: Sequence[int]) -> Iterator[str]:
        """How large a network is, and who updates it."""
        size = f"{amount(network.parameters)} parameters" if network.parameters else "no parameters"
        yield size if is_first else "the same parameters"
        trained = {name for step in self.program.steps for name in section_of(step).networks}
        if phases:
            yield f"updated by {', '.join(self.steps[number].name for number in phases)}"
        elif network.trainable and network.name not in trained:
            yield "not trained"

    def _block(self, node: Node) -> Card:
        label = node.drawn
        piece = f"{words(node.type)} {label}".rstrip()
        entry = entry_of(self.model, node)
        details = f"{entry.title}\n{place_text(node.span)}"
        box = Box(node.block.family, node.path, "", [piece], details, path=node.path, entries=(entry,))
        count = max(len(node.inputs), len(node.outputs), 1)
        shapes = [show(signal.shape) or "one number" for signal in node.outputs.values()]
        rows = [
            Row(
                "",
                shapes[place] if place < len(shapes) else "",
                place < len(node.inputs),
                place < len(shapes),
            )
            for place in range(count)
        ]
        return Card("block", box, rows)

    def _read_outside(self, group: Sequence[int]) -> list[Signal]:
        """The signals of a card that others read."""
        inside = set(group)
        read = {
            key(signal)
            for index in self.nodes
            if index not in inside
            for signal in self.model.nodes[index].inputs
        } | {key(signal) for loss in self.losses.values() for signal in self.plan.reach.reads(loss)}
        signals = [signal for index in group for signal in self.model.nodes[index].outputs.values()]
        return [signal for signal in signals if key(signal) in read]

    def _read_inside(self, group: Sequence[int]) -> list[Signal]:
        """The signals of others that the blocks of a card read, each once."""
        inside = set(group)
        found = {
            key(signal): signal
            for index in group
            for signal in self.model.nodes[index].inputs
            if signal.producer not in inside
        }
        return list(found.values())

    def _use(self, group: Sequence[int], given: Sequence[Signal]) -> Card:
        """The use of a template of blocks without parameters."""
        use = use_of(self.model, group[0])
        assert use is not None
        read = self._read_inside(group)
        entry = Entry(f"[{use.template}] {use.path}", use.span)
        details = f"{entry.title}\n{len(group)} blocks\n{place_text(use.span)}"
        box = Box("template", use.path, "", [words(use.template)], details, path=use.path, entries=(entry,))
        count = max(len(read), len(given), 1)
        shapes = [show(signal.shape) or "one number" for signal in given]
        rows = [
            Row("", shapes[place] if place < len(shapes) else "", place < len(read), place < len(shapes))
            for place in range(count)
        ]
        return Card("block", box, rows)

    # --- flows

    def _flows_into(self, place: int, group: list[int]) -> Iterator[Flow]:
        if len(group) > 1 and use_of(self.model, group[0]) is not None:
            for number, signal in enumerate(self._read_inside(group)):
                inside = (one for one in group if signal in self.model.nodes[one].inputs)
                phases = {phase for one in inside for phase, path in self.paths.items() if one in path}
                yield self._flow(signal, place, number, sorted(phases))
            return
        number = 0
        for index in group:
            for signal in self.model.nodes[index].inputs:
                readers = [phase for phase, path in self.paths.items() if index in path]
                yield self._flow(signal, place, number, readers)
                number += 1

    def _flow(
        self, signal: Signal, target: int, number: int, readers: Iterable[int], stops: bool = False
    ) -> Flow:
        """A signal that is read with gradients for some phases; `stops`: the reader passes none on."""
        reached = self.plan.reach.gradient[key(signal)]
        passing, cut = [], []
        for phase in readers:
            if not stops and reached & set(self.phases[phase].optimizer.networks):
                passing.append(phase)
            elif self.plan.reach.depends[signal.producer]:
                cut.append(phase)
        source, output = self.makers[key(signal)]
        label = f"{called(self.model, signal)} {show(signal.shape)}".rstrip()
        return Flow(source, output, target, number, label, tuple(passing), tuple(cut))

    def _add_loss(self, name: str, loss: Loss) -> Iterator[Flow]:
        readers = [number for number, phase in self.phases.items() if name in phase.losses]
        named = (*loss.evaluates, *loss.losses)
        of = f" of {', '.join(named)}" if named else ""
        learned = [
            self.program.learned_by(self.phases[number])[name] for number in readers[:1] if loss.learns
        ]
        entry = Entry(f"[{loss.type_name}] {name}", self.program.loss_spans[name], loss)
        pieces = [words(loss.type_name) + of, *([] if readers else ["not minimised"])]
        pieces += [f"{amount(count)} parameters" for count in learned]
        pieces += [f"updated by {self.phases[number].name}" for number in readers[:1] if loss.learns]
        details = f"{entry.title}\n{place_text(self.program.loss_spans[name])}"
        box = Box("loss", name, "", pieces, details, path=f"Loss.{name}", entries=(entry,))
        reads = self.plan.reach.reads(loss)
        count = len(reads) + len(named)
        rows = [Row(enters=number < count, leaves=not number) for number in range(max(count, 1))]
        place = self._add(Card("loss", box, rows))
        self.loss_places[name] = place
        for number, signal in enumerate(reads):
            yield self._flow(signal, place, number, readers, loss.stops_gradient)
        for number, network in enumerate(loss.evaluates, len(reads)):
            trained = [phase for phase in readers if network in self.phases[phase].optimizer.networks]
            yield Flow(*self.evaluated[network], place, number, network, tuple(trained))
        for number, inner in enumerate(loss.losses, len(reads) + len(loss.evaluates)):
            yield Flow(self.loss_places[inner], 0, place, number, inner, tuple(readers))

    def _add_phase(self, number: int, phase: Phase) -> Iterator[Flow]:
        optimizer = phase.optimizer
        entry = Entry(f"[{optimizer.type_name}] {phase.name}", phase.span, optimizer)
        updates = ", ".join([*optimizer.networks, *self.program.learned_by(phase)])
        details = f"{entry.title}\nupdates {updates}\n{place_text(phase.span)}"
        pieces = [f"phase {number}", *optimizer_words(phase)]
        path, colour = f"Optimizer.{phase.name}", phase_colour(number)
        box = Box("phase", phase.name, "", pieces, details, path=path, entries=(entry,), colour=colour)
        terms = enumerate(phase.weights.items())
        rows = [Row(term(name, factor, place == 0), enters=True) for place, (name, factor) in terms]
        place = self._add(Card("phase", box, rows, (number,), optimizer.networks))
        for row, name in enumerate(phase.weights):
            yield Flow(self.loss_places[name], 0, place, row, rows[row].text, (number,))

    def _add_average(self, number: int, average: Average) -> Iterator[Flow]:
        section = average.section
        title = "" if section.type_name == average.name else f" {average.name}"
        entry = Entry(f"[{section.type_name}]{title}", average.span, section)
        details = f"{entry.title}\nupdates {', '.join(section.networks)}\n{place_text(average.span)}"
        pieces = [f"phase {number}", *average_words(average)]
        path, colour = f"Optimizer.{average.name}", phase_colour(number)
        box = Box("phase", average.name, "", pieces, details, path=path, entries=(entry,), colour=colour)
        rows = [Row(f"follows {of}", enters=True) for of in section.of]
        place = self._add(Card("phase", box, rows, (number,), section.networks))
        for row, of in enumerate(section.of):
            yield Flow(*self.evaluated[of], place, row, of)

    def _measured(self) -> list[str]:
        """`f1 (action_units, labels)` for each metric."""
        return [
            f"{name} ({', '.join(metric.reads.values())})" for name, metric in self.program.metrics.items()
        ]
