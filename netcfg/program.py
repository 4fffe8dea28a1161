"""A checked program: what a `.cfg` file means, ready to be built, drawn, summarised or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from netcfg.blocks.changing import Weight
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.general.training import Pictures, Published, Training
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.optimizers.base import Optimizer
from netcfg.blocks.optimizers.moving_average import MovingAverage
from netcfg.blocks.optimizers.schedule import NumberSchedule
from netcfg.blocks.sources.base import Source
from netcfg.blocks.sources.joined import SOURCE_FIELD, Joined
from netcfg.blocks.transforms.base import DataStep
from netcfg.graph import Graph, Signal
from netcfg.grouped import Groups, text_of
from netcfg.shapes import Shape
from netcfg.source import Finding, Span


class Data(NamedTuple):
    """The data of a program: a source and what stands below it, transforms and samplers.

    `fields` are the fields after the pipeline; `used` the ones a network, loss or metric reads, in that order.
    Of several sources `parts` are each by itself, with its own `name`, `fields` and `used`; `source` and `transforms`
    are the first one's. They stand side by side in each sample, or, where they are `joined`, one below the other in
    each batch.
    """

    source: Source
    transforms: tuple[DataStep, ...]
    fields: Mapping[str, FieldSpec]
    used: tuple[str, ...]
    span: Span
    name: str = ""
    parts: tuple[Data, ...] = ()
    joined: Joined | None = None

    @property
    def needed(self) -> tuple[tuple[str, ...], ...]:
        """The fields that must come out of the source, and out of each transform, for the used ones to stand last."""
        needed = [self.parts[0].used if self.parts else self.used]
        for transform in reversed(self.transforms):
            needed.append(transform.reads(needed[-1]))
        return tuple(reversed(needed))

    @property
    def each(self) -> tuple[Data, ...]:
        """Its sources, each by itself."""
        return self.parts or (self,)

    def called(self, part: Data) -> dict[str, str]:
        """The fields of one of its sources, by what they are called in the whole."""
        if self.joined is not None or not self.parts:
            return {name: name for name in part.fields}
        named = {f"{part.name}.{name}": name for name in part.fields}
        return named | ({name: name for name in part.fields} if part is self.parts[0] else {})

    def givers(self, field: str) -> frozenset[int]:
        """The places of the sources that give a field."""
        if self.joined is not None and field == SOURCE_FIELD:
            return frozenset(range(len(self.parts)))
        return frozenset(place for place, part in enumerate(self.each) if field in self.called(part))

    def using(self, used: tuple[str, ...]) -> Data:
        """The same where these fields are read."""
        parts = []
        for part in self.parts:
            called = self.called(part)
            own = tuple(dict.fromkeys(called[name] for name in used if name in called))
            # A source is drawn from though nothing of it is read but which one it is.
            parts.append(part._replace(used=own or tuple(part.fields)[:1]))
        return self._replace(used=used, parts=tuple(parts))


def rows_of(data: Data, batch_size: int) -> list[int]:
    """How many samples of each source a batch of so many holds."""
    if data.joined is None:
        return [batch_size] * len(data.each)
    counts = data.joined.counts()
    if counts is None:
        return [max(1, batch_size // len(data.parts))] * len(data.parts)
    return [counts[part.name] for part in data.parts]


class Phase(NamedTuple):
    """One optimizer's part of the step: `weights` gives each loss's factor in the sum it minimises."""

    name: str
    optimizer: Optimizer
    weights: Mapping[str, Weight]
    span: Span
    inner: tuple[str, ...] = ()
    """The losses that those read."""
    again: str | None = None
    """The phase whose optimizer it steps once more; None for one of its own."""

    @property
    def losses(self) -> tuple[str, ...]:
        """All that it computes: what a loss reads before it."""
        return tuple(dict.fromkeys((*self.inner, *self.weights)))


class Sizes(NamedTuple):
    """What a loss is given: the shapes of its signals by option, places as samples, and its target's classes."""

    shapes: Mapping[str, Shape]
    classes: int | None


