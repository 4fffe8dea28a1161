"""Faces before backgrounds, and pictures of poor cameras: the synthesis of FERAtt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Probability
from netcfg.blocks.transforms.base import Augmentation, Transform, targets
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

Part = Annotated[float, Option(ge=0, le=0.9)]
PICTURES = (".jpg", ".jpeg", ".png", ".bmp")


class OverBackground(Transform, name="over_background"):
    """Cut a face out, move and light it anew, and put it before a background.

    The face, `size` pixels a side within a black border, is made larger or smaller, mirrored, turned, shifted and
    warped, all by chance; it takes on the lightness of what is behind it. `inside` is a picture field that is not black
    where the face is, or landmarks, whose convex hull the face is; without it the face is what is not black itself.
    The background is a window of a picture of the folder `backgrounds`, or drawn things where there is none. In the
    splits that `when = train` leaves alone the picture only gets its size, and the fields that come with it.

    Fields: `image` composed, `target` the moved face on black, both 3×S×S, `mask` 1×S×S, 1 where the face is,
    `transform` six numbers, the matrix by which a `[spatial_transformer]` turns the face upright; S = size + 2 border.
    Source: Marrero Fernandez et al., "FERAtt", 2019, and its published code: the order of steps and their ranges.
    Example::

        [over_background]
        size = 24
        border = 4
        empty = 60
        flip = 1
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})

    input: str = Option("image", description="the picture of the face, which becomes the composed one")
    inside: str | None = Option(None, description="a picture field, or landmarks, that say where the face is")
    margin: Part = Option(
        0.0,
        description="how far a face reaches beyond the hull of its landmarks, as a part of the picture's height",
    )
    target: str = Option("target", description="what the face on black is called")
    mask: str = Option("mask", description="what the place of the face is called")
    transform: str = Option("transform", description="what the matrix is called")
    backgrounds: str | None = Option(
        None, description="a folder of pictures, in it or below; None: drawn things"
    )
    size: Annotated[int, Option(ge=8, le=2_048)] = Option(128, description="side of the face, in pixels")
    border: Annotated[int, Option(ge=0, le=1_024)] = Option(10, description="pixels about it, on each side")
    empty: Annotated[int, Option(ge=1, le=255)] = Option(
        1, description="without `inside`: what is darker than this (red, 0 to 255) is not of the face"
    )
    stretch: Literal["range", "maximum", "none"] = Option(
        "range",
        description="face and background to 0..1, channel by channel: by their range; by their maximum after the "
        "smallest is taken off, as the published code has it; or as they are",
    )
    scale: Part = Option(0.2, description="the most by which a face is larger or smaller, as a part")
    flip: Probability = Option(0.5, description="how likely a face is mirrored")
    rotation: Annotated[float, Option(ge=0, le=180)] = Option(
        30.0, description="the most it is turned, in degrees"
    )
    shift: Part = Option(0.2, description="the most it is moved, as a part of the side")
    warp: Part = Option(0.1, description="the most a corner is pulled, likewise")
    relight: bool = Option(True, description="give the face the lightness of what is behind it")
    colour: bool = Option(False, description="keep colours; else all is grey")
    skip_first: bool = Option(
        False, description="leave out the folder's first picture, as the published code does"
    )

    def conflict(self) -> str | None:
        """The new fields have names of their own; only a folder has a first picture."""
        names = (self.input, self.target, self.mask, self.transform)
        if len(set(names)) < len(names):
            return f"gives two of its fields one name: {', '.join(f'`{name}`' for name in names)}"
        if self.skip_first and self.backgrounds is None:
            return "has `skip_first`, and no folder of `backgrounds`"
        return None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the new ones. Raises `ShapeError` where there is no such picture, or a new name is taken."""
        for option in ("input", "inside"):
            name = getattr(self, option)
            if name is not None and (name not in fields or len(fields[name].shape) not in (2, 3)):
                pictures = [known for known, spec in fields.items() if spec.kind == "image"]
                message = f"reads the picture field `{name}`, which the data do not have"
                raise ShapeError(message, option=option, help=did_you_mean(name, pictures))
        if fields[self.input].shape[0] != 3:
            raise ShapeError(
                f"needs a picture of 3 channels, and `{self.input}` has {fields[self.input].shape[0]}"
            )
        if self.margin and (self.inside is None or fields[self.inside].kind != "landmarks"):
            raise ShapeError(
                "has a `margin`, which lies about a hull of landmarks, and reads no landmarks",
                option="margin",
                help="`inside = landmarks`, or no `margin`",
            )
        for option in ("target", "mask", "transform"):
            name = getattr(self, option)
            if name in fields and name != self.inside:
                raise ShapeError(
                    f"would overwrite the field `{name}`", option=option, help="give it another name"
                )
        side = self.size + 2 * self.border
        picture = fields[self.input]._replace(shape=(3, side, side))
        made = {
            self.input: picture,
            self.target: picture,
            self.mask: FieldSpec((1, side, side), "image"),
            self.transform: FieldSpec((6,), "vector"),
        }
        return {**fields, **made}

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """The face, and where it is, in place of what is made of them."""
        made = {self.input, self.target, self.mask, self.transform}
        if not made & set(wanted):
            return tuple(wanted)
        own = (self.input,) if self.inside is None else (self.input, self.inside)
        return tuple(dict.fromkeys([*(name for name in wanted if name not in made), *own]))

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        return self._lowered(plain=False)

    def stands_in(self, fields: Mapping[str, FieldSpec]) -> bool:
        """Something always does; to say so takes no numpy."""
        return True

    def bypass(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """The picture at its size, with the fields that come with it."""
        return self._lowered(plain=True)

    def _lowered(self, plain: bool) -> Callable[..., Any]:
        from netcfg.datasets.transforms import composition

        return composition.OverBackground(
            input=self.input,
            inside=self.inside,
            margin=self.margin,
            target=self.target,
            mask=self.mask,
            transform=self.transform,
            files=() if plain else self._files(),
            size=self.size,
            border=self.border,
            empty=self.empty,
            stretch=self.stretch,
            scale=self.scale,
            flip=self.flip,
            rotation=self.rotation,
            shift=self.shift,
            warp=self.warp,
            relight=self.relight,
            colour=self.colour,
            plain=plain,
        )

    def _files(self) -> tuple[Path, ...]:
        """The pictures of the folder, sorted. Raises `NetcfgError` where there is no such folder, or none in it."""
        if self.backgrounds is None:
            return ()
        folder = Path(self.backgrounds)
        if not folder.is_dir():
            raise NetcfgError(
                f"[over_background] there is no folder of backgrounds {folder}\n"
                "help: `backgrounds` names a folder of pictures; without it things are drawn",
                code="NC506",
            )
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
        used = files[1:] if self.skip_first else files
        if not used:
            raise NetcfgError(
                f"[over_background] {folder} holds {'one picture' if files else 'no pictures'}"
                f"{', and its first is left out' if files else ''}\n"
                f"help: files that end in {', '.join(PICTURES)}, in the folder or below it",
                code="NC506",
            )
        return tuple(used)


class PoorPicture(Augmentation, name="poor_picture"):
    """Pictures as a poor camera gives them: few pixels, and by chance evened contrast, or noise and blur.

    Each is made `size` pixels small and brought back. Contrast is evened part by part (CLAHE, on the luma); noise is of
    the lightness; the blur's window is 3, 5 or 7 pixels.
    Source: the published code of FERAtt.
    Example::

        [poor_picture]
        size = 12
        equalise = 0.9
    """

    size: Annotated[int, Option(ge=4, le=4_096)] = Option(
        48, description="side of the small picture, in pixels"
    )
    equalise: Probability = Option(0.25, description="how likely contrast is evened")
    noise: Probability = Option(0.25, description="how likely there is noise, and blur")
    deviation: Annotated[float, Option(gt=0, le=1)] = Option(
        0.005, description="of the noise, where lightness is from 0 to 1"
    )

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """Unchanged. Raises `ShapeError` for pictures that have no three colours."""
        for name in targets(self, fields, ("image",)):
            if fields[name].shape[-3] != 3:
                sizes = "×".join(map(str, fields[name].shape))
                raise ShapeError(
                    f"needs pictures of 3 channels, and `{name}` is {sizes}",
                    help="name those it is for: `only = image`",
                )
        return dict(fields)

    def lower(self, fields: Mapping[str, FieldSpec]) -> Callable[..., Any]:
        """A callable on samples of uint8 arrays."""
        from netcfg.datasets.transforms import composition

        return composition.PoorPicture(
            pictures=targets(self, fields, ("image",)),
            size=self.size,
            equalise=self.equalise,
            noise=self.noise,
            deviation=self.deviation,
        )
