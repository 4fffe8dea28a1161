"""The training diagram of a program as a picture that every writer takes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from netcfg.draw.formats import Picture
from netcfg.draw.ids import part_ids
from netcfg.draw.model import Box, Diagram, Frame, Wire
from netcfg.draw.options import Look
from netcfg.draw.page import write_page
from netcfg.draw.scene import Scene
from netcfg.draw.training.figure import compose_training
from netcfg.draw.training.model import Card, Training, phase_colour, training
from netcfg.passes.plan import check_planned, plan
from netcfg.program import Program
from netcfg.source import NetcfgError, did_you_mean


@dataclass
class TrainingPicture(Picture):
    """Cards and flows, which have a layout of their own."""

    training: Training | None = None

    def composed(self) -> Scene:
        """Everything in its place."""
        assert self.training is not None
        return compose_training(self.training, self.title, part_ids(self.diagrams))

    def page(self) -> str:
        """The scene in an HTML file: its lines lead back and forth, so there is nothing in it to fold."""
        return write_page(self.title, self.diagrams, self.links, self.look, self.scene, self.font)


def training_picture(program: Program, phases: Sequence[str] = (), scale: float = 2.0) -> TrainingPicture:
    """The picture of a program's training step; with `phases`, of these and what they need.

    Raises `NetcfgError` for a phase that the program does not have, `ProgramError` (NC403) where it has no step.
    """
    check_planned(program, "draw")
    known = [step.name for step in program.steps]
    for name in phases:
        if name not in known:
            help = did_you_mean(name, known)
            raise NetcfgError(
                f"{program.name} has no phase `{name}`" + (f"\nhelp: {help}" if help else ""), code="NC802"
            )
    title = os.path.basename(program.name)
    shown = training(plan(program), phases)
    look = Look(direction="left-right")
    return TrainingPicture(title, [_diagram(shown, title)], scale, look=look, training=shown)


def _diagram(training: Training, name: str) -> Diagram:
    """The same as boxes and wires: the parts of the program in frames, and from each phase what it updates."""
    whole = Frame(name, training.note, name)
    for title, kinds in (
        ("Data", "data"),
        ("Model", "network block"),
        ("Loss", "loss"),
        ("Optimizer", "phase"),
    ):
        frame = Frame(title, "", title, path=title)
        frame.parts += [card.box for card in training.cards if card.kind in kinds.split()]
        whole.parts.append(frame)
    return Diagram(whole, [*_wires(training), *_updates(training.cards)])


def _wires(training: Training) -> Iterator[Wire]:
    for flow in training.flows:
        source, target = training.cards[flow.source].box, training.cards[flow.target].box
        colours = tuple(map(phase_colour, flow.gradients))
        names, cuts = _names(training, flow.gradients), _names(training, flow.cuts)
        yield Wire(source, target, "", flow.label, names, colours, cuts)


def _names(training: Training, phases: Sequence[int]) -> tuple[str, ...]:
    return tuple(training.phases[phase].name for phase in phases)


def _updates(cards: Sequence[Card]) -> Iterator[Wire]:
    networks: dict[str, list[Box]] = {}
    for card in cards:
        if card.kind == "network":
            networks.setdefault(card.box.name, []).append(card.box)
    for card in cards:
        for name in card.updates:
            for box in networks.get(name, []):
                yield Wire(card.box, box, "", "updates", (), (card.box.colour,), update=True)
