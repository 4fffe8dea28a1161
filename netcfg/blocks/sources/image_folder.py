"""The source for pictures with a class each: a folder per class."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.folders import looks_like_classes
from netcfg.blocks.sources.named_pictures import LISTS, NamedPictures
from netcfg.blocks.sources.picture_classes import class_names, trouble_with_names
from netcfg.blocks.values import quoted

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples


class ImageFolder(NamedPictures, name="image_folder"):
    """Pictures of any sizes with a class each, a folder per class: `rose/1.jpg`, or `train/rose/1.jpg`.

    Where the folder holds `train` and `test` (or `val` and the like), these are the splits; a validation split that is
    not among them is `validation_share` of each class that would train. With `train` and `val` alone, `val` is the test
    split, as what chooses an epoch cannot judge it. Else each class is dealt to three splits by its shares, or to
    `folds`, always alike for one `seed`. Pictures that `group_by` ties together (a patient, a plant) stay in one split.
    Or lists say it (`train_list`, `test_list`): a picture's path below the folder a line, with or without its ending.

    Pictures of folders inside a class folder are of that class. Classes are numbered in the order of their names, and
    a run keeps these: it is judged on the same classes or not at all.
    Fields: `image` 3×S×S (3×H×W without `image_size`), `class`.
    Example::

        [image_folder]
        path = flowers
        image_size = 64
    """

    carries: ClassVar[tuple[str, ...]] = ("classes", *NamedPictures.carries)
    places: ClassVar[tuple[str, ...]] = ("path", *LISTS)
    looks_like: ClassVar[str] = "a folder per class, of pictures"
    trains_alone: ClassVar[bool] = True

    classes: tuple[str, ...] | None = Option(
        None, description="in the order of their numbers; None: those of the folders"
    )

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its content: folders of pictures that could be classes."""
        return Found({"path": str(folder)}, is_sure=False) if looks_like_classes(folder) else None

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any folder that holds folders."""
        return Found({"path": str(folder)}) if class_names(folder) else None

    def conflict(self) -> str | None:
        """Classes once each."""
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            return "names a class twice"
        return super().conflict()

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Folders whose names cannot be those of classes; a pattern that is none."""
        found = super().mistakes()
        trouble = trouble_with_names(self.names())
        if trouble is not None and self.path is not None and self.classes is None:
            sentence, help = trouble
            found["path"] = ("NC505", f"`{self.path}` {sentence}", help)
        return found

    def names(self) -> tuple[str, ...]:
        """The classes, as far as they are known without opening anything."""
        if self.classes is not None or self.path is None:
            return self.classes or ()
        return class_names(Path(self.path).expanduser())

    def settled(self) -> Mapping[str, str]:
        """Its classes by name."""
        names = self.names()
        return {"classes": ", ".join(map(quoted, names))} if names else {}

    def fields(self) -> dict[str, FieldSpec]:
        """A picture and its class."""
        return {"image": self.picture_spec(), "class": FieldSpec((), "class", self.names())}

    def example(self, folder: Path) -> Self:
        """A dozen drawn pictures of two classes."""
        from netcfg.datasets.sources.example_folders import write_image_folder

        write_image_folder(folder, self.classes or ("daisy", "rose"))
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The pictures of one split; files are looked for at once, and read when they are asked for."""
        from netcfg.datasets.sources.image_folder import open_image_folder

        return open_image_folder(self, split, fields)
