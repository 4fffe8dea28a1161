"""Numbers drawn at random that are a function of where a run stands: whoever computes them again gets the same.

A block that draws keeps nothing of what it drew. It asks for a generator that is seeded by the run's seed, the moment
(epoch and batch, or in evaluation the sample), the use of its network and its own path; so a run that is resumed, and a
phase that computes a signal again, draw the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import NamedTuple

import torch
from torch import Tensor, nn

AHEAD = 2**16
"""So many numbers are drawn for a sample at once, where a loop draws in each turn."""
MOST_AHEAD = 32
"""Of so many turns at most."""
Draw = Callable[[torch.Generator | None, torch.device, int], Tensor]
"""Draws so many samples on a device."""
Mix = Callable[[Tensor, Tensor, float], Tensor]
"""What lies between two draws: 0 is the first, 1 the second."""


class Between(NamedTuple):
    """A sample on the way from one to another: `part`, from 0 to 1, is how far."""

    first: int
    second: int
    part: float


def nearer(first: Tensor, second: Tensor, part: float) -> Tensor:
    """The one of two draws that is nearer: of classes, say, which nothing lies between."""
    return first if part < 0.5 else second


class Moment(NamedTuple):
    """Where a run stands, as far as draws hang on it (see `Chance`)."""

    numbers: tuple[int | Between, ...] | None
    phase: str
    moment: tuple[int | str, ...]
    use: str


class Chance:
    """What is drawn in a run. One for each process; `rank` is the process's number.

    Told where the run stands by `train` or `evaluate`, before the batch is computed.
    """

    def __init__(self, seed: int = 0, rank: int = 0) -> None:
        self.seed = seed
        self.rank = rank
        self.phase = ""
        """The phase that is computed, for what is drawn anew in each."""
        self.numbers: tuple[int | Between, ...] | None = None
        """In evaluation the numbers of the batch's samples in their split."""
        self._moment: tuple[int | str, ...] = ("", rank)
        self._use = ""
        self._around = ""
        self._turn: int | None = None
        self._ahead: dict[tuple[str, str, int], Tensor] = {}

    def train(self, epoch: int, batch: int) -> None:
        """A batch of an epoch is trained on."""
        self.numbers = None
        # With the rank: processes hold different samples, and must not all draw the same for them.
        self._moment = ("train", epoch, batch, self.rank)

    def evaluate(self, numbers: Sequence[int | Between]) -> None:
        """Samples are judged, in whatever batches and processes; or made, some of them between others."""
        self.numbers = tuple(numbers)
        # Without it: a sample draws the same in whichever process it is judged.
        self._moment = ("evaluation",)
        self.phase = ""

    @contextmanager
    def used_by(self, name: str) -> Iterator[None]:
        """Inside, what is drawn belongs to that use of a network."""
        before, self._use = self._use, f"{self._around}{name}"
        try:
            yield
        finally:
            self._use = before

    @contextmanager
    def turns(self, name: str) -> Iterator[Callable[[int], None]]:
        """Inside runs a loop of that name, and tells by its number when a turn begins, whose draws are its own."""
        before = self._around, self._turn
        outer = "" if self._turn is None else f"{self._turn}/"
        self._around = f"{self._around}{outer}{name}/"
        try:
            yield self._begin
        finally:
            self._around, self._turn = before
            self._ahead.clear()

    def _begin(self, turn: int) -> None:
        self._turn = turn

    def moment(self) -> Moment:
        """Where the run stands."""
        return Moment(self.numbers, self.phase, self._moment, self._use)

    @contextmanager
    def at(self, moment: Moment) -> Iterator[None]:
        """Inside, what is drawn is drawn as it was then."""
        now = self.moment()
        self.numbers, self.phase, self._moment, self._use = moment
        try:
            yield
        finally:
            self.numbers, self.phase, self._moment, self._use = now

    def samples(
        self,
        draw: Draw,
        count: int,
        device: torch.device,
        path: str,
        each_phase: bool,
        mix: Mix = nearer,
        size: int = AHEAD,
    ) -> Tensor:
        """A draw for each of so many samples, of `size` numbers each: in evaluation by theirs, else for the batch."""
        # Places as samples, say, have no numbers: for such a batch there is one draw as a whole.
        if self.numbers is None or len(self.numbers) != count:
            more = () if self._turn is None else (self._turn,)
            return draw(self.generator(device, path, each_phase, *more), device, count)
        if not self.numbers:
            return draw(None, device, 0)
        if self._turn is None:
            return self._rows(draw, 1, path, mix).to(device)
        # By sample each draw costs a generator: for small ones that of several turns is made at once.
        most = max(1, min(MOST_AHEAD, AHEAD // max(size, 1)))
        key = (self._use, path, self._turn // most)
        if key not in self._ahead:
            self._ahead.pop((self._use, path, key[2] - 1), None)
            rows = self._rows(draw, most, path, mix, key[2]).to(device)
            self._ahead[key] = rows.reshape(count, most, *rows.shape[1:]).transpose(0, 1).contiguous()
        return self._ahead[key][self._turn % most]

    def _rows(self, draw: Draw, each: int, path: str, mix: Mix, *more: int) -> Tensor:
        """So many draws for each of the samples, one sample's after the other."""
        assert self.numbers is not None
        # Whatever the device: a GPU's generator gives other numbers, and figures would hang on the machine.
        processor = torch.device("cpu")

        def drawn(number: int) -> Tensor:
            return draw(self._seeded(processor, path, number, *more), processor, each)

        return torch.cat(
            [
                mix(drawn(one.first), drawn(one.second), one.part) if isinstance(one, Between) else drawn(one)
                for one in self.numbers
            ]
        )

    def generator(
        self, device: torch.device, path: str, each_phase: bool = False, *more: int, of_all: bool = False
    ) -> torch.Generator:
        """What draws for a batch as a whole; `more` tells draws of one place apart.

        `of_all`: for the batches of all processes, in each of which it draws the same.
        """
        first = self.numbers[:1] if self.numbers is not None else ()
        moment = (*self._moment[:-1], 0) if of_all and self.numbers is None else self._moment
        return self._seeded(device, path, self.phase if each_phase else "", *first, *more, moment=moment)

    def _seeded(
        self,
        device: torch.device,
        path: str,
        *more: int | str | Between,
        moment: tuple[int | str, ...] | None = None,
    ) -> torch.Generator:
        key = (self.seed, *(self._moment if moment is None else moment), self._use, path, *more)
        # Not `hash`, which Python salts anew in every process.
        digest = blake2b(repr(key).encode(), digest_size=8).digest()
        return torch.Generator(device).manual_seed(int.from_bytes(digest, "big") >> 1)

    def give(self, module: nn.Module, path: str = "") -> None:
        """Let all that draws in a module draw from here."""
        for name, part in module.named_modules():
            if isinstance(part, Drawing):
                part.chance = self
                part.path = f"{path}.{name}" if path and name else path or name


class Drawing(nn.Module):
    """What draws. Without a `chance`, as in a network by itself, it draws from PyTorch's own generator."""

    chance: Chance | None = None
    path: str = ""
