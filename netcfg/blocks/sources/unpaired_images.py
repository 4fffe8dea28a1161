"""The source for two sets of pictures of which no one belongs to another."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.folders import has_media
from netcfg.blocks.sources.named_pictures import NamedPictures

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples

USUAL = (("A", "B"), ("a", "b"), ("domain_a", "domain_b"), ("source", "target_domain"))
"""How the two folders are called; those of splits are `trainA`, `testB` and the like."""


class UnpairedImages(NamedPictures, name="unpaired_images"):
    """Pictures of two kinds that are no pairs, as CycleGAN takes them: `trainA`, `trainB`, `testA`, …, or `A`, `B`.

    A sample is a picture of the first kind and one of the second, in training another one each time, drawn for the
    sample and the epoch; else by turns. An epoch is as long as the first kind has pictures. Without folders of a test
    split, each kind is dealt by shares or folds, or by lists, each of which names pictures of both (`A/1.jpg`).
    Fields: `image` 3×S×S of the first folder, `other` 3×S×S of the second.
    Source: Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", 2017.
    Example::

        [unpaired_images]
        path = horse2zebra
        image_size = 64
    """

    places: ClassVar[tuple[str, ...]] = ("path", "first", "second")
    looks_like: ClassVar[str] = "`trainA` and `trainB`"

    first: str | None = Option(
        None, description="the folder of the first kind below `path`; None: `A`, or `trainA`"
    )
    second: str | None = Option(None, description="the folder of the second kind; None: `B`, or `trainB`")

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its folders."""
        if (folder / "trainA").is_dir() and (folder / "trainB").is_dir():
            return Found({"path": str(folder)})
        pair = next((pair for pair in USUAL[:2] if all((folder / name).is_dir() for name in pair)), None)
        if pair is None or not all(has_media(folder / name) for name in pair):
            return None
        return Found({"path": str(folder)}, is_sure=False)

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any folder: options say which are the two in it."""
        return Found({"path": str(folder)}) if folder.is_dir() else None

    def conflict(self) -> str | None:
        """Two folders, or none."""
        if (self.first is None) != (self.second is None):
            return "names one of its folders, and needs both: `first` and `second`"
        return super().conflict()

    def fields(self) -> dict[str, FieldSpec]:
        """Two pictures."""
        return {"image": self.picture_spec(), "other": self.picture_spec()}

    def example(self, folder: Path) -> Self:
        """A dozen pictures of one kind and fifteen of another."""
        from netcfg.datasets.sources.example_folders import write_image_folder

        write_image_folder(folder, ("A",), 12)
        write_image_folder(folder, ("B",), 15)
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The pictures of one split; files are looked for at once, and read when they are asked for."""
        from netcfg.datasets.sources.unpaired_images import open_unpaired_images

        return open_unpaired_images(self, split, fields)
