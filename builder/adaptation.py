"""Weights of one network adapted to another: which tensor goes where, and how it is made to fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt

import torch
from torch import Tensor, nn

from netcfg.graph import Graph, Node, WeightRequest
from netcfg.source import Finding, NetcfgError, Span

SHOWN_DIFFERENCES = 8
MapShape = tuple[int, int, int]


class WeightsError(NetcfgError):
    """A file of weights that cannot be used; `code` is the finding's, `help` what to do."""

    def __init__(self, message: str, code: str = "NC603", help: str | None = None) -> None:
        super().__init__(message + (f"\nhelp: {help}" if help else ""), code)
        self.message = message
        self.code: str = code
        self.help = help

    def finding(self, span: Span | None = None) -> Finding:
        """The error as a finding, at the place that asks for the file."""
        return Finding(self.code, self.message, span, help=self.help)


@dataclass
class Loaded:
    """What became of the weights that a file asked for, by parameter name below `path` in `network`."""

    source: str
    loaded: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    network: str = ""
    path: str = ""

    def __str__(self) -> str:
        return (
            f"{self.source}: {len(self.loaded)} parameters loaded, {len(self.adapted)} adapted, "
            f"{len(self.left_out)} left as they were, {len(self.left_over)} of the file not used"
        )


# --- what a network's file says of its weights


@dataclass(frozen=True)
class Adaptation:
    """What a network says of the weights it starts from, by the path of a block below the asking one.

    `sources` are the names in the file of the blocks that have another there, `maps` the shapes (C×H×W) of the maps
    that connected blocks read in one row, `outputs` the blocks that make the network's output.
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    maps: Mapping[str, MapShape] = field(default_factory=dict)
    outputs: frozenset[str] = frozenset()

    def source_name(self, key: str) -> str:
        """The name in the file of a parameter of ours."""
        for path in _paths(key):
            if path in self.sources:
                return ".".join(filter(None, (self.sources[path], _relative(key, path))))
        return key

    def map_of(self, key: str) -> MapShape | None:
        """The map that the block of a parameter reads in one row."""
        return next((self.maps[path] for path in _paths(key) if path in self.maps), None)

    def is_output(self, key: str) -> bool:
        """Whether a parameter is of a block that makes the output."""
        return any(path in self.outputs for path in _paths(key))


def _paths(key: str) -> Iterator[str]:
    """The paths that a parameter's name begins with, the longest first, the network's own last."""
    path = key
    while path:
        path = path.rpartition(".")[0]
        yield path


def adaptation(graph: Graph, request: WeightRequest) -> Adaptation:
    """What a network says of the weights that are asked for at one of its blocks."""
    sources = {}
    maps = {}
    below = [node for node in graph.blocks if node.parameters and lies_below(node.path, request.path)]
    for node in below:
        path = _relative(node.path, request.path)
        source = _relative(node.source_path or node.path, request.source_path)
        source = ".".join(filter(None, (request.part, source)))
        if source != path:
            sources[path] = source
        if (shape := _flattened_map(graph, node)) is not None:
            maps[path] = shape
    outputs = _output_blocks(graph) & {node.path for node in below}
    return Adaptation(sources, maps, frozenset(_relative(path, request.path) for path in outputs))


def lies_below(path: str, outer: str) -> bool:
    """Whether a path is another or leads below it; "" is the whole network."""
    return outer in ("", path) or path.startswith(f"{outer}.")


def _relative(path: str, outer: str) -> str:
    return path[len(outer) + 1 :] if outer else path


def _flattened_map(graph: Graph, node: Node) -> MapShape | None:
    """The map that a block reads in one row; None where it reads anything else."""
    if not node.inputs:
        return None
    producer = graph.nodes[node.inputs[0].producer]
    if producer.type != "flatten":
        return None
    shape = producer.inputs[0].shape
    return shape if len(shape) == 3 and all(isinstance(size, int) for size in shape) else None  # type: ignore[return-value]


def _output_blocks(graph: Graph) -> set[str]:
    """The blocks whose parameters make the outputs, with nothing learned after them."""
    found: set[str] = set()
    waiting = [signal.producer for signal in graph.outputs.values()]
    while waiting:
        node = graph.nodes[waiting.pop()]
        if node.parameters or node.shared:
            found.add(node.holder)
        else:
            waiting += [signal.producer for signal in node.inputs]
    return found


# --- copying


def sizes(tensor: Tensor) -> str:
    """The shape of a tensor, as a reader writes it."""
    return "×".join(map(str, tensor.shape)) or "one number"


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter in which a file and a network differ, and how; `source` is its name in the file, if another."""

    key: str
    how: str
    source: str = ""

    def named(self, name: str, source: str) -> str:
        """A row for it, or for a part of the network that it stands for."""
        return f"{name} (`{source}` in the file)" if self.source else name


