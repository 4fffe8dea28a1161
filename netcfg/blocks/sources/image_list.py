"""The source for pictures that a list names: csv or tsv, or a list of paths with labels beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, PositiveInt, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.list_files import has_lists, has_paths
from netcfg.blocks.sources.list_layout import Layout, field_name, label_name, measure_of
from netcfg.blocks.sources.listed import Listing, classes_of, find_listing
from netcfg.blocks.sources.picture_classes import trouble_with_names
from netcfg.blocks.sources.plain_pictures import PlainPictures
from netcfg.blocks.values import quoted
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples

LABELS, LANDMARKS = "labels", "landmarks"


class ImageList(PlainPictures, name="image_list"):
    """Pictures that a list names, and what its columns say of each: classes, numbers, labels, points, masks, pictures.

    A list is csv or tsv (also with semicolons) with a line of names; columns become fields of their names. Which kind
    a column is of stands in `class_columns` and the like, or, where none of these is written, is seen: `AU1`, `AU01_c`
    are entries of `labels`, `x_0`, `y_0`, … are `landmarks`, paths are pictures (masks, where the name says so),
    words are classes, the rest numbers. An empty cell is a gap: the field `has_NAME` is then 0, and a loss with
    `mask = has_NAME` does not count it.

    Splits are lists of their own (`train_list`, …; `train.csv`, `test.csv` in the folder), a column `split`, or dealt
    by shares or folds, alike for each class; who has one `subject`, `patient`, `video` or `group_column` stays in one.

    Also read as they are: FG-Net's csv, OpenFace's (its rows are the frames of a folder, without those of no success),
    Py-Feat's, and bare lists of paths with their partners: ME-GraphAU's (`…_img_path…`, `…_label…`) and JAA-Net's
    (`…_path`, `…_AUoccur`, `…_land`).
    Fields: `image` 3×S×S, and by column a class, a number (1), `labels` (A), `landmarks` P×2 in its pixels (x, y), a
    mask S×S, a picture 3×S×S; beside each of the first four `has_NAME`. What stands in brackets behind the name of a
    column of numbers is their unit: `height [cm]` is the field `height`, told in cm.
    Example::

        [image_list]
        path = people.csv
        image_size = 64
    """

    takes_files: ClassVar[bool] = True
    places: ClassVar[tuple[str, ...]] = ("path", "images", "train_list", "validation_list", "test_list")
    trains_alone: ClassVar[bool] = True
    looks_like: ClassVar[str] = "a csv or tsv with a column of paths of pictures"

    path: str | None = Option(
        None, description="the list, or the folder that holds lists; None: the one given with `--data`"
    )
    images: str | None = Option(
        None,
        description="the folder that paths count from; None: the list's own, or one near it where they lie",
    )
    train_list: str | None = Option(None, description="the list to train on, below `path`")
    validation_list: str | None = Option(
        None, description="the list to validate on; None: a share of the former"
    )
    test_list: str | None = Option(None, description="the list to test on")
    image_column: str | None = Option(None, description="the column of paths")
    class_columns: tuple[str, ...] = Option((), description="columns of classes, each a field")
    number_columns: tuple[str, ...] = Option((), description="columns of numbers, each a field")
    label_columns: tuple[str, ...] = Option((), description="columns of numbers that are one field, `labels`")
    mask_columns: tuple[str, ...] = Option((), description="columns of paths of masks, each a field")
    picture_columns: tuple[str, ...] = Option(
        (), description="columns of paths of further pictures, each a field"
    )
    label_names: tuple[str, ...] = Option(
        (), description="what the numbers of a file of labels without names are called: `AU1, AU2`"
    )
    split_column: str | None = Option(None, description="the column that says who is in which split")
    group_column: str | None = Option(
        None, description="the column of what stays in one split: a subject, a patient, a video"
    )
    group_below: str | None = Option(
        None,
        description="a folder in the pictures' paths: those in one folder right below it, of one subject, say, stay "
        "in one split",
    )
    classes: tuple[str, ...] | None = Option(
        None,
        description="the classes in the order of their numbers; of several columns each with its own before it, "
        "`sex.female`; None: those found, numbers by size and words by letters",
    )
    mask_classes: tuple[str, ...] = Option((), description="what the numbers in masks, from 0, are called")
    ignore: int = Option(255, description="the number in masks that is no class")
    landmark_files: tuple[str, ...] = Option(
        (),
        description="points in a file for each picture (.npy, .pts, .mat or .txt): the folder in its path, and the one "
        "in the path of its points: `aligned_images, aligned_landmarks`",
    )
    landmark_count: PositiveInt = Option(68, description="how many points such a file has")
    gaps: tuple[str, ...] = Option((), description="what else a cell without a label holds: `-1, 9`")

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By a list of pictures, or bare lists with their partners."""
        return cls.reads(folder)

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """The same."""
        if folder.is_file():
            return Found({"path": str(folder)}) if has_paths(folder) else None
        return Found({"path": str(folder)}, is_sure=False) if has_lists(folder) else None

    def conflict(self) -> str | None:
        """Lists of a training and a test."""
        if bool(self.train_list) != bool(self.test_list):
            return "says which list trains or which tests, and needs both: `train_list` and `test_list`"
        if self.group_below is not None and self.group_column is not None:
            return "says by `group_column` and by `group_below` what stays in one split"
        if len(self.landmark_files) not in (0, 2):
            return f"has {len(self.landmark_files)} names in `landmark_files` for a folder and the one in its place"
        if not self.landmark_files and "landmark_count" in self.model_fields_set:
            return "has a `landmark_count`, and no `landmark_files` of so many points"
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            return "names a class twice"
        return super().conflict()

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """A list that cannot be read, and classes that no option can name."""
        if self.path is None or not Path(self.path).expanduser().exists():
            return {}
        try:
            self.listing()
        except NetcfgError as refusal:
            message, _, help = str(refusal).partition("\nhelp: ")
            return {"path": (refusal.code or "NC505", message, help)}
        for column, names in self.class_names().items():
            trouble = trouble_with_names(names, "class")
            if trouble is not None:
                sentence, help = trouble
                return {"path": ("NC505", f"the column `{column}` {sentence}", help)}
        return {}

    def listing(self) -> Listing:
        """Its lists, and what their columns are. Raises `NetcfgError` where there are none."""
        if self.path is None:
            self.folder()
        return find_listing(
            Path(str(self.path)).expanduser(),
            {"train": self.train_list, "validation": self.validation_list, "test": self.test_list},
            {
                "image": self.image_column,
                "classes": self.class_columns,
                "numbers": self.number_columns,
                "labels": self.label_columns,
                "masks": self.mask_columns,
                "pictures": self.picture_columns,
                "split": self.split_column,
                "group": self.group_column,
            },
        )

    def class_names(self) -> dict[str, tuple[str, ...]]:
        """The classes of each class column, by its field."""
        if self.path is None:
            return {}
        if not self._is_there():
            return self._written_classes()
        listing = self.listing()
        return {
            field_name(column): classes_of(listing, column, self.classes, self.gaps)
            for column in listing.layout.classes
        }

    def settled(self) -> Mapping[str, str]:
        """What its columns are, and their classes."""
        if not self._is_there():
            return {}
        layout = self.listing().layout
        names = self.class_names()
        prefixed = [f"{field}.{name}" for field, own in names.items() for name in own]
        kinds = {
            "class_columns": layout.classes,
            "number_columns": layout.numbers,
            "label_columns": layout.labels if layout.image or layout.frame else (),
            "label_names": () if layout.labels else self.labels_called(),
            "mask_columns": layout.masks,
            "picture_columns": layout.pictures,
            "classes": prefixed if len(names) > 1 else [name for own in names.values() for name in own],
        }
        return {key: ", ".join(map(quoted, values)) for key, values in kinds.items() if values}

    def fields(self) -> dict[str, FieldSpec]:
        """A picture, and what the columns say."""
        fields = {"image": self.picture_spec()}
        if self.path is None:
            return fields
        try:
            layout = self.listing().layout if self._is_there() else self._written_layout()
            names = self.class_names()
        except NetcfgError:  # told where the options are checked, and where it is opened
            return fields
        for field, classes in names.items():
            fields[field] = FieldSpec((), "class", classes)
            fields[f"has_{field}"] = FieldSpec((1,), "vector", (f"has_{field}",))
        for column in layout.numbers:
            called, unit = measure_of(column)
            fields[field_name(column)] = FieldSpec((1,), "vector", (called,), unit=unit)
            fields[f"has_{field_name(column)}"] = FieldSpec((1,), "vector", (called,))
        labels = self.labels_called()
        if labels:
            for field in (LABELS, f"has_{LABELS}"):
                fields[field] = FieldSpec((len(labels),), "vector", labels)
        count = self.point_count()
        if count:
            fields[LANDMARKS] = FieldSpec((count, 2), "landmarks")
            fields[f"has_{LANDMARKS}"] = FieldSpec((1,), "vector", (f"has_{LANDMARKS}",))
        for column in layout.masks:
            spec = self.picture_spec("mask")
            fields[field_name(column)] = FieldSpec(spec.shape, "mask", self.mask_classes, ignore=self.ignore)
        for column in layout.pictures:
            fields[field_name(column)] = self.picture_spec()
        return fields

    def _is_there(self) -> bool:
        return self.path is not None and Path(self.path).expanduser().exists()

    def _written_layout(self) -> Layout:
        """What options say of the columns: of a run all, so that it predicts where its list is not."""
        return Layout(
            None,
            classes=self.class_columns,
            numbers=self.number_columns,
            labels=self.label_columns,
            masks=self.mask_columns,
            pictures=self.picture_columns,
        )

    def _written_classes(self) -> dict[str, tuple[str, ...]]:
        names = self.classes or ()
        if len(self.class_columns) == 1:
            return {field_name(self.class_columns[0]): names}
        return {
            field: tuple(name.removeprefix(f"{field}.") for name in names if name.startswith(f"{field}."))
            for field in map(field_name, self.class_columns)
        }

    def point_count(self) -> int:
        """How many points a picture has; 0 where there are none."""
        if self.landmark_files:
            return self.landmark_count
        return self.listing().points if self._is_there() else 0

    def labels_called(self) -> tuple[str, ...]:
        """The names of the entries of `labels`."""
        if not self._is_there():
            return tuple(map(label_name, self.label_columns)) or self.label_names
        listing = self.listing()
        if listing.layout.labels:
            return tuple(map(label_name, listing.layout.labels))
        if self.label_names and listing.label_count:
            return self.label_names
        return tuple(f"label{number}" for number in range(1, listing.label_count + 1))

    def example(self, folder: Path) -> Self:
        """A list of two dozen pictures with a class, a number and a gap, and units."""
        from netcfg.datasets.sources.example_folders import write_image_list

        return self.model_copy(update={"path": str(write_image_list(folder))})

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The pictures of one split; the list is read at once, pictures when they are asked for."""
        from netcfg.datasets.sources.image_list import open_image_list

        return open_image_list(self, split, fields)
