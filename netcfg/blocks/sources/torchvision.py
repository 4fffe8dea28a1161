"""The source for torchvision's data sets that lie on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.sources.base import Found
from netcfg.blocks.sources.plain_pictures import PlainPictures
from netcfg.blocks.values import quoted
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples

LIES_IN: Mapping[str, str] = {
    "MNIST/raw": "MNIST", "FashionMNIST/raw": "FashionMNIST", "KMNIST/raw": "KMNIST", "EMNIST/raw": "EMNIST",
    "cifar-10-batches-py": "CIFAR10", "cifar-100-python": "CIFAR100", "stl10_binary": "STL10",
    "food-101": "Food101", "flowers-102": "Flowers102", "oxford-iiit-pet": "OxfordIIITPet", "eurosat": "EuroSAT",
    "dtd": "DTD", "country211": "Country211", "gtsrb": "GTSRB", "fgvc-aircraft-2013b": "FGVCAircraft",
    "VOCdevkit": "VOCSegmentation",
}  # fmt: skip
"""What a folder holds that torchvision has fetched, and for which of its data sets."""


class Torchvision(PlainPictures, name="torchvision"):
    """One of torchvision's data sets, as it lies on disk. Nothing is ever downloaded.

    Splits are those of the data set (its `train`, `split` or `image_set`); validation is a share of the training
    samples where it has none of its own, and where it has no splits at all, samples are dealt. What belongs to a
    picture is seen: a number is its `class`, a picture its `mask`, several numbers `labels`; others are not read.
    Of pickles, which CIFAR lies in, only arrays and plain values are restored.
    Fields: `image` 3×S×S, and `class`, `mask` S×S or `labels`.
    Example::

        [torchvision]
        dataset = MNIST
        path = data
        image_size = 32
    """

    carries: ClassVar[tuple[str, ...]] = ("classes", *PlainPictures.carries)
    looks_like: ClassVar[str] = "`MNIST/raw`, `cifar-10-batches-py` and what else torchvision has fetched"
    trains_alone: ClassVar[bool] = True
    unavailable: ClassVar[frozenset[str]] = frozenset({"missing", "on_error", "turn", "max_pixels"})

    dataset: str = Option(description="its class in `torchvision.datasets`")
    classes: tuple[str, ...] | None = Option(
        None, description="in the order of their numbers; None: those that it has, else the numbers"
    )
    target: Literal["class", "mask", "labels"] | None = Option(
        None, description="what belongs to a picture; None: seen by the first one"
    )
    ignore: int = Option(255, description="the number in masks that is no class")

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By what torchvision calls its folders."""
        found = [name for place, name in LIES_IN.items() if (folder / place).is_dir()]
        return Found({"path": str(folder), "dataset": found[0]}) if len(found) == 1 else None

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any folder: the program says which data set."""
        return Found({"path": str(folder)}) if folder.is_dir() else None

    def settled(self) -> Mapping[str, str]:
        """What belongs to its pictures, and the names of its classes."""
        fields = self.fields()
        name = next((name for name in fields if name != "image"), None)
        if name is None:
            return {}
        names = fields[name].names
        return {"target": name, **({"classes": ", ".join(map(quoted, names))} if names else {})}

    def fields(self) -> dict[str, FieldSpec]:
        """A picture, and what belongs to it."""
        fields = {"image": self.picture_spec()}
        target: str | None = self.target
        names = self.classes or ()
        if target is None or (target != "mask" and not names):
            if self.path is None:
                return fields
            from netcfg.datasets.sources.torchvision import described

            try:
                found = described(self.dataset, str(self.folder()))
            except NetcfgError:  # told when it is opened
                return fields
            target, names = found.target, self.classes or found.names
        if target == "class":
            fields["class"] = FieldSpec((), "class", names)
        elif target == "mask":
            fields["mask"] = self.picture_spec("mask")._replace(names=names, ignore=self.ignore)
        else:
            fields["labels"] = FieldSpec((len(names),), "vector", names)
        return fields

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """A data set that torchvision does not have, or that does not lie there."""
        if self.path is None or not Path(self.path).expanduser().is_dir():
            return {}
        from netcfg.datasets.sources.torchvision import described

        try:
            described(self.dataset, str(self.folder()))
        except NetcfgError as refusal:
            message, _, help = str(refusal).partition("\nhelp: ")
            return {"dataset": (refusal.code or "NC506", message, help)}
        return {}

    def example(self, folder: Path) -> Self:
        """Some digits as MNIST has them."""
        from netcfg.datasets.sources.example_folders import write_mnist

        write_mnist(folder)
        return self.model_copy(update={"path": str(folder), "dataset": "MNIST"})

    def open(self, split: Split, fields: Sequence[str]) -> Samples:
        """The samples of one split."""
        from netcfg.datasets.sources.torchvision import open_torchvision

        return open_torchvision(self, split, fields)
