"""Checkpoints of published systems become a file of a program's weights, and the other way.

Every parameter is copied as it is. Nothing is guessed: what is missing, left over or of another shape is an error.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

import netcfg
from netcfg.builder.adaptation import (
    SHOWN_DIFFERENCES,
    STRANGE,
    Difference,
    WeightsError,
    compare_states,
    paragraph,
    sizes,
)
from netcfg.builder.layout_kinds import AnyLayout, BlockLayout, Layout, NestedLayout
from netcfg.builder.layouts import LAYOUTS, renamed
from netcfg.builder.recognition import owner_of, parameters_of, sizes_told
from netcfg.builder.weights import below, network_prefix, read_published, save_tensors
from netcfg.files import write_beside
from netcfg.graph import Graph
from netcfg.program import Program
from netcfg.source import ROW, did_you_mean, shown_path
from netcfg.words import counted

OF_ANOTHER = "give the .cfg the checkpoint was trained with as `--cfg`; `--partial` takes what fits"
COUNTER = "num_batches_tracked"
"""What batch normalisation counts; files of PyTorch before 0.4.1 do not have it."""


@dataclass
class Part:
    """One network's tensors, under our names without the network's. `origins`: what the file calls them."""

    network: str
    path: Path
    state: dict[str, Tensor]
    origins: dict[str, str]
    missing: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    filled: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    """The files of what stands in another one than the rest."""
    left_out: list[str] = field(default_factory=list)
    """What was read and not written, since the other layout does not have it."""

    def lines(self) -> Iterator[str]:
        """A line per parameter: what became of it."""
        for key, value in self.state.items():
            kind = str(value.dtype).removeprefix("torch.")
            origin = "set to 0, the file does not count batches" if key in self.filled else self.origins[key]
            path = shown_path(self.paths.get(key, self.path))
            yield f"{self.network}.{key}: {sizes(value)} {kind}, {path}: {origin}"
        yield from (f"{self.network}.{key}: missing, or of another shape" for key in self.missing)
        yield from (f"{shown_path(self.path)}: {key} left over" for key in self.left_over)
        yield from (
            f"{shown_path(self.path)}: {key} is not part of the layout's networks" for key in self.dropped
        )


@dataclass
class Checkpoint:
    """What was read, network by network.

    `strangers` are tensors of no network, `ignored` files of none (of optimizers, of networks not asked for).
    """

    parts: list[Part]
    strangers: list[str] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        taken = sum(len(part.state) for part in self.parts)
        left_over = sum(len(part.left_over) for part in self.parts) + len(self.strangers)
        missing = sum(len(part.missing) for part in self.parts)
        networks = f"{len(self.parts)} network{'s' if len(self.parts) != 1 else ''}"
        row = f"{taken} tensors of {networks} taken, {left_over} left over, {missing} missing"
        names = ", ".join(path.name for path in self.ignored)
        row = f"{row}; not taken over: {names}" if names else row
        kept = ", ".join(f"{part.network}.{key}" for part in self.parts for key in part.left_out)
        return f"{row}; not part of the layout, and not written: {kept}" if kept else row

    def lines(self) -> Iterator[str]:
        """A line per parameter."""
        for part in self.parts:
            yield from part.lines()
        yield from (f"{key} left over, of no network" for key in self.strangers)

    def state(self) -> dict[str, Tensor]:
        """The tensors as a file of the whole program has them."""
        return {f"{part.network}.{key}": value for part in self.parts for key, value in part.state.items()}


def read_checkpoint(
    program: Program,
    inputs: Sequence[Path],
    layout: AnyLayout,
    networks: Sequence[str] = (),
    epoch: int | None = None,
    partial: bool = False,
) -> Checkpoint:
    """Read files (or a folder) of a layout for the networks of a program, or for some of them.

    Raises `WeightsError` where a file is missing or damaged (NC601, NC603), and, unless `partial`, where it does not
    hold exactly the program's parameters (NC602).
    """
    chosen = _networks(program, networks)
    _expect_suited(layout, chosen)
    if isinstance(layout, BlockLayout):
        checkpoint = Checkpoint([])
        files = _files_by_network(
            inputs, layout, chosen, epoch, checkpoint.ignored, bool(networks) or partial
        )
        for name, path in files.items():
            checkpoint.parts.append(_part(read_published(path, layout), path, layout, chosen[name]))
    else:
        if isinstance(layout, NestedLayout):
            checkpoint = _of_entries(inputs, layout, chosen)
        else:
            checkpoint = _of_one_file(_only(inputs), layout, chosen, bool(networks))
    shapes = [{key: value.shape for key, value in part.state.items()} for part in checkpoint.parts]
    problems = _differences(checkpoint, chosen, program)
    if problems and not partial:
        told = (
            sizes_told(
                found,
                {key: value.shape for key, value in parameters_of(chosen[part.network]).items()},
                layout,
            )
            for part, found in zip(checkpoint.parts, shapes, strict=True)
        )
        help = next(filter(None, told), None) or owner_of(shapes, layout) or OF_ANOTHER
        raise WeightsError(ROW.join(problems), "NC602", help)
    return checkpoint


def write_published(
    checkpoint: Checkpoint, target: Path, layout: AnyLayout, program: Program, epoch: int
) -> None:
    """Write networks as another system's checkpoint: a folder, or for layouts of a single state dict a file."""
    graphs = {part.network: program.networks[part.network] for part in checkpoint.parts}
    _expect_suited(layout, graphs)
    if isinstance(layout, BlockLayout):
        _write_layers(checkpoint, target, layout, graphs, epoch)
        return
    if len(checkpoint.parts) != 1 and not (isinstance(layout, NestedLayout) and "" not in layout.parts):
        raise WeightsError("this layout is one of single networks", "NC602", "name it with `--network`")
    state: dict[str, Tensor] = {}
    for part in checkpoint.parts:
        graph = graphs[part.network]
        part.left_out = layout.kept_out(part.state, graph)
        named = (
            (layout.theirs(key, graph), part.state[key]) for key in part.state if key not in part.left_out
        )
        state |= {key: layout.given(key, value) for key, value in named}
    state |= layout.further(state)
    if target.suffix == ".safetensors":
        save_tensors(target, state)
    else:
        write_beside(target, _pickled(layout.nested(state) if isinstance(layout, NestedLayout) else state))


