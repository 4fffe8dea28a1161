"""What a network makes of pictures, beside the pictures themselves, as one image file."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from netcfg.files import write_beside
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from PIL.Image import Image

Rows = Sequence[tuple[str, Tensor]]

MOST_COLUMNS = 16
SMALLEST_SIDE = 96
"""Pixels; pictures that are smaller are enlarged to about this side."""
GAP = 4
FONT_SIZE = 14
PAPER, INK, NOT_A_NUMBER = (255, 255, 255), (30, 30, 30), (255, 0, 255)


def save_reconstructions(
    path: Path,
    originals: Tensor,
    reconstructions: Tensor,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    extra: Rows = (),
) -> None:
    """Write a PNG: a row of originals, under it their reconstructions, then the rows of `extra`.

    See `save_rows`, which takes any rows in any order.
    """
    rows = [("original", originals), ("reconstruction", reconstructions), *extra]
    save_rows(path, rows, mean=mean, std=std)


def save_rows(path: Path, rows: Rows, *, mean: Sequence[float], std: Sequence[float]) -> None:
    """Write a PNG with a row per kind of picture, its caption on the left, and a column per sample.

    The first 16 samples are shown. Values are taken back to 0..1 by `value * std + mean` (a number per channel,
    or one for all) and cut off there; a pixel that is NaN is magenta. The tensors stay as they are.
    Shapes: pictures (N, C, H, W) with 1 or 3 channels; rows may differ in N, H and W.
    Errors: `NetcfgError` where pictures have other shapes, or the file cannot be written.
    """
    write_beside(path, png(draw_rows(rows, mean=mean, std=std)))


def draw_rows(rows: Rows, *, mean: Sequence[float] = (0.0,), std: Sequence[float] = (1.0,)) -> Image:
    """The picture that `save_rows` writes."""
    return _grid([(caption, _pixels(caption, pictures, mean, std)) for caption, pictures in rows])


def png(picture: Image) -> bytes:
    """A picture as the content of a PNG file."""
    target = BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


def _pixels(caption: str, pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """The first pictures of a row as bytes. Shapes: (N, C, H, W) -> (N, H, W, 3)."""
    channels = pictures.shape[1] if pictures.ndim == 4 else 0
    if channels not in (1, 3) or not pictures.shape[2:].numel():
        given = "×".join(map(str, pictures.shape[1:])) or "one number"
        raise NetcfgError(
            f"cannot draw the pictures `{caption}`: a picture has 1 or 3 channels, height and width, "
            f"and each of these is {given}\nhelp: draw a signal that holds pictures",
            code="NC404",
        )
    values = pictures[:MOST_COLUMNS].detach().to("cpu", torch.float32)
    values = values * _per_channel("std", std, channels) + _per_channel("mean", mean, channels)
    shown = (values.clamp(0, 1) * 255).round().nan_to_num().to(torch.uint8)
    shown = shown.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous()
    shown[values.isnan().any(1)] = torch.tensor(NOT_A_NUMBER, dtype=torch.uint8)
    return shown


def pixels_of(caption: str, pictures: Tensor) -> Tensor:
    """Pictures, as colours from 0 to 1, as bytes. Shapes: (N, C, H, W) -> (N, H, W, 3)."""
    return torch.cat([_pixels(caption, part, (0.0,), (1.0,)) for part in torch.split(pictures, MOST_COLUMNS)])


def draw_single(pixels: Tensor) -> bytes:
    """One picture as it is, as a PNG. Shapes: (H, W, 3)."""
    from PIL import Image

    return png(Image.fromarray(pixels.numpy()))


def draw_grid(pixels: Tensor, columns: int) -> bytes:
    """Pictures in rows of so many, as a PNG; small ones are enlarged. Shapes: (N, H, W, 3)."""
    from PIL import Image

    factor = max(1, round(SMALLEST_SIDE / max(pixels.shape[1:3])))
    shown = _enlarged(pixels, factor)
    height, width = shown.shape[1] + GAP, shown.shape[2] + GAP
    rows = -(-len(shown) // columns)
    sheet = Image.new("RGB", (GAP + columns * width, GAP + rows * height), PAPER)
    for place, picture in enumerate(shown):
        row, column = divmod(place, columns)
        sheet.paste(Image.fromarray(picture.numpy()), (GAP + column * width, GAP + row * height))
    return png(sheet)


def _per_channel(what: str, values: Sequence[float], channels: int) -> Tensor:
    if len(values) not in (1, channels):
        raise NetcfgError(
            f"cannot draw pictures of {channels} channels with {len(values)} numbers of `{what}`\n"
            "help: give one for each channel, or one for all",
            code="NC404",
        )
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1)


def _grid(rows: Sequence[tuple[str, Tensor]]) -> Image:
    """All rows under each other, each as high as its pictures."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(FONT_SIZE)
    drawn = [
        (caption, _enlarged(pixels, factor))
        for (caption, pixels), factor in zip(rows, _factors(rows), strict=True)
    ]
    margin = 2 * GAP + max((int(font.getlength(caption)) + 1 for caption, _ in drawn), default=0)
    cell = max((pixels.shape[2] for _, pixels in drawn), default=0) + GAP
    columns = max((len(pixels) for _, pixels in drawn), default=0)
    heights = [max(pixels.shape[1], FONT_SIZE) + GAP for _, pixels in drawn]
    sheet = Image.new("RGB", (margin + columns * cell, GAP + sum(heights)), PAPER)
    pen = ImageDraw.Draw(sheet)
    top = GAP
    for (caption, pixels), height in zip(drawn, heights, strict=True):
        pen.text((margin - GAP, top + (height - GAP) / 2), caption, INK, font, anchor="rm")
        for column, picture in enumerate(pixels):
            sheet.paste(Image.fromarray(picture.numpy()), (margin + column * cell, top))
        top += height
    return sheet


def _factors(rows: Sequence[tuple[str, Tensor]]) -> list[int]:
    """By what whole number each row's pictures are enlarged, so that all come near to one size."""
    sides = [max(pixels.shape[1:3]) for _, pixels in rows]
    largest = max(sides, default=1)
    wanted = largest * max(1, round(SMALLEST_SIDE / largest))
    return [wanted // side for side in sides]


def _enlarged(pixels: Tensor, factor: int) -> Tensor:
    """Every pixel as a square of `factor` by `factor`. Shapes: (N, H, W, 3)."""
    return pixels.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
