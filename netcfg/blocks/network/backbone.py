"""Whole networks of other libraries, as one block."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from netcfg.blocks.base import Block, ShapeError
from netcfg.blocks.made import Made, made
from netcfg.blocks.measured import Figures, Measurer, key_of, names_in, record
from netcfg.shapes import Shape, Size, Symbolic, show
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from torch import nn

LIBRARY = "library:"
"""How the source of weights begins that a library publishes."""
_IMAGE: Shape = (3, Symbolic.named("height"), Symbolic.named("width"))


class Backbone(Block, name="backbone"):
    """A whole network of torchvision or timm, with a port for each chosen stage.

    Stages are the paths of its parts as the library names them (`layer1`, `features.4`; of timm's networks numbers
    from 0); what comes after the last of them is left out. Without stages it gives its own answer, the scores of its
    classes. What it gives and costs is found by running it once, without numbers, and kept in netcfg's cache. timm is
    an extra: `pip install timm`.
    Shapes: 3×H×W -> a port per stage, `name.layer1`, the first of them by the bare name; one alone is the bare name.
    Parameters: as in the library's network, `conv1.weight` …
    Source: torchvision's `models`, timm's `create_model`.
    Example::

        [backbone]             # 3x64x64 -> 128x8x8
        model = resnet18
        stages = layer2
        pretrained = False
    """

    family: ClassVar[str] = "backbone"
    takes: ClassVar[tuple[str, ...]] = ("CHW",)

    from_library: Literal["torchvision", "timm"] = Field("torchvision", description="whose network it is")
    model: str = Field(description="what the library calls it")
    stages: tuple[str, ...] = Field((), description="the parts whose signals it gives; none: its own answer")
    pretrained: bool = Field(
        True, description="start from the weights that the library publishes, when trained"
    )

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """No such library, network or stage."""
        if find_spec(self.from_library) is None:
            message = f"`{self.from_library}` is not installed"
            return {"from_library": ("NC105", message, f"pip install {self.from_library}")}
        if len(set(self.stages)) < len(self.stages):
            return {"stages": ("NC105", "`stages` names one twice", "each stage once")}
        found = self._described()
        if "error" in found:
            return {"model": ("NC105", found["error"], found["help"])}
        for stage in self.stages:
            if stage not in found["stages"]:
                return {
                    "stages": (
                        "NC105",
                        f"`{self.model}` has no stage `{stage}`",
                        self._stage_help(stage, found),
                    )
                }
        return {}

    @staticmethod
    def _stage_help(stage: str, found: dict[str, Any]) -> str:
        if "said" in found:
            return f"its library cannot take it apart ({found['said']}): leave `stages` out"
        tops = [name for name in found["stages"] if "." not in name]
        return (
            did_you_mean(stage, found["stages"])
            or f"its parts are {', '.join(f'`{name}`' for name in tops[:12])}"
        )

    def _described(self) -> dict[str, Any]:
        def describe() -> dict[str, Any]:
            from netcfg.builder.libraries import described

            return described(self.from_library, self.model)

        kept = record(key_of(self.from_library, "network", self.model))
        found: dict[str, Any] = kept.get("described", describe, keeps=lambda one: "error" not in one)
        return found

    def _build(self) -> "nn.Module":
        from netcfg.builder.libraries import network

        return network(self.from_library, self.model, self.stages)

    def _figures(self, shape: Shape) -> Figures:
        kept = record(key_of(self.from_library, "backbone", self.model, self.stages))
        return Measurer(kept, self._build, f"`{self.model}`").figures([shape])

    def shape(self, *inputs: Shape) -> Shape | dict[str, Shape]:
        """As it gave them when it ran, in the order of `stages`."""
        if len(inputs[0]) != 3 or (isinstance(inputs[0][0], int) and inputs[0][0] != 3):
            raise ShapeError(f"takes an image of 3 channels, and is given {show(inputs[0]) or 'one number'}")
        outputs = self._figures(inputs[0]).outputs
        if len(outputs) == 1:
            return next(iter(outputs.values()))
        return {stage: outputs[stage] for stage in self.stages} if self.stages else outputs

    def axes(self, *inputs: str) -> str | dict[str, str]:
        """An axis that grows with the image's height is the height; what grows with neither is channels."""
        try:
            outputs = self._figures(_IMAGE).outputs
        except ShapeError:  # it takes images of one size: which axis is which, only its size could say
            return "" if len(self.stages) < 2 else dict.fromkeys(self.stages, "")
        letters = {port: _letters(shape) for port, shape in outputs.items()}
        return next(iter(letters.values())) if len(letters) == 1 else letters

    def parameters(self, *inputs: Shape) -> int:
        """Of the parts up to its last stage."""
        return self._figures(inputs[0]).parameters

    def frozen_parameters(self, *inputs: Shape) -> int:
        """Those that ask for no gradient."""
        return self._figures(inputs[0]).frozen

    def macs(self, *inputs: Shape) -> Size:
        """As PyTorch counts them."""
        return self._figures(inputs[0]).macs

    def kept(self, *inputs: Shape) -> Size:
        """What backward kept of it."""
        return self._figures(inputs[0]).kept

    def scratch(self, *inputs: Shape) -> Size:
        """What lived while it ran."""
        return self._figures(inputs[0]).scratch

    def weights_file(self) -> str | None:
        """What the library publishes."""
        if not self.pretrained:
            return None
        return LIBRARY + "/".join([self.from_library, self.model, *self.stages])

    def lower(self, *inputs: Shape) -> Made:
        """The library's network."""
        from netcfg.builder.libraries import network

        return made(network, self.from_library, self.model, self.stages)

    def label(self) -> str:
        """The network and its stages."""
        return ", ".join([self.model, *self.stages])


def _letters(shape: Shape) -> str:
    grows = [set(names_in(size)) for size in shape]
    if len(shape) == 1:
        return "F"
    letters = "".join("H" if "height" in one else "W" if "width" in one else "C" for one in grows)
    return letters if sorted(letters) == ["C", "H", "W"] else ""
