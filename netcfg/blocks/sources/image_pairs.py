"""The source for pictures with a mask or another picture each, of the same name in two folders."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field as Option
from pydantic import field_validator

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.folders import has_media
from netcfg.blocks.sources.named_pictures import LISTS, NamedPictures
from netcfg.blocks.sources.picture_classes import SPLIT_FOLDERS, folders_in, trouble_with_names

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples

IMAGES = ("images", "image", "imgs", "img", "JPEGImages", "input", "inputs", "A")
MASKS = (
    "masks", "mask", "labels", "label", "annotations", "segmentation", "segmentations", "SegmentationClass",
    "ground_truth", "gt",
)  # fmt: skip
TARGETS = ("targets", "target", "output", "outputs", "B")
"""How folders of pictures, of masks and of target pictures are called, the most usual name first."""
_COLOUR = re.compile(r"#?([0-9a-fA-F]{6})\Z")


class ImagePairs(NamedPictures, name="image_pairs"):
    """Pictures with a mask each, or with another picture, of the same name: `images/1.jpg` and `masks/1.png`.

    Splits are folders around or below the two (`train/images`, or `images/train`), lists of names (`train_list`,
    `test_list`), or dealt by shares or folds, groups of `group_by` together. A mask
    holds the number of a class for each pixel, as the places of a palette or the levels of grey; painted ones need
    `colours`. Where a name in one folder has something added (`1_mask.png`), `suffix` says what.

    A mask is of its picture's size, and another picture may be of any.
    Fields: `image` 3×S×S, `mask` S×S classes with `ignore`, or `target` 3×S×S.
    Example::

        [image_pairs]
        path = streets
        classes = road, car, sky
        image_size = 64
    """

    carries: ClassVar[tuple[str, ...]] = ("classes", "colours", "ignore", *NamedPictures.carries)
    places: ClassVar[tuple[str, ...]] = ("path", "images", "masks", "targets", *LISTS)
    looks_like: ClassVar[str] = "`images` and `masks` (or `targets`)"
    trains_alone: ClassVar[bool] = True

    images: str | None = Option(
        None, description="the folder of pictures below `path`; None: `images` or its like"
    )
    masks: str | None = Option(None, description="the folder of masks; None: `masks` or its like")
    targets: str | None = Option(
        None,
        description="in the place of `masks`, the folder of target pictures; None: `targets` or its like",
    )
    classes: tuple[str, ...] | None = Option(
        None,
        description="what the numbers in masks are called, from 0; one number: how many there are; None: as many "
        "as the masks hold",
    )
    colours: tuple[str, ...] = Option(
        (), description="of painted masks, the colours of the classes in their order: `000000, ff0000`"
    )
    ignore: Annotated[int, Option(ge=0, lt=65_536)] = Option(
        255, description="the number in masks that is no class: losses and metrics leave it out"
    )
    suffix: str = Option(
        "", description="what the names of masks or targets have behind those of pictures: `_mask`"
    )

    @field_validator("colours")
    @classmethod
    def _colours(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        from pydantic_core import PydanticCustomError

        if any(not _COLOUR.match(colour) for colour in written):
            raise PydanticCustomError("no_colour", "colours of six hexadecimal digits, such as `ff8000`")
        return written

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its folders."""
        if not folder.is_dir():
            return None
        around = [folder, *(folder / name for name in folders_in(folder) if is_split(name))]
        sure = any(
            find(place, IMAGES[:1]) and (find(place, MASKS[:1]) or find(place, TARGETS[:1]))
            for place in around
        )
        loose = any(
            (one := find(place, IMAGES)) and (other := find(place, (*MASKS, *TARGETS))) and one != other
            and has_media(one) and has_media(other)
            for place in around
        )  # fmt: skip
        return Found({"path": str(folder)}, is_sure=sure) if sure or loose else None

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any folder of folders: options say which."""
        return Found({"path": str(folder)}) if folder.is_dir() and folders_in(folder) else None

    def conflict(self) -> str | None:
        """Masks or targets; a colour for each class."""
        if self.masks is not None and self.targets is not None:
            return "has `masks` and `targets`: a source gives one of them"
        names = self.written_names()
        if self.colours and names and len(names) != len(self.colours):
            return f"has {len(self.colours)} `colours` for {len(names)} `classes`"
        if names and self.ignore < len(names) and not self.colours:
            return f"ignores the number {self.ignore}, which is the class `{names[self.ignore]}`"
        if len(set(names)) < len(names):
            return "names a class twice"
        return super().conflict()

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Names of classes that no option can hold."""
        found = super().mistakes()
        trouble = trouble_with_names(self.written_names(), "class")
        if trouble is not None:
            found["classes"] = ("NC105", f"`classes` {trouble[0]}", trouble[1])
        return found

    def written_names(self) -> tuple[str, ...]:
        """The classes that options say; none where they say none."""
        if self.classes is None:
            return tuple(f"class{number}" for number in range(len(self.colours)))
        if len(self.classes) == 1 and self.classes[0].isdigit():
            return tuple(f"class{number}" for number in range(min(int(self.classes[0]), 65_535)))
        return self.classes

    def names(self) -> tuple[str, ...]:
        """The classes; where nobody says them, as many as masks hold."""
        written = self.written_names()
        if written or self.path is None or not self.has_masks():
            return written
        from netcfg.datasets.sources.image_pairs import counted_classes

        return tuple(f"class{number}" for number in range(counted_classes(self)))

    def settled(self) -> Mapping[str, str]:
        """How many classes its masks hold; what belongs to its pictures, which is known without the data then."""
        names = self.names()
        settled = {"classes": str(len(names))} if names and not self.written_names() else {}
        if self.path is not None and not self.has_masks() and self.targets is None:
            settled["targets"] = next(
                found.name for place in self.around() if (found := find(place, TARGETS))
            )
        return settled

    def has_masks(self) -> bool:
        """Whether masks or pictures are the other half, as far as that is known."""
        if self.targets is not None or self.masks is not None:
            return self.targets is None
        if self.path is None:
            return True
        places = self.around()
        return not any(find(place, TARGETS) for place in places) or any(
            find(place, MASKS) for place in places
        )

    def around(self) -> list[Path]:
        """The folder, and those of splits in it."""
        folder = Path(str(self.path)).expanduser()
        return [folder, *(folder / name for name in folders_in(folder) if is_split(name))]

    def fields(self) -> dict[str, FieldSpec]:
        """A picture and what belongs to it."""
        if not self.has_masks():
            return {"image": self.picture_spec(), "target": self.picture_spec()}
        mask = self.picture_spec("mask")._replace(names=self.names(), ignore=self.ignore)
        return {"image": self.picture_spec(), "mask": mask}

    def example(self, folder: Path) -> Self:
        """A dozen pictures with masks of three classes."""
        from netcfg.datasets.sources.example_folders import write_image_pairs

        write_image_pairs(folder)
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The pairs of one split; files are paired at once, and read when they are asked for."""
        from netcfg.datasets.sources.image_pairs import open_image_pairs

        return open_image_pairs(self, split, fields)


def is_split(name: str) -> bool:
    """Whether a folder's name is that of a split."""
    return any(name.lower() in names for names in SPLIT_FOLDERS.values())


def find(place: Path, names: Sequence[str]) -> Path | None:
    """The first of these folders that is there."""
    return next((place / name for name in names if (place / name).is_dir()), None)