# --- which files


def _networks(program: Program, names: Sequence[str]) -> dict[str, Graph]:
    """The networks to convert, by name."""
    for name in names:
        if name not in program.networks:
            help = did_you_mean(name, program.networks)
            raise WeightsError(f"{program.name} has no network `{name}`", "NC602", help)
    return {name: program.networks[name] for name in names or program.networks}


def _expect_suited(layout: AnyLayout, graphs: Mapping[str, Graph]) -> None:
    for graph in graphs.values():
        reason = layout.unsuited(graph)
        if reason is not None:
            raise WeightsError(
                reason, "NC602", "give the .cfg that the checkpoint was trained with as `--cfg`"
            )


def _only(inputs: Sequence[Path]) -> Path:
    if len(inputs) != 1:
        raise WeightsError(f"this layout is one of single files, and there are {len(inputs)}", "NC602")
    return inputs[0]


def _files_by_network(
    inputs: Sequence[Path],
    layout: BlockLayout,
    graphs: Mapping[str, Graph],
    epoch: int | None,
    ignored: list[Path],
    some: bool,
) -> dict[str, Path]:
    """The file of each network. In a folder: those of `epoch`, or the largest there. `some`: not all need be there."""
    files: dict[str, Path] = {}
    ignored += [path for path in inputs if path.name.startswith(layout.others) and path.is_file()]
    for path in inputs:
        if path in ignored:
            continue
        found = _files_of_folder(path, layout, graphs, epoch, ignored, some) if path.is_dir() else [path]
        for file in found:
            name = _network_of(file, layout, graphs)
            if name in files:
                message = f"{shown_path(files[name])} and {shown_path(file)} are both files of `{name}`"
                raise WeightsError(message, "NC602", "give one of them")
            files[name] = file
    if not files:
        message = f"{shown_path(inputs[0])} is the state of an optimizer, which is not taken over"
        raise WeightsError(message, "NC602", "give the networks' files, or their folder")
    return files


