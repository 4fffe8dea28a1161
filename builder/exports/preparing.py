"""What the data do to pictures before a network sees them, as lines that an export begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from netcfg.blocks.network.model import DataField, NetworkUse
from netcfg.blocks.transforms.base import Transform, targets
from netcfg.blocks.transforms.normalise import Normalise
from netcfg.datasets.pipeline import finish_fields
from netcfg.program import Data, Program
from netcfg.source import NetcfgError


@dataclass(frozen=True)
class Preparation:
    """Of one network: by input that is a picture of bytes its field of the data, and what is folded in."""

    data: Data
    fields: Mapping[str, str]

    @property
    def pictures(self) -> tuple[str, ...]:
        """The inputs that become pictures of bytes, from 0 to 255, channels first."""
        return tuple(self.fields)

    def lines(self, name: str) -> list[str]:
        """What makes of an input what the network sees, in Python."""
        lines = [f"{name} = {name}.float() / 255"]
        for step in self._steps(name):
            if any(step.means):
                lines.append(f"{name} = {name} - {_written(step.means, name)}")
            if any(value != 1 for value in step.deviations):
                lines.append(f"{name} = {name} / {_written(step.deviations, name)}")
        return lines

    def see(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the network sees of inputs, by the data's own steps."""
        made = dict(inputs)
        for name, field in self.fields.items():
            steps = [step.lower(self.data.fields) for step in self._steps(name)]
            finishers = [lambda batch, random, step=step: step(batch) for step in steps]
            made[name] = finish_fields(
                {field: inputs[name]}, {field: "image"}, finishers, torch.device("cpu")
            )[field]
        return made

    def told(self) -> dict[str, object]:
        """What the report says: what is in the file, and what is not and has to be done before."""
        return {
            "preprocessing": {
                name: {
                    "takes": "uint8 from 0 to 255, channels first, in the network's size",
                    "in the file": ["/ 255", *(_in_words(step) for step in self._steps(name))],
                    "to be done before": [f"[{step.type_name}]" for step in self._before(name)],
                }
                for name in self.fields
            }
        }

    def _applied(self, name: str) -> list[Transform]:
        found: list[Transform] = []
        field, known = self.fields[name], self.data.source.fields()
        for step in self.data.transforms:
            if isinstance(step, Transform) and step.applies(False) and (not step.only or field in step.only):
                found.append(step)
            known = step.fields_in(known, False)
        return found

    def _steps(self, name: str) -> list[Normalise]:
        field = self.fields[name]
        return [
            step
            for step in self._applied(name)
            if isinstance(step, Normalise) and field in targets(step, self.data.fields, ("image", "flow"))
        ]

    def _before(self, name: str) -> list[Transform]:
        return [step for step in self._applied(name) if not isinstance(step, Normalise)]


def preparation_of(program: Program, name: str) -> Preparation:
    """What the data do for a network. Raises `NetcfgError` (NC801) where that is nothing, or not one thing."""
    data, graph = program.data, program.networks[name]
    found: dict[str, set[str]] = {one: set() for one in graph.inputs}
    if data is not None and program.model is not None:
        for node in program.model.nodes:
            if isinstance(node.block, NetworkUse) and node.block.network.name == name:
                for one, signal in zip(graph.inputs, node.inputs, strict=True):
                    block = program.model.nodes[signal.producer].block
                    is_picture = isinstance(block, DataField) and block.spec.kind in ("image", "flow")
                    found[one].add(program.model.nodes[signal.producer].path if is_picture else "")
    fields = {}
    for one, names in found.items():
        kept = names - {""}
        if kept and data is not None:
            lines = {tuple(Preparation(data, {one: field}).lines(one)) for field in sorted(kept)}
            if "" in names or len(lines) > 1:
                raise NetcfgError(
                    f"--with-preprocessing: {name}'s `{one}` is not fed by one field of the data alone\n"
                    "help: export it without, and prepare pictures as `{Data}` does",
                    code="NC801",
                )
            fields[one] = min(kept)
    if not fields or data is None:
        raise NetcfgError(
            f"--with-preprocessing: no picture of the data is an input of {name}\n"
            "help: export it without, or another network (`--network NAME`)",
            code="NC801",
        )
    return Preparation(data, fields)


def with_preparation(network: nn.Module, inputs: Sequence[str], preparation: Preparation) -> nn.Module:
    """A module that prepares pictures and calls the network."""
    lines = [line for name in preparation.pictures for line in preparation.lines(name)]
    source = "\n".join(
        [
            f"def forward(self, {', '.join(inputs)}):",
            *(f"    {line}" for line in lines),
            f"    return self.network({', '.join(inputs)})",
        ]
    )
    scope: dict[str, object] = {}
    # Our own text: names of inputs were checked to be words, the rest are numbers.
    exec(source, scope)
    kind = type("Prepared", (nn.Module,), {"forward": scope["forward"]})
    made: nn.Module = kind()
    made.network = network
    return made


def _written(values: Sequence[float], name: str) -> str:
    if len(set(values)) == 1:
        return repr(values[0])
    return f"{name}.new_tensor([{', '.join(map(repr, values))}]).view(-1, 1, 1)"


def _in_words(step: Normalise) -> str:
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (step.means, step.deviations))
    return f"minus mean {mean}, by std {std}"


__all__ = ["Preparation", "preparation_of", "with_preparation"]
