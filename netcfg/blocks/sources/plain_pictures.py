"""What sources of one's own pictures have in common: where they lie, how they are read, and how they become splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt, Split
from netcfg.blocks.picture_files import MAX_PIXELS
from netcfg.blocks.sources.base import Source
from netcfg.shapes import Symbolic
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.datasets.pictures.reading import Reading
    from netcfg.datasets.samples.dealing import Dealing

Share = Annotated[float, Option(ge=0, lt=1)]


class Dealt(Source):
    """Sources whose samples are dealt to splits, where nothing else says who is in which."""

    validation_share: Share = Option(
        0.15, description="the part of each class that is for validation; with folds, of what is not tested"
    )
    test_share: Share = Option(
        0.15, description="the part of each class that is the test split; 0: there is none"
    )
    folds: Annotated[int, Option(ge=2, le=1_000)] | None = Option(
        None, description="in the place of `test_share`: in how many parts the samples fall"
    )
    fold: Annotated[int, Option(ge=0)] = Option(0, description="the part that is the test split, from 0")
    seed: Annotated[int, Option(ge=0, lt=2**31)] = Option(0, description="of who is in which split")

    def conflict(self) -> str | None:
        """A fold that there is; something to train on."""
        if self.folds is not None and self.fold >= self.folds:
            return f"has the folds 0 to {self.folds - 1}, and `fold` is {self.fold}"
        if self.folds is None and self.fold:
            return f"has no `folds`, and `fold` is {self.fold}"
        if self.folds is None and self.validation_share + self.test_share >= 1:
            return "leaves nothing to train on: `validation_share` and `test_share` come to 1 or more"
        return None

    def may_have(self, split: Split) -> bool:
        """No test split of a share of nothing."""
        return super().may_have(split) and (split != "test" or self.test_share > 0 or self.folds is not None)

    def dealing(self) -> Dealing:
        """How its samples become splits."""
        from netcfg.datasets.samples.dealing import Dealing

        return Dealing(self.validation_share, self.test_share, self.folds, self.fold, self.seed)


class SplitLists(Dealt):
    """Sources of which lists may say who is in which split."""

    train_list: str | None = Option(
        None,
        description="a file that names the pictures to train on, one a line (or a csv), with or without their ending; "
        "below `path`",
    )
    validation_list: str | None = Option(
        None, description="the one of those to validate on; None: a share of the former"
    )
    test_list: str | None = Option(None, description="the one of those to test on")

    def conflict(self) -> str | None:
        """Lists of a training and a test."""
        if (self.train_list is None) != (self.test_list is None):
            return "says which list trains or which tests, and needs both: `train_list` and `test_list`"
        if self.validation_list is not None and self.train_list is None:
            return "has a `validation_list`, and needs `train_list` and `test_list` beside it"
        return super().conflict()

    def may_have(self, split: Split) -> bool:
        """What a list names counts, whatever the shares say."""
        return super().may_have(split) or (split in self.lists() and Source.may_have(self, split))

    def lists(self) -> Mapping[Split, str]:
        """The lists that are written, by split."""
        written: Mapping[Split, str | None] = {
            "train": self.train_list,
            "validation": self.validation_list,
            "test": self.test_list,
        }
        return {split: name for split, name in written.items() if name is not None}


class PlainPictures(Dealt):
    """Sources of pictures in files, of any sizes."""

    carries: ClassVar[tuple[str, ...]] = (
        "image_size", "fit", "validation_share", "test_share", "folds", "fold", "seed",
    )  # fmt: skip

    path: str | None = Option(
        None, description="the folder, from where netcfg is started; None: the one given with `--data`"
    )
    image_size: ImageSize | None = Option(
        None,
        description="height and width that pictures are brought to, in pixels; None: each has its own, until "
        "[resize] or a crop makes them equal. A JPEG of more than twice the size is decoded at a half, a quarter or an "
        "eighth of its own, about a level of 255 from the whole picture",
    )
    fit: Literal["crop", "stretch", "pad"] = Option(
        "crop",
        description="how a picture becomes square: by its middle, by stretching, or by black beside it",
    )
    missing: Literal["stop", "skip"] = Option(
        "stop", description="what to do about pictures that are not there"
    )
    on_error: Literal["stop", "skip"] = Option(
        "stop",
        description="what to do about broken pictures; `skip` reads all of them before the first epoch",
    )
    turn: bool = Option(True, description="turn pictures as their EXIF data say")
    max_pixels: PositiveInt = Option(MAX_PIXELS, description="refuse pictures of more pixels")

    def folder(self) -> Path:
        """Where the data lie. Raises `NetcfgError` where nobody says it, or nothing is there."""
        if self.path is None:
            raise NetcfgError(
                f"[{self.type_name}] does not say where its folder is\n"
                "help: `netcfg train FILE --data DIR`, or `path = DIR` in the file",
                code="NC506",
            )
        folder = Path(self.path).expanduser()
        if not folder.is_dir():
            raise NetcfgError(
                f"there is no folder {shown_path(folder)}\nhelp: paths count from where netcfg is started",
                code="NC802",
            )
        return folder

    def picture_spec(self, kind: Literal["image", "mask"] = "image") -> FieldSpec:
        """A picture, or a mask that belongs to one, at the size they are brought to."""
        size = self.image_size
        sides = (size, size) if size else (Symbolic.named("height"), Symbolic.named("width"))
        return FieldSpec((3, *sides) if kind == "image" else sides, kind)

    def squares(self) -> Literal["crop", "stretch", "pad"]:
        """As `fit` says."""
        return self.fit if self.image_size else "stretch"

    def reading(self) -> Reading:
        """How its pictures are read."""
        from netcfg.datasets.pictures.reading import Reading

        return Reading(self.turn, self.max_pixels, can_skip=True)
