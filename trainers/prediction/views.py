"""A picture seen in several ways (mirrored, nearer, farther), and the way back of what networks answer of it.

Legend: N samples, C channels, K classes or points, H height, W width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from netcfg.blocks.fields import LENGTHS
from netcfg.datasets.transforms.geometry import MIRRORED_POINTS
from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer

WAYS = ("flip", "scale")
ZOOMS = (1.0, 1.1, 1 / 1.1)
"""How large `scale` shows things, beside as they are; where it shrinks, the border is mirrored."""


@dataclass(frozen=True)
class View:
    """One way to see a picture; the plain one changes nothing."""

    flipped: bool = False
    zoom: float = 1.0

    def seen(self, fields: Mapping[str, Tensor], pictures: Sequence[str]) -> dict[str, Tensor]:
        """A batch with its pictures (N×C×H×W, clips N×T×C×H×W) seen so."""
        return {name: self._seen(x) if name in pictures else x for name, x in fields.items()}

    def _seen(self, x: Tensor) -> Tensor:
        x = x.flip(-1) if self.flipped else x
        return x if self.zoom == 1 else zoomed(x, self.zoom, "reflection")

    def back(self, answer: Answer, values: Tensor) -> tuple[Tensor, Tensor | None]:
        """What was answered of a picture seen so, as it lies in the picture itself; and how much each place counts.

        Places that were out of sight do not count; None: all count alike.
        """
        if answer.kind == "points":
            return self._points(answer, values), None
        if answer.kind not in ("mask", "map", "picture"):
            return values, None
        values = values.flip(-1) if self.flipped else values
        if self.zoom == 1:
            return values, None
        there = zoomed(torch.ones_like(values[:, :1]), 1 / self.zoom, "zeros")
        return zoomed(values, 1 / self.zoom, "border"), there

    def _points(self, answer: Answer, points: Tensor) -> Tensor:
        """Points (N, K, 2) in pixels, whole numbers at their centres."""
        size = torch.tensor(answer.size[::-1], dtype=points.dtype, device=points.device)
        points = points.reshape(len(points), -1, 2)
        if self.flipped:
            mirrored = torch.stack([size[0] - 1 - points[..., 0], points[..., 1]], -1)
            points = mirrored[:, torch.as_tensor(MIRRORED_POINTS, device=points.device)]
        middle = (size - 1) / 2
        return (points - middle) / self.zoom + middle


def zoomed(x: Tensor, zoom: float, beyond: str) -> Tensor:
    """Pictures enlarged about their middle, at their size; `beyond` is what lies past their border, as torch has it."""
    flat = x.reshape(-1, *x.shape[-3:])
    turn = torch.tensor([[1 / zoom, 0.0, 0.0], [0.0, 1 / zoom, 0.0]], dtype=flat.dtype, device=flat.device)
    grid = functional.affine_grid(turn.expand(len(flat), 2, 3), list(flat.shape), align_corners=False)
    return functional.grid_sample(flat, grid, padding_mode=beyond, align_corners=False).reshape(x.shape)


def views_of(ways: Sequence[str]) -> tuple[View, ...]:
    """All combinations of some of `WAYS`, the plain view first."""
    flips = (False, True) if "flip" in ways else (False,)
    zooms = ZOOMS if "scale" in ways else ZOOMS[:1]
    return tuple(View(flipped, zoom) for flipped in flips for zoom in zooms)


def read_ways(text: str | None) -> tuple[str, ...]:
    """`flip,scale` as written on a command line. Raises `NetcfgError` for others."""
    if text is None:
        return ()
    ways = tuple(dict.fromkeys(way.strip() for way in text.split(",")))
    unknown = next((way for way in ways if way not in WAYS), None)
    if unknown is not None:
        raise NetcfgError(
            f"`--tta {text}`: there is no `{unknown}`\nhelp: {', '.join(WAYS)}, or both, `--tta flip,scale`",
            code="NC801",
        )
    return ways


def expect_possible(
    answers: Sequence[Answer], kinds: Mapping[str, str], ways: Sequence[str], name: str
) -> tuple[str, ...]:
    """The pictures among the fields that networks read, by their kinds.

    Raises `NetcfgError` where what they read, or answer, has no such view: flow, or points without known counterparts.
    """
    other = next(
        (field for field, kind in kinds.items() if kind != "image" and not field.startswith(LENGTHS)), None
    )
    if other is not None:
        raise NetcfgError(
            f"{name} reads `{other}`, which `--tta` cannot show in another way: only pictures can be\n"
            "help: leave `--tta` out",
            code="NC801",
        )
    for answer in answers:
        if answer.kind == "points" and (
            0 in answer.size or "flip" in ways and answer.count != len(MIRRORED_POINTS)
        ):
            why = (
                "whose pictures have no known size"
                if 0 in answer.size
                else f"of which nobody says how they change sides, as of the {len(MIRRORED_POINTS)} points of a face"
            )
            raise NetcfgError(
                f"`{answer.signal}` gives {answer.count} points, {why}\nhelp: leave `--tta` out", code="NC801"
            )
    return tuple(kinds)
