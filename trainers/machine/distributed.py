"""Several processes that train together: `torchrun --nproc-per-node=N -m netcfg train FILE`.

Each process has a replica of the networks and its share of every batch; `batch_size` is that of one process. After
every backward pass all replicas have the mean of their gradients, so that they stay equal.

Networks that a phase computes once on a batch are wrapped in DistributedDataParallel, which exchanges gradients while
the backward pass is still going on. It cannot serve networks that are computed several times before one backward pass,
that a gradient penalty differentiates itself, or whose parameters are not all reached: its bookkeeping counts one
forward to one backward, and every parameter once. Their gradients are exchanged after the backward pass, flattened
into one vector, as StyleGAN's published trainer does for the same reason.

A process that fails must not leave the others waiting. Every exchange is preceded by an *agreement*, in which each
says whether it is well; whoever fails takes part in one agreement more, and the first to fail tells why.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, distributed, nn

from netcfg.passes.gradients import differentiated
from netcfg.passes.plan import Plan, counted_alike, network_of
from netcfg.program import Program
from netcfg.source import NetcfgError

_HEADER = 10  # numbers that describe a tensor: its type, how many axes it has, their sizes
_TYPES = (torch.float32, torch.float64, torch.int64, torch.uint8, torch.int32)


class PeerFailed(NetcfgError):
    """Another process failed, and tells why itself. `is_told`: whether there is nothing more to say."""

    def __init__(self, message: str, is_told: bool = True) -> None:
        super().__init__(message, code="NC806")
        self.is_told = is_told


@dataclass(frozen=True)
class Agreement:
    """What the processes agreed on: the first that failed, whether one was asked to stop, whether to save."""

    failed: int | None
    stop: bool
    save: bool


class Team:
    """The processes of a training; one alone agrees with itself at once.

    Shares go by `rank`, 0 to `size - 1`. Only the first writes files and prints.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank = rank
        self.size = size

    @property
    def is_first(self) -> bool:
        """Whether this process writes and prints."""
        return self.rank == 0

    # --- agreements

    def agree(self, *, failed: bool = False, stop: bool = False, save: bool = False) -> Agreement:
        """Say how this process stands; hear how all do. Raises `PeerFailed` where one is gone."""
        if self.size == 1:
            return Agreement(0 if failed else None, stop, save)
        # Three questions in one exchange: the least rank that failed, and 0 where anybody wants to stop, or
        # to save.
        said = torch.tensor([self.rank if failed else self.size, int(not stop), int(not save)])
        self._exchange(lambda: distributed.all_reduce(said, distributed.ReduceOp.MIN))
        first, nobody_stops, nobody_saves = said.tolist()
        return Agreement(None if first == self.size else first, not nobody_stops, not nobody_saves)

    def check(self, *, stop: bool = False, save: bool = False) -> Agreement:
        """An agreement of a process that is well. Raises `PeerFailed` where another is not."""
        agreed = self.agree(stop=stop, save=save)
        if agreed.failed is not None:
            raise PeerFailed(f"process {agreed.failed} of this training failed")
        return agreed

    @contextmanager
    def together(self) -> Iterator[None]:
        """What happens inside, without exchanges, succeeds in every process or in none."""
        try:
            yield
        except Exception as error:
            self.refuse(error)
        self.check()

    def refuse(self, error: Exception) -> None:
        """Raise the error of this process, or `PeerFailed` where it is known or told elsewhere."""
        if isinstance(error, PeerFailed):
            raise error
        first = self.agree(failed=True).failed
        if first != self.rank:
            raise PeerFailed(f"process {first} of this training failed") from None
        if isinstance(error, NetcfgError):
            error.is_agreed = True  # type: ignore[attr-defined]  # the command then knows who tells it
        raise error

    def _exchange(self, exchange: Callable[[], object]) -> None:
        try:
            exchange()
        except RuntimeError as error:
            raise lost_peer(error) or error from None

    # --- tensors

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """The sums over processes, in double precision."""
        if self.size == 1:
            return list(numbers)
        summed = torch.tensor(numbers, dtype=torch.float64)
        self._exchange(lambda: distributed.all_reduce(summed))
        return [float(number) for number in summed.tolist()]

    def first(self, number: float) -> float:
        """The number of the first process: decisions must not hang on another machine's last bit."""
        if self.size == 1:
            return number
        told = torch.tensor([number], dtype=torch.float64)
        self._exchange(lambda: distributed.broadcast(told, 0))
        return float(told.item())

    def text(self, text: str) -> str:
        """The first process's text."""
        if self.size == 1:
            return text
        encoded = torch.tensor(list(text.encode()), dtype=torch.uint8)
        (told, *_) = self.gather(encoded)
        return bytes(told.tolist()).decode()

    def gather(self, rows: Tensor | None) -> list[Tensor]:
        """The rows of every process, by rank: as many as each has, of one shape and type. None: there are none.

        On the processor.
        """
        if self.size == 1:
            return [] if rows is None else [rows]
        headers = [torch.zeros(_HEADER, dtype=torch.int64) for _ in range(self.size)]
        self._exchange(lambda: distributed.all_gather(headers, _header(rows)))
        # Who has no rows knows neither their type nor their sizes, but takes part all the same.
        kind, axes, _, *sizes = next((h for h in headers if h[2] > 0), headers[0]).tolist()
        counts = [int(header[2]) for header in headers]
        # Exchanged tensors must be of one shape; what was added is cut off below.
        padded = torch.zeros((max(counts), *sizes[: axes - 1]), dtype=_TYPES[kind])
        if rows is not None:
            padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        self._exchange(lambda: distributed.all_gather(parts, padded))
        return [part[:count] for part, count in zip(parts, counts, strict=True)]

    def copy_first(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the first one's tensors, in place."""
        if self.size == 1:
            return
        for tensor in tensors:
            data = tensor.detach()
            held = data.contiguous()  # channels-last memory is not broadcast as it lies
            self._exchange(partial(distributed.broadcast, held, 0))
            if held.data_ptr() != data.data_ptr():
                data.copy_(held)

    def mean_gradients(self, parameters: Sequence[Tensor]) -> None:
        """Give every process the mean gradients. A parameter without one in one process has none in any."""
        self.mean_of([weight.grad for weight in parameters if weight.grad is not None])

    def mean_of(self, tensors: Sequence[Tensor]) -> None:
        """Give every process the means of these, in place."""
        if self.size == 1 or not tensors:
            return
        # One exchange of one vector: each of many small ones would have to be waited for.
        vector = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self._exchange(lambda: distributed.all_reduce(vector))
        vector /= self.size
        sizes = [tensor.numel() for tensor in tensors]
        for tensor, mean in zip(tensors, torch.split(vector, sizes), strict=True):
            tensor.copy_(mean.view(tensor.shape))

    def sum_of(self, numbers: Tensor) -> Tensor:
        """The sums over processes, on the device where they are."""
        if self.size == 1:
            return numbers
        summed = numbers.clone()
        self._exchange(lambda: distributed.all_reduce(summed))
        return summed


ALONE = Team()


def lost_peer(error: RuntimeError) -> PeerFailed | None:
    """A connection that broke, in words; None where the error is another one."""
    reason = str(error).strip().partition("\n")[0]
    if not isinstance(error, distributed.DistError) and "gloo" not in reason and "NCCL" not in reason:
        return None
    return PeerFailed(
        f"another process of this training is gone ({reason})\n"
        "help: its own message says why; `--resume` with as many processes continues from the last checkpoint",
        is_told=False,
    )


@contextmanager
def join(device: torch.device, rank: int, size: int) -> Iterator[Team]:
    """The team that `torchrun` has started this process for; on leaving, the connection is closed."""
    if size == 1:
        yield Team()
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # Numbers of a GPU go by NCCL; what processes tell each other stays on processors, and waits for no GPU.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(rank, size)
    finally:
        distributed.destroy_process_group()


def place_in_team() -> tuple[int, int, int]:
    """(rank, size, rank on this machine) as `torchrun` set them; (0, 1, 0) without it."""
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    found = [os.environ.get(name, "") for name in names]
    if not all(value.isdecimal() for value in found):
        return 0, 1, 0
    rank, size, local = map(int, found)
    return rank, size, local


def wrap_networks(program: Program, networks: nn.ModuleDict, plan: Plan, team: Team) -> dict[str, nn.Module]:
    """The networks, by name, that DistributedDataParallel can serve, wrapped in it; see the head of this file."""
    if team.size == 1:
        return {}
    return {
        name: _wrapped(networks[name])
        for name in _served(program, plan)
        if any(weight.requires_grad for weight in networks[name].parameters())
    }


def _wrapped(network: nn.Module) -> nn.Module:
    with warnings.catch_warnings():  # newer versions of torch have another name for one of the options
        warnings.simplefilter("ignore", FutureWarning)
        return nn.parallel.DistributedDataParallel(
            network,
            broadcast_buffers=False,  # those of the first process hold, from the end of an epoch on
            init_sync=False,  # `copy_first` has made the replicas equal
        )


def _served(program: Program, plan: Plan) -> Iterator[str]:
    """Networks with one output that all of their parameters feed, computed once for the phase that trains them."""
    evaluated = {name for loss in program.losses.values() for name in loss.evaluates}
    evaluated |= differentiated(plan.model)  # whose graph is gone through several times
    for phase in program.phases:
        if len(counted_alike(program, phase)) > 1:  # their gradients come in several backward passes
            continue
        for name in phase.optimizer.networks:
            graph = program.networks[name]
            single = len(graph.outputs) == 1 and name not in evaluated
            if single and _feeds_output(program, name) and _computed_once(plan, phase.name, name):
                yield name


def _computed_once(plan: Plan, phase: str, name: str) -> bool:
    """Whether every batch on which the phase runs computes the network once with history for it."""
    for pattern in plan.patterns:
        if phase not in [running.phase.name for running in pattern.step.phases]:
            continue
        nodes = [
            compute.node
            for running in pattern.step.phases
            for compute in running.computes
            if compute.history == phase
        ]
        if sum(network_of(plan.model, node) == name for node in nodes) != 1:
            return False
    return True


def _feeds_output(program: Program, name: str) -> bool:
    """Whether a gradient at the network's output reaches every block that has parameters to train."""
    graph = program.networks[name]
    reached: set[int] = set()
    waiting = [signal.producer for signal in graph.outputs.values()]
    while waiting:
        index = waiting.pop()
        node = graph.nodes[index]
        if index not in reached and not node.block.stops_gradient:
            reached.add(index)
            waiting += [signal.producer for signal in node.inputs]
    # A block of several results may feed only some of them.
    return all(
        index in reached and len(node.outputs) == 1
        for index, node in enumerate(graph.nodes)
        if node.trainable
    )


def _header(rows: Tensor | None) -> Tensor:
    header = torch.zeros(_HEADER, dtype=torch.int64)
    if rows is not None:
        header[0], header[1] = _TYPES.index(rows.dtype), rows.ndim
        header[2 : 2 + rows.ndim] = torch.tensor(rows.shape)
    return header


__all__ = ["ALONE", "Agreement", "PeerFailed", "Team", "join", "lost_peer", "place_in_team", "wrap_networks"]