MISSING, STRANGE = "not in the file", "only in the file"


def compare_states(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[Difference]:
    """What differs between a file and a network."""
    rows = []
    for key, value in wanted.items():
        if key not in found:
            rows.append(Difference(key, MISSING))
        elif found[key].shape != value.shape:
            rows.append(Difference(key, f"{sizes(found[key])} in the file, {sizes(value)} in the network"))
        elif is_of_another_kind(found[key], value):
            rows.append(Difference(key, kinds(found[key], value)))
    return rows + [Difference(key, STRANGE) for key in found if key not in wanted]


def is_of_another_kind(found: Tensor, wanted: Tensor) -> bool:
    """Whether real numbers are wanted, and the file has whole ones, complex ones or truth values; or complex ones."""
    return found.is_complex() or (wanted.is_floating_point() and not found.is_floating_point())


def kinds(found: Tensor, wanted: Tensor) -> str:
    """`int64 in the file, float32 in the network`."""
    theirs, ours = (str(tensor.dtype).removeprefix("torch.") for tensor in (found, wanted))
    return f"{theirs} in the file, {ours} in the network"


def paragraph(head: str, differences: Sequence[Difference]) -> str:
    """A sentence and the first few differences; those of a part that is nowhere else are one."""
    rows = list(_rows(differences))
    shown = [f"  {row}" for row in rows[:SHOWN_DIFFERENCES]]
    if len(rows) > SHOWN_DIFFERENCES:
        shown.append(f"  … and {len(rows) - SHOWN_DIFFERENCES} more")
    count = len(differences)
    differ = "1 parameter differs" if count == 1 else f"{count} parameters differ"
    return "\n".join([f"{head}: {differ}", *shown])


def _rows(differences: Sequence[Difference]) -> Iterator[str]:
    """A row for each difference, or for many of one kind in one block."""
    kinds = Counter((_head(row.key), row.how) for row in differences)
    told = set()
    for row in differences:
        kind = (_head(row.key), row.how)
        if kinds[kind] <= SHOWN_DIFFERENCES:
            yield f"{row.named(row.key, row.source)}: {row.how}"
        elif kind not in told:
            told.add(kind)
            name = row.named(f"{kind[0]}.…", f"{_head(row.source)}.…")
            yield f"{name}: {kinds[kind]} parameters {row.how}"


def _head(key: str) -> str:
    return key.partition(".")[0]


def adapt(
    state: Mapping[str, Tensor],
    module: nn.Module,
    how: str,
    output_row: int | str | None = None,
    plan: Adaptation | None = None,
    elsewhere: Sequence[str] = (),
) -> Loaded:
    """Copy a state dict into a module.

    `strict` takes equal shapes only; `tile` repeats a weight along its inputs (axis 1) where the module's is a
    whole number of times as wide; `tile_map` does so along height and width of the map that the inputs are, and
    along the inputs where they are none; `skip` leaves unequal ones as they are. With `output_row`, a weight or bias
    with more rows than the module's gives its rows from that one on; `fresh` leaves an output layer of fewer rows as
    it is. By `plan` the state's names may be others; a state that has all of the module's own, in their shapes, is
    taken as it is. What lies below a path of `elsewhere` may be missing: other files bring it. Raises `WeightsError`
    naming what does not fit.
    """
    wanted = module.state_dict()
    plan = Adaptation() if plan is None else plan
    # A run's own file already has our names and shapes, so that `weights_from` and tiling, made for the published file,
    # must not be applied a second time.
    is_own = all(key in state and state[key].shape == value.shape for key, value in wanted.items())
    fitting: dict[str, Tensor] = {}
    report = Loaded("")
    problems = []
    names = {key: key if is_own else plan.source_name(key) for key in wanted}
    for key, value in wanted.items():
        found = state.get(names[key])
        if found is not None and is_of_another_kind(found, value):
            problems.append(Difference(key, kinds(found, value), names[key] if names[key] != key else ""))
            continue
        fitted = None if found is None else _Fitting(how, output_row, plan.map_of(key)).fitted(found, value)
        if fitted is not None:
            fitting[key] = fitted
            (report.loaded if fitted is found else report.adapted).append(key)
        elif _may_stay(key, found, value, how, output_row, plan) or (
            found is None and any(lies_below(key, path) for path in elsewhere)
        ):
            report.left_out.append(key)
        else:
            problems.append(_difference(key, names[key], found, value))
    used = set(names.values())
    report.left_over = [key for key in state if key not in used]
    if problems:
        raise WeightsError(paragraph(f"the file does not fit (`adapt = {how}`)", problems), "NC602")
    # Not before everything fits: an error leaves the network as it was.
    with torch.no_grad():
        for key, tensor in fitting.items():
            wanted[key].copy_(tensor)
    return report


def _may_stay(
    key: str, found: Tensor | None, wanted: Tensor, how: str, output_row: int | str | None, plan: Adaptation
) -> bool:
    """Whether a parameter that nothing fits is left as it was initialised."""
    # Batches were not counted before PyTorch 0.4.1, and older files lack the number.
    if how == "skip" or key.endswith("num_batches_tracked"):
        return True
    fewer = found is not None and found.dim() == wanted.dim() and found.shape[:1] > wanted.shape[:1]
    return output_row == "fresh" and plan.is_output(key) and fewer


def _difference(key: str, source: str, found: Tensor | None, wanted: Tensor) -> Difference:
    """Why a parameter cannot be loaded."""
    how = MISSING if found is None else f"{sizes(found)} in the file, {sizes(wanted)} in the network"
    return Difference(key, how, source if source != key else "")


@dataclass(frozen=True)
class _Fitting:
    """The rules by which a tensor is brought into another shape."""

    how: str
    output_row: int | str | None
    map: MapShape | None

    def fitted(self, found: Tensor, wanted: Tensor) -> Tensor | None:
        """The file's tensor in the module's shape, or None where the rules do not lead there."""
        if found.shape == wanted.shape:
            return found
        if found.dim() != wanted.dim() or found.dim() == 0:
            return None
        # Rows before tiling: AUNets' late fusion takes one row of the output layer, and repeats that for both
        # streams.
        if isinstance(self.output_row, int) and found.shape[0] > wanted.shape[0]:
            found = found[self.output_row : self.output_row + wanted.shape[0]]
        if self.how in ("tile", "tile_map") and found.dim() > 1 and wanted.shape[1] % found.shape[1] == 0:
            found = self._repeated(found, wanted)
        return found if found.shape == wanted.shape else None

    def _repeated(self, found: Tensor, wanted: Tensor) -> Tensor:
        """Repeated along axis 1, or along the height and width of the map that axis 1 is."""
        # Repeated, and not halved: neither do the originals, where equal streams double what is summed.
        times = wanted.shape[1] // found.shape[1]
        inner = _smaller_map(self.map, found.shape[1]) if self.how == "tile_map" and self.map else None
        if inner is None or self.map is None:
            return found.repeat(1, times, *([1] * (found.dim() - 2)))
        channels, height, width = inner
        picture = found.reshape(-1, channels, height, width)
        return picture.repeat(1, 1, self.map[1] // height, self.map[2] // width).flatten(1)


def _smaller_map(outer: MapShape, volume: int) -> MapShape | None:
    """The map of so many numbers that fits a whole number of times into another, the most square one."""
    channels, height, width = outer
    if volume % channels:
        return None
    area = volume // channels
    # The most square one first: VGG's classifier reads 7×7, not 1×49.
    sides = ((side, area // side) for side in range(isqrt(area), 0, -1) if area % side == 0)
    for short, long in sides:
        for inner_height, inner_width in ((short, long), (long, short)):
            if height % inner_height == 0 and width % inner_width == 0:
                return channels, inner_height, inner_width
    return None
