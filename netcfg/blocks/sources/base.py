"""What a source of data is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self

from pydantic import Field as Option

from netcfg.blocks.base import Group, Section
from netcfg.blocks.fields import FieldSpec, Split

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples
    from netcfg.datasets.flow.encoding import FlowPictures
    from netcfg.datasets.pictures.reading import Reading


class Found(NamedTuple):
    """A folder that a source recognises: the options that read it, as they would be written.

    `is_sure`: names in it say so that no other source uses; else its content would do (`[clips]`: any videos).
    `adopts` are further options that it takes over from the source before it (see `Source.carries`). `lacks` says what
    should lie there and does not, and what to do about it; of the fields `lacking` for want of it nothing more is said.
    """

    options: Mapping[str, str]
    is_sure: bool = True
    adopts: tuple[str, ...] = ()
    lacks: tuple[str, str] | None = None
    lacking: tuple[str, ...] = ()


class Source(Section):
    """Where samples come from: the first block of `{Data}`."""

    group: ClassVar[Group] = "data"
    family: ClassVar[str] = "source"
    has_clips: ClassVar[bool] = False
    """Whether samples are frames of clips: then what `open` returns are `ClipSamples`."""
    places: ClassVar[tuple[str, ...]] = ("path",)
    """The options that say where its data lie: `--data` writes them anew."""
    carries: ClassVar[tuple[str, ...]] = ()
    """The options that `--data` takes over from the source before it, where they mean the same."""
    labelled: ClassVar[tuple[int, ...] | None] = None
    """The action units that are labelled in every copy of its database; None where its folder alone tells."""
    called_otherwise: ClassVar[Mapping[str, str]] = {}
    """Own options by the names that the same thing has in other sources."""
    looks_like: ClassVar[str] = ""
    """What its folder looks like, in a few words for a person; empty where it reads none."""
    takes_files: ClassVar[bool] = False
    """Whether `--data` may also name a file, which it then recognises."""
    rows_of: ClassVar[tuple[str, ...]] = ()
    """The endings of files whose rows `netcfg predict` takes (see `given`)."""
    trains_alone: ClassVar[bool] = False
    """Whether a network that says nothing of data may be trained on it, given `--data`, as a shipped part says."""

    splits: tuple[Split, ...] | None = Option(
        None,
        description="of several sources: the splits it has samples for, `train` among them; all by default",
    )

    def may_have(self, split: Split) -> bool:
        """Whether its options leave samples to a split."""
        return split in (self.splits or (split,))

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown."""
        return 0.5

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """How it would read this folder, or None where that is not one of its own. Looks no farther than it must."""
        return None

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """The same where a program names it as its source: it may then take what others could read too."""
        return cls.recognise(folder)

    def given(self, place: Path, fields: Sequence[str]) -> "Samples":
        """The rows of a file of one of `rows_of`, all of them, with these of its fields: what labels them may lack.

        Raises `NetcfgError` where the file has no such fields, or others than the source's.
        """
        raise NotImplementedError

    def fields(self) -> dict[str, FieldSpec]:
        """The fields it can give, with their shapes, before any transform."""
        raise NotImplementedError

    def settled(self) -> Mapping[str, str]:
        """The options that its data settle where nobody writes them, as texts: a run keeps them."""
        return {}

    def asked_fields(self) -> Mapping[str, tuple[str, ...]]:
        """The fields that its options ask for by name, by option."""
        return {}

    def reading(self) -> "Reading":
        """How its pictures are read out of files, and those that its networks are to predict."""
        from netcfg.datasets.pictures.reading import ORDINARY

        return ORDINARY

    def squares(self) -> Literal["crop", "stretch", "pad"]:
        """How whole pictures become square, in its samples and where its networks predict."""
        return "stretch"

    def flow_pictures(self) -> "FlowPictures":
        """How its own field `flow` becomes pictures, where it has one."""
        from netcfg.datasets.flow.encoding import FlowPictures

        return FlowPictures()

    def example(self, folder: Path) -> Self:
        """The section that reads a small example of its data, three subjects or more, which it writes below `folder`.

        As it is where it reads no folder. What verifies sections opens it.
        """
        return self

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The samples of one split with these fields.

        Images are uint8 H×W×C arrays until the pipeline hands them to a network. Raises `NetcfgError` with a
        sentence and a remedy where the data cannot be made or found.
        """
        raise NotImplementedError
