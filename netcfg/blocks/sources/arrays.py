"""The source for data that lie in arrays: .npz files, or a folder of .npy files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, cast

from pydantic import Field as Option

from netcfg.blocks.fields import FieldKind, FieldSpec, ImageSize, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.picture_classes import trouble_with_names
from netcfg.blocks.sources.plain_pictures import SplitLists
from netcfg.blocks.values import quoted
from netcfg.files import visible
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples

ENDINGS = (".npz", ".npy")
MOST_CLASSES = 10_000


class Arrays(SplitLists, name="arrays"):
    """Samples that lie in arrays, the first axis of each: a .npz file, or a folder of .npy files. Never a pickle.

    An array is a field of its name. Pictures are N×H×W or N×H×W×C (or N×C×H×W, C of 1 or 3) of bytes, or of numbers
    from 0 to 1; whole numbers, N or N×1, are classes; other numbers N×F are vectors, of maps N×H×W of whole numbers in
    `masks` masks. `x`, `images` and their like are the field `image`, `y` and `labels` of whole numbers `class`.

    A split in a name (`x_train`, `y_test`; `train_images`, `val_labels`) says who is in which; with `train` and `test`
    alone, validation is a share of the former. Else lists of the samples' numbers say it, or samples are dealt by
    shares or folds, alike for each class.
    Fields: by array; pictures 3×H×W, grey ones three times the same.
    Example::

        [arrays]
        path = digits.npz
    """

    takes_files: ClassVar[bool] = True
    places: ClassVar[tuple[str, ...]] = ("path",)
    carries: ClassVar[tuple[str, ...]] = (
        "classes", "mask_classes", "ignore", "image_size", "validation_share", "test_share", "folds", "fold", "seed",
    )  # fmt: skip
    looks_like: ClassVar[str] = "a .npz file, or .npy files"
    rows_of: ClassVar[tuple[str, ...]] = (".npz",)
    trains_alone: ClassVar[bool] = True

    path: str | None = Option(
        None, description="the .npz file, or the folder of .npy files; None: the one given with `--data`"
    )
    classes: tuple[str, ...] | None = Option(
        None, description="what the numbers of classes are called, from 0; None: as many as the arrays hold"
    )
    image_size: ImageSize | None = Option(
        None, description="height and width that pictures are brought to, in pixels; None: as they are"
    )
    masks: tuple[str, ...] = Option((), description="the arrays that are masks: a class for each pixel")
    mask_classes: tuple[str, ...] = Option(
        (), description="what the numbers in masks, from 0, are called; none: as many as the masks hold"
    )
    ignore: Annotated[int, Option(ge=0, lt=65_536)] = Option(
        255, description="the number in masks that is no class: losses and metrics leave it out"
    )
    group_by: str | None = Option(
        None, description="the array of what stays in one split: a subject, a patient"
    )
    train_list: str | None = Option(
        None,
        description="a file of the numbers of the samples to train on, from 0: one a line, or a .npy, beside them",
    )
    validation_list: str | None = Option(
        None, description="the one of those to validate on; None: a share of the former"
    )
    test_list: str | None = Option(None, description="the one of those to test on")
    holds: tuple[str, ...] = Option(
        (),
        description="what the arrays are where the file is not there, as a run keeps it: `measures vector 12, "
        "photo image 3x28x28, digit class 10`",
    )

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By the endings of files."""
        if folder.is_file():
            return Found({"path": str(folder)}) if folder.suffix.lower() in ENDINGS else None
        try:
            files = [path for path in visible(folder) if path.suffix.lower() in ENDINGS and path.is_file()]
        except OSError:
            return None
        if len(files) == 1 and files[0].suffix.lower() == ".npz":
            return Found({"path": str(files[0])}, is_sure=False)
        return Found({"path": str(folder)}, is_sure=False) if len(files) > 1 else None

    def conflict(self) -> str | None:
        """Classes once each."""
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            return "names a class twice"
        if self.ignore < len(self.mask_classes):
            return f"ignores the number {self.ignore}, which is the class `{self.mask_classes[self.ignore]}`"
        return super().conflict()

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Arrays that cannot be read, or do not fit each other."""
        for key, names in (("classes", self.classes or ()), ("mask_classes", self.mask_classes)):
            trouble = trouble_with_names(names, "class")
            if trouble is not None:
                return {key: ("NC105", f"`{key}` {trouble[0]}", trouble[1])}
        if self.path is None:
            return {}
        wrong = next((said for said in self.holds if self._read(said)[1] is None), None)
        if wrong is not None:
            help = "name, kind and sizes, as in `measures vector 12, photo image 3x28x28, digit class 10`"
            return {"holds": ("NC105", f"`holds` has `{wrong}`, which says no array", help)}
        if not self.place_of_data().exists():  # what they hold only they say
            if self.holds:  # and a run, which predicts, and is exported, where they are not
                return {}
            message = f"there is no {shown_path(self.place_of_data())}"
            return {"path": ("NC802", message, "paths count from where netcfg is started")}
        from netcfg.datasets.sources.arrays import array_specs

        try:
            array_specs(self)
        except NetcfgError as refusal:
            message, _, help = str(refusal).partition("\nhelp: ")
            return {"path": (refusal.code or "NC505", message, help)}
        return {}

    def place_of_data(self) -> Path:
        """Where the arrays lie. Raises `NetcfgError` where nobody says it."""
        if self.path is None:
            raise NetcfgError(
                "[arrays] does not say where its arrays are\n"
                "help: `netcfg train FILE --data DIR`, or `path = data.npz` in the file",
                code="NC506",
            )
        return Path(self.path).expanduser()

    def settled(self) -> Mapping[str, str]:
        """What its arrays are, and the names of its classes: a run knows them where the arrays are not."""
        fields = self.fields()
        names = fields["class"].names if "class" in fields else ()
        holds = {"holds": ", ".join(_said(name, spec) for name, spec in fields.items())} if fields else {}
        return holds | ({"classes": ", ".join(map(quoted, names))} if names else {})

    def fields(self) -> dict[str, FieldSpec]:
        """What its arrays are; where they are not, what they are said to be."""
        from netcfg.datasets.sources.arrays import array_specs

        if self.path is None:
            return {}
        if self.holds and not self.place_of_data().exists():
            return {name: spec for name, spec in map(self._read, self.holds) if spec is not None}
        try:
            return dict(array_specs(self))
        except NetcfgError:  # told where the options are checked, and where it is opened
            return {}

    def _read(self, said: str) -> tuple[str, FieldSpec | None]:
        """A field by its name, from an item of `holds`; None where it says none."""
        name, _, rest = said.partition(" ")
        match rest.split():
            case ["class", count] if count.isdecimal() and int(count) <= MOST_CLASSES:
                own = self.classes if name == "class" else None
                return name, FieldSpec((), "class", own or tuple(map(str, range(int(count)))))
            case ["mask", sizes, count] if (
                (shape := _shape(sizes)) and count.isdecimal() and int(count) <= MOST_CLASSES
            ):
                own = self.mask_classes or tuple(f"class{n}" for n in range(int(count)))
                return name, FieldSpec(shape, "mask", own, ignore=self.ignore)
            case ["image" | "vector" | "map" as kind, sizes] if shape := _shape(sizes):
                return name, FieldSpec(shape, cast("FieldKind", kind))
        return name, None

    def example(self, folder: Path) -> Self:
        """Two dozen pictures of 12 pixels with a class and a vector each."""
        from netcfg.datasets.sources.example_folders import write_arrays

        return self.model_copy(update={"path": str(write_arrays(folder))})

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The samples of one split; arrays in files of their own are read bit by bit."""
        from netcfg.datasets.sources.arrays import open_arrays

        return open_arrays(self, split, fields)

    def given(self, place: Path, fields: Sequence[str]) -> Samples:
        """All samples of a file, whatever splits its names tell."""
        from netcfg.datasets.sources.arrays import open_given

        return open_given(self, place, fields)


def _said(name: str, spec: FieldSpec) -> str:
    """An item of `holds`."""
    sizes = ["x".join(map(str, spec.shape))] if spec.shape else []
    return " ".join([name, spec.kind, *sizes, *([str(len(spec.names))] if spec.names else [])])


def _shape(sizes: str) -> tuple[int, ...] | None:
    """`3x28x28`; None for what is none."""
    found = sizes.split("x")
    return tuple(map(int, found)) if all(size.isdecimal() and int(size) for size in found) else None
