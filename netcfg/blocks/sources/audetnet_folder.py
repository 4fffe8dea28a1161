"""Sources that read a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field as Option
from pydantic import field_validator

from netcfg.blocks.action_units import active_label, known_action_units, unit_numbers
from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt, Split
from netcfg.blocks.picture_files import MAX_PIXELS
from netcfg.blocks.sources.base import Found, Source
from netcfg.blocks.sources.folders import has
from netcfg.shapes import Size, Symbolic
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples
    from netcfg.datasets.pictures.reading import Reading


USUAL_LABELS = "aus_dict.pkl"


def label_files(folder: Path) -> list[str]:
    """The names of the files in a folder that are labels by their names; `labels.csv` beside pictures only."""
    if not folder.is_dir():
        return []
    named = sorted(
        path.name for ending in ("pkl", "pickle", "npz") for path in folder.glob(f"aus_*.{ending}")
    )
    converted = [name for name in ("labels.npz", "labels.csv") if (folder / name).is_file()]
    return named + (converted if has(folder, "imgs", "train_ids.csv") else [])


class AudetnetFolder(Source, name="audetnet_folder"):
    """AUDetNet's data folder: labels by frame id, lists of training and test ids, a folder of pictures.

    Frames are `imgs/<id>.jpg`; an id begins with its subject: `SN005_43`. Ids without labels are left out, as in
    the original. Validation is on the test ids, as there, so that the epoch it picks has seen them; or
    on a share of the training subjects. Labels may stand in the original's pickle, which is read as plain data
    and never run, in a .npz (`netcfg data convert`), or in a .csv with the header `id,AU1,AU2,…`.

    Fields: `image` 3×H×W, `labels` one per action unit (with `intensities` stored / 5), `intensities` the
    stored ones (0 to 5), `subject` and `clip` a class, by what stands in an id before its first and its last `_`.
    Source: AUDetNet's data folder and its preparation of DISFA.
    Example::

        [audetnet_folder]
        path = data/disfa
        image_size = 256
        intensities = True
    """

    carries: ClassVar[tuple[str, ...]] = ("action_units", "intensities")
    looks_like: ClassVar[str] = "`train_ids.csv` and `imgs`"

    path: str | None = Option(
        None, description="the folder, from where netcfg is started; None: the one given with `--data`"
    )
    labels: str = Option(USUAL_LABELS, description="the file of labels: .pkl, .npz or .csv")
    train_ids: str = Option("train_ids.csv", description="the ids to train on, one a line")
    test_ids: str = Option("test_ids.csv", description="the ids to test on, one a line")
    images: str = Option("imgs", description="the folder of pictures, named by id")
    image_size: tuple[ImageSize, ...] | None = Option(
        None, description="the side of the pictures, or height, width; None: whatever is on disk"
    )
    action_units: tuple[str, ...] = Option(
        ("disfa",),
        description="`bp4d`, `disfa`, `disfa8`, or the numbers of action units, as the labels have them",
    )
    intensities: bool = Option(False, description="labels are intensities from 0 to 5, and are divided by 5")
    validation: Literal["test"] | Annotated[float, Option(gt=0, lt=1)] = Option(
        "test", description="the test ids, as in the original, or a share of the training subjects"
    )
    seed: Annotated[int, Option(ge=0, lt=2**31)] = Option(0, description="of which subjects those are")
    missing: Literal["stop", "skip"] = Option("stop", description="what to do about ids without a picture")
    on_error: Literal["stop", "skip"] = Option(
        "stop",
        description="what to do about broken pictures; `skip` reads all of them before the first epoch",
    )

    first_frame: Annotated[int, Option(ge=0)] | None = Option(
        None,
        description="the number that pictures of a clip count from where that of ids is 1 (or `first_label`): 0",
    )
    first_label: Annotated[int, Option(ge=0)] | None = Option(
        None,
        description="the number that ids of a clip count from where that of pictures is 1 (or `first_frame`): 0",
    )
    turn: bool = Option(
        True,
        description="turn pictures as their EXIF data say; False: as they are stored, as the original does",
    )
    max_pixels: PositiveInt = Option(MAX_PIXELS, description="refuse pictures of more pixels")

    @field_validator("action_units")
    @classmethod
    def _known_action_units(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        return known_action_units(written)

    def conflict(self) -> str | None:
        """One side, or two."""
        if self.image_size is not None and len(self.image_size) > 2:
            return f"has {len(self.image_size)} numbers in `image_size` for height and width"
        return None

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """By its lists of ids, or its labels; of labels under another name than the usual one, by theirs."""
        labels = label_files(folder)
        if not labels and not has(folder, "train_ids.csv", "test_ids.csv", "imgs"):
            return None
        named = {} if not labels or USUAL_LABELS in labels else {"labels": labels[0]}
        return Found({"path": str(folder)} | (named if len(labels) == 1 else {}))

    @property
    def units(self) -> tuple[int, ...]:
        """The action units by number, in the order of the labels."""
        return unit_numbers(self.action_units)

    @property
    def active_above(self) -> float:
        """Above which label a unit counts as shown: half, or an intensity of 2 (of 5)."""
        return active_label(self.intensities)

    def fields(self) -> dict[str, FieldSpec]:
        """All fields it can give; heights and widths are symbolic where `image_size` is not written."""
        height, width = self._size()
        names = tuple(f"AU{unit}" for unit in self.units)
        made = {
            "image": FieldSpec((3, height, width), "image"),
            "labels": FieldSpec((len(names),), "vector", names),
            "subject": FieldSpec((), "class"),
            "clip": FieldSpec((), "class"),
        }
        if self.intensities:
            made["intensities"] = FieldSpec((len(names),), "vector", names)
        return made

    def _size(self) -> tuple[Size, Size]:
        if self.image_size is None:
            return Symbolic.named("height"), Symbolic.named("width")
        return self.image_size[0], self.image_size[-1]

    def example(self, folder: Path) -> Self:
        """Three subjects to train on and one to test on."""
        from netcfg.datasets.sources.example_folders import write_audetnet

        size = (self.image_size[0], self.image_size[-1]) if self.image_size else (64, 64)
        labels = write_audetnet(folder, self.units, 5 if self.intensities else 1, size)
        return self.model_copy(update={"path": str(folder), "labels": labels})

    def reading(self) -> "Reading":
        """How its pictures are read."""
        from netcfg.datasets.pictures.reading import Reading

        return Reading(self.turn, self.max_pixels, can_skip=True)

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The data set of one split; labels, ids and names of pictures are read and checked at once."""
        from netcfg.datasets.samples.pairing import Pairing
        from netcfg.datasets.sources.audetnet_folder import Layout, open_folder

        if self.path is None:
            raise NetcfgError(
                "[audetnet_folder] does not say where its folder is\n"
                "help: `netcfg train FILE --data DIR`, or `path = DIR` in the file",
                code="NC506",
            )
        layout = Layout(
            folder=Path(self.path).expanduser(),
            labels=self.labels,
            train_ids=self.train_ids,
            test_ids=self.test_ids,
            images=self.images,
            units=self.units,
            intensities=self.intensities,
            validation=None if self.validation == "test" else self.validation,
            seed=self.seed,
            skips_missing=self.missing == "skip",
            skips_broken=self.on_error == "skip",
            reading=self.reading(),
            pairing=Pairing(self.first_frame, self.first_label),
        )
        size = None if self.image_size is None else (self.image_size[0], self.image_size[-1])
        return open_folder(layout, split, fields, size)