class Average(NamedTuple):
    """Networks that follow others, as a part of the step: it stands after `place` of the program's phases."""

    name: str
    section: MovingAverage
    place: int
    span: Span


Step = Phase | Average


def total_name(phases: Sequence[Phase], phase: Phase) -> str:
    """What the sum that one of a program's phases minimises is called."""
    return "loss" if len(phases) == 1 else f"{phase.name}.loss"


@dataclass(frozen=True)
class Program:
    """A whole file, checked.

    `model` connects data fields and networks; None where there is nothing to connect: no data, or several networks
    that nothing trains. `signals` are its signals as losses and metrics name them.
    """

    name: str
    networks: Mapping[str, Graph]
    training: Training
    data: Data | None = None
    model: Graph | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    losses: Mapping[str, Loss] = field(default_factory=dict)
    loss_sizes: Mapping[str, Sizes] = field(default_factory=dict)
    loss_spans: Mapping[str, Span] = field(default_factory=dict)
    """Where each loss is written."""
    generation: Graph | None = None
    """What it makes without data."""
    loss_sources: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Of joined sources the places of those whose samples count in a loss, where these are not all."""
    metric_sources: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The same of metrics."""
    training_only: frozenset[str] = frozenset()
    """The losses that are not evaluated on other splits, as they need gradients."""
    phases: tuple[Phase, ...] = ()
    averages: tuple[Average, ...] = ()
    """What follows what, in file order."""
    schedules: Mapping[str, NumberSchedule] = field(default_factory=dict)
    """The numbers that change, by name."""
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    pictures: Pictures | None = None
    published: Published | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    presets: tuple[str, ...] = ()
    preset: str | None = None
    extensions: tuple[Path, ...] = ()
    """The Python files that it includes."""
    resolve: Callable[[Mapping[Path, str]], str] = lambda names: ""
    findings: tuple[Finding, ...] = ()
    """What was found but does not stop it: warnings."""
    notes: tuple[str, ...] = ()
    """What was done beside what the file says, a sentence each."""

    @classmethod
    def from_groups(
        cls, groups: Groups, preset: str | None = None, *, allow_outside: bool = False, **variables: object
    ) -> Program:
        """The checked program of groups in Python: by name their sections, each a name, or a name and its options.

        Values are as in a file; True, None and lists are written as there. `print(program.resolved)` shows the file.
        Raises `ProgramError` as `netcfg.load`, with places in that text, and `NetcfgError` for what no file can hold.

        Example::

            program = netcfg.Program.from_groups(
                {"Net": [("net", {"channels": 3}), ("convolutional", {"filters": 8, "kernel_size": 3})]}
            )
        """
        from netcfg.compile import load

        return load(text_of(groups), preset, allow_outside=allow_outside, **variables)

    @property
    def graphs(self) -> list[Graph]:
        """What there is to draw: the networks, and what is made by them without data."""
        return [*self.networks.values(), *([self.generation] if self.generation is not None else [])]

    @cached_property
    def judged_losses(self) -> tuple[str, ...]:
        """The losses that other splits can be judged by: those that need no gradients."""
        return tuple(name for name in self.losses if name not in self.training_only)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The phases and the averages, in the order in which they run."""
        steps: list[Step] = []
        for place in range(len(self.phases) + 1):
            steps += [average for average in self.averages if average.place == place]
            steps += self.phases[place : place + 1]
        return tuple(steps)

    def learned_by(self, phase: Phase) -> dict[str, int]:
        """The losses of a phase that have parameters of their own, and how many."""
        return {
            name: self.losses[name].parameters(*self.loss_sizes[name])
            for name in phase.losses
            if self.losses[name].learns
        }

    @property
    def resolved(self) -> str:
        """The file with its includes in place and its variables replaced: compiles to the same program."""
        return self.resolve({})

    def resolved_with(self, names: Mapping[Path, str]) -> str:
        """The same, with other names for Python files: those of copies, as the text is to include them."""
        return self.resolve(names)

    def _repr_svg_(self) -> str:
        """The diagrams of its networks, which notebooks show."""
        from netcfg.draw import picture_of

        return picture_of(self, {})._repr_svg_()