def _files_of_folder(
    folder: Path,
    layout: BlockLayout,
    graphs: Mapping[str, Graph],
    epoch: int | None,
    ignored: list[Path],
    some: bool,
) -> list[Path]:
    """The files of one epoch in a folder, in the networks' order."""
    by_epoch: dict[int, dict[str, Path]] = {}
    optimizers: dict[int, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        named = _name_and_epoch(path, layout)
        if named is None:
            continue
        if path.name.startswith(layout.others):
            optimizers.setdefault(named[1], []).append(path)
        else:
            by_epoch.setdefault(named[1], {})[_folded(named[0])] = path
    wanted = {_folded(name): name for name in graphs}
    epochs = sorted(number for number, files in by_epoch.items() if files.keys() & wanted.keys())
    # The last one, as AUDetNet takes with `--load_epoch -1`.
    taken = epoch if epoch is not None else max(epochs, default=None)
    if taken not in epochs:
        raise _no_epoch(folder, layout, epoch, epochs)
    assert taken is not None
    files = by_epoch[taken]
    ignored += optimizers.get(taken, [])
    missing = [] if some else [name for key, name in wanted.items() if key not in files]
    if missing:
        message = f"{shown_path(folder)} holds no file of {_listed(missing)} for epoch {taken}"
        help = "`--epoch N` takes another epoch, `--network NAME` only some networks"
        raise WeightsError(message, "NC601", help)
    strangers = [path for key, path in files.items() if key not in wanted]
    if strangers and not some:
        message = f"{shown_path(strangers[0])} is of no network of the program ({_listed(graphs)})"
        raise WeightsError(message, "NC602", "`--network NAME`, repeated, takes only these networks")
    ignored += strangers
    return [files[key] for key in wanted if key in files]


def _no_epoch(folder: Path, layout: BlockLayout, epoch: int | None, epochs: Sequence[int]) -> WeightsError:
    pattern = layout.file.format(network="<network>", epoch="<n>")
    if not epochs:
        return WeightsError(
            f"{shown_path(folder)} holds no file of the program's networks ({pattern})", "NC601"
        )
    known = ", ".join(map(str, epochs[-SHOWN_DIFFERENCES:]))
    more = "…, " if len(epochs) > SHOWN_DIFFERENCES else ""
    return WeightsError(f"{shown_path(folder)} holds no epoch {epoch}", "NC601", f"it holds {more}{known}")


def _name_and_epoch(path: Path, layout: BlockLayout) -> tuple[str, int] | None:
    """What the name of a file says, e.g. `Encoder_epoch_12.pth`."""
    pattern = (
        # Two characters that escaping leaves alone stand for what is looked for.
        re.escape(layout.file.format(network="\0", epoch="\1")).replace("\0", "(.+)").replace("\1", r"(\d+)")
    )
    match = re.fullmatch(pattern, path.name)
    return (match[1], int(match[2])) if match else None


def _network_of(path: Path, layout: BlockLayout, graphs: Mapping[str, Graph]) -> str:
    """The only network, or the one that the file is named after."""
    if not path.is_file():
        raise WeightsError(f"there is no file of weights {shown_path(path)}", "NC601")
    named = _name_and_epoch(path, layout)
    wanted = {_folded(name): name for name in graphs}
    if named is not None and _folded(named[0]) in wanted:
        return wanted[_folded(named[0])]
    if len(graphs) == 1:
        return next(iter(graphs))
    message = f"the name of {shown_path(path)} does not tell which network it is ({_listed(graphs)})"
    raise WeightsError(message, "NC602", "say it with `--network NAME`")


def _folded(name: str) -> str:
    """A network's name as file names may have it."""
    return re.sub(r"[\s_-]", "", name).casefold()


def _listed(names: Iterator[str] | Sequence[str] | Mapping[str, Graph]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# --- what they hold


def _part(state: Mapping[str, Tensor], path: Path, layout: AnyLayout, graph: Graph) -> Part:
    names = {key: layout.ours(key, graph) for key in state}
    origins = {ours: key for key, ours in names.items() if ours is not None}
    dropped = [key for key, ours in names.items() if ours is None]
    return Part(graph.name, path, renamed(layout, state, graph), origins, dropped=dropped)


def _of_one_file(path: Path, layout: AnyLayout, graphs: Mapping[str, Graph], asked: bool) -> Checkpoint:
    """The networks of a file that is one state dict: one, or several below their names.

    `asked`: they were asked for, so that others in the file are no mistake.
    """
    state = read_published(path, layout)
    if len(graphs) == 1:
        (graph,) = graphs.values()
        part = _part(state, path, layout, graph)
        prefix = network_prefix(part.state, graph.name, parameters_of(graph), shown_path(path))
        strangers = [] if asked else [part.origins[key] for key in part.state if not key.startswith(prefix)]
        part.state = below(prefix, part.state)
        part.origins = {key: part.origins[prefix + key] for key in part.state}
        return Checkpoint([part], strangers)
    groups: dict[str, dict[str, Tensor]] = {name: {} for name in graphs}
    checkpoint = Checkpoint([])
    for key, value in state.items():
        name, _, rest = key.partition(".")
        if name in groups:
            groups[name][rest] = value
        elif not asked:
            checkpoint.strangers.append(key)
    if not any(groups.values()):
        message = f"{shown_path(path)} holds parameters of none of the networks {_listed(graphs)}"
        raise WeightsError(message, "NC602", "say with `--network NAME` which network's it holds")
    for name, tensors in groups.items():
        part = _part(tensors, path, layout, graphs[name])
        part.origins = {ours: f"{name}.{theirs}" for ours, theirs in part.origins.items()}
        checkpoint.parts.append(part)
    return checkpoint


def _of_entries(inputs: Sequence[Path], layout: NestedLayout, graphs: Mapping[str, Graph]) -> Checkpoint:
    """The networks of a file of several entries; of further files what this one leaves to them."""
    others = list(dict.fromkeys(name for part in layout.parts.values() for name in part.elsewhere.values()))
    main, *further = inputs
    if len(further) > len(others):
        message = f"this layout has {counted(1 + len(others), 'file')} at most, and there are {len(inputs)}"
        raise WeightsError(message, "NC602")
    if "" in layout.parts and len(graphs) > 1:
        message = f"this layout is one of single networks, and the program has {_listed(graphs)}"
        raise WeightsError(message, "NC602", "name one with `--network`")
    state = read_published(main, layout)
    beside = {path: read_published(path, LAYOUTS[name]) for path, name in zip(further, others, strict=False)}
    checkpoint = Checkpoint([])
    if not layout.holds(state):  # a file of our own: of these names
        return _of_one_file(main, Layout({}), graphs, False)
    for graph in graphs.values():
        own = {key: value for key, value in state.items() if layout.is_of(key, graph)}
        part = _part(own, main, layout, graph)
        checkpoint.parts.append(part)
        for path, tensors in beside.items():
            for key in layout.kept_out(tensors, graph):
                part.state[key], part.origins[key], part.paths[key] = tensors[key], key, path
    return checkpoint


def _differences(checkpoint: Checkpoint, graphs: Mapping[str, Graph], program: Program) -> list[str]:
    """Leave in each part what fits, in the network's order; what does not, a paragraph per network."""
    problems = []
    for part in checkpoint.parts:
        wanted = parameters_of(graphs[part.network])
        _fill_counters(part, wanted)
        rows = compare_states(part.state, wanted)
        if rows:
            head = f"{shown_path(part.path)} does not fit `{part.network}` of {program.name}"
            problems.append(paragraph(head, rows))
        fits = [key for key, value in wanted.items() if _same_shape(part.state.get(key), value)]
        part.left_over = [part.origins[key] for key in part.state if key not in wanted]
        part.missing = [key for key in wanted if key not in fits]
        part.state = {key: part.state[key] for key in fits}
    if checkpoint.strangers:
        head = f"{shown_path(checkpoint.parts[0].path)} holds parameters of no network of {program.name}"
        problems.append(paragraph(head, [Difference(key, STRANGE) for key in checkpoint.strangers]))
    return problems


def _same_shape(found: Tensor | None, wanted: Tensor) -> bool:
    return found is not None and found.shape == wanted.shape


def _fill_counters(part: Part, wanted: Mapping[str, Tensor]) -> None:
    for key in wanted:
        mean = key.removesuffix(COUNTER) + "running_mean"
        if key.endswith(COUNTER) and key not in part.state and mean in part.state:
            part.state[key] = torch.zeros((), dtype=torch.int64)
            part.filled.append(key)


# --- the way back


def _write_layers(
    checkpoint: Checkpoint, folder: Path, layout: BlockLayout, graphs: Mapping[str, Graph], epoch: int
) -> None:
    """A list of state dicts per network, one for each block, empty for those without parameters."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise netcfg.NetcfgError(f"cannot make the folder {folder}: {error.strerror}", code="NC804") from None
    for part in checkpoint.parts:
        graph = graphs[part.network]
        count = 1 + max((node.position for node in graph.blocks if node.position is not None), default=-1)
        # The original loads the list by position, so that blocks without parameters have an empty place.
        layers: list[dict[str, Tensor]] = [{} for _ in range(count)]
        for key, value in part.state.items():
            _, position, rest = layout.theirs(key, graph).split(".", 2)
            layers[int(position)][rest] = value
        write_beside(folder / layout.file.format(network=part.network, epoch=epoch), _pickled(layers))


def _pickled(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()
