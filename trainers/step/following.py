"""Networks that follow others (`[moving_average]`), at work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from netcfg.blocks.changing import Scheduled
from netcfg.program import Average, Program
from netcfg.source import Finding, ProgramError
from netcfg.trainers.step.numbers import Numbers


class Following:
    """The averages of a program, by name. Networks that start equal are made so here."""

    def __init__(self, program: Program, networks: nn.ModuleDict, numbers: Numbers | None = None) -> None:
        known = numbers or Numbers(program)
        self._followers = {one.name: _Follower(one, program, networks, known) for one in program.averages}

    def step(self, name: str) -> None:
        """The turn of an average has come: it takes in the weights, unless it waits for an accumulation's end."""
        follower = self._followers[name]
        if follower.is_due or not follower.waits_for:
            follower.step()

    def catch_up(self, name: str) -> None:
        """At an epoch's end: take in what an accumulation has left."""
        follower = self._followers[name]
        if follower.is_due and follower.waits_for:
            follower.step()

    def updated(self, phase: str) -> None:
        """A phase has changed its weights."""
        for follower in self._followers.values():
            follower.is_due = follower.is_due or phase in follower.waits_for

    def state_dict(self) -> dict[str, Any]:
        """By average, what the weights do not tell: whether there is an update that it has not taken in."""
        return {name: {"is_due": one.is_due} for name, one in self._followers.items() if one.waits_for}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what `state_dict` gave; without it, as at a start."""
        for name, follower in self._followers.items():
            if name in state:
                follower.is_due = state[name]["is_due"]


class _Follower:
    """One average: the tensors that it moves, and those that it moves them to."""

    def __init__(self, average: Average, program: Program, networks: nn.ModuleDict, numbers: Numbers) -> None:
        section = average.section
        self._momentum = section.momentum
        self._numbers = numbers
        self.waits_for = frozenset(
            phase.name
            for phase in program.phases
            if phase.optimizer.accumulate > 1 and set(phase.optimizer.networks) & set(section.of)
        )
        """The phases without whose updates the weights that it follows have not changed."""
        self.is_due = False
        self._averaged: list[tuple[Tensor, Tensor]] = []
        self._copied: list[tuple[Tensor, Tensor]] = []
        for name, of in section.pairs:
            weights = list(_paired(average, networks, name, of, "parameters"))
            buffers = list(_paired(average, networks, name, of, "buffers"))
            if section.start_equal:
                _copy(weights + buffers)
            self._averaged += weights
            for own, other in buffers if section.buffers != "own" else ():
                # A count of batches, say: a mean of whole numbers is none.
                averaged = section.buffers == "average" and own.is_floating_point()
                (self._averaged if averaged else self._copied).append((own, other))

    @property
    def kept(self) -> float:
        """How much of a weight stays, now."""
        momentum = self._momentum
        return self._numbers.now[momentum.name] if isinstance(momentum, Scheduled) else momentum

    def step(self) -> None:
        """Each weight = momentum · weight + (1 - momentum) · the other's."""
        self.is_due = False
        if self._averaged:
            own, other = zip(*self._averaged, strict=True)
            torch._foreach_lerp_(own, other, 1.0 - self.kept)
        _copy(self._copied)


def _paired(
    average: Average, networks: nn.ModuleDict, name: str, of: str, kind: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Parameters or buffers of two networks by name. What only built networks tell apart is refused (NC415)."""
    own, other = (
        {key: tensor.detach() for key, tensor in _tensors(networks[one], kind)} for one in (name, of)
    )
    for key in dict.fromkeys([*own, *other]):
        shapes = [str(tuple(tensors[key].shape)) if key in tensors else "missing" for tensors in (own, other)]
        if shapes[0] != shapes[1]:
            message = (
                f"`{name}` cannot follow `{of}`: `{key}` is {shapes[0]} in `{name}`, {shapes[1]} in `{of}`"
            )
            help = f"`same_as = {of}` in the [net] of {name}"
            raise ProgramError([Finding("NC415", message, average.span, help=help)])
        yield own[key], other[key]


def _tensors(network: nn.Module, kind: str) -> Iterator[tuple[str, Tensor]]:
    # Compiled or not, a network's own names.
    yield from network.named_parameters() if kind == "parameters" else network.named_buffers()


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    for own, other in pairs:
        own.copy_(other)


__all__ = ["Following"]
