"""The source for clips with a class each: a folder per class, of videos or of folders of frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt, Split
from netcfg.blocks.picture_files import MAX_PIXELS, VIDEOS
from netcfg.blocks.sources.base import Found, Source
from netcfg.blocks.sources.folders import clip_classes, has_media
from netcfg.blocks.sources.picture_classes import split_folders, trouble_with_names
from netcfg.blocks.values import quoted
from netcfg.files import visible
from netcfg.shapes import Symbolic
from netcfg.source import NetcfgError

if TYPE_CHECKING:
    from netcfg.blocks.samples import Samples
    from netcfg.datasets.pictures.reading import Reading


EXPRESSIONS = frozenset(
    "angry anger contempt disgust disgusted fear fearful happy happiness neutral sad sadness surprise surprised".split()
)
"""Names that classes of expressions have, in small letters."""


def _folders_of_clips(folder: Path) -> list[str]:
    """The folders in a folder, where each of them holds videos, or folders of pictures; else none."""
    try:
        places = [place for place in visible(folder) if place.is_dir()]
    except OSError:
        return []
    for place in places:
        inside = next(iter(visible(place)), None)
        if inside is None or not (
            has_media(inside, levels=1) if inside.is_dir() else inside.suffix.lower() in VIDEOS
        ):
            return []
    return [place.name for place in places]


def _listed_classes(path: Path) -> tuple[str, ...]:
    """The classes of lines `clip class`; none where they cannot be read, which is said where the clips are opened."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    words = [line.split() for line in lines]
    return tuple(sorted({pair[1] for pair in words if len(pair) == 2 and not pair[0].endswith("-fold")}))


class ClipFolder(Source, name="clip_folder"):
    """Whole clips with a class each: `happy/clip_1/1.jpg`, or `happy/clip_1.mp4`. A sample is a clip, as long as it is.

    Splits come from the first of these that is written: `fold_list`, a file of blocks, each with a line of its number
    and count (`1-fold 33`) and then so many lines `clip class`, of which `fold` (from 0) is the test split; lists and
    folders (`train_list`, lines `clip class` of clips below `train_folder`; without a list, the class folders there);
    else the clips of each class are dealt to `folds` folds, of which `fold` is the test split. Where no validation
    split is named, it is the last `validation_share` of the clips of each class that would train.

    Frames are in the order of the numbers in their names. Each is cut to its middle square and brought to one size.
    Fields: `clip` T×3×S×S (of single frames `image` 3×S×S), `class`, `clip_id` the clip's number.
    Example::

        [clip_folder]
        path = faces
        classes = happy, sad
        image_size = 64
    """

    places: ClassVar[tuple[str, ...]] = ("path",)
    carries: ClassVar[tuple[str, ...]] = ("classes", "image_size", "folds", "fold", "validation_share")
    looks_like: ClassVar[str] = "a folder per class, of videos or of folders of frames"
    trains_alone: ClassVar[bool] = True

    path: str | None = Option(None, description="the folder of the data")
    classes: tuple[str, ...] | None = Option(
        None, description="in the order of their numbers; those of the folders by default"
    )
    samples: Literal["clips", "frames"] = Option(
        "clips", description="whole clips, or each frame by itself, with the class of its clip"
    )
    image_size: ImageSize = Option(224, description="height and width of frames, in pixels")
    train_folder: str | None = Option(None, description="below `path`, where the clips to train on lie")
    validation_folder: str | None = Option(None, description="the same of those to validate on")
    test_folder: str | None = Option(None, description="the same of those to test on")
    train_list: str | None = Option(None, description="the file that lists the clips to train on")
    validation_list: str | None = Option(None, description="the file that lists those to validate on")
    test_list: str | None = Option(None, description="the file that lists those to test on")
    fold_list: str | None = Option(None, description="the file that lists the clips of all folds")
    folds: Annotated[int, Option(ge=2, le=1_000)] = Option(5, description="in how many parts clips fall")
    fold: Annotated[int, Option(ge=0)] = Option(0, description="the part that is the test split, from 0")
    validation_share: Annotated[float, Option(gt=0, lt=1)] = Option(
        0.2, description="the part of the clips to train on that is for validation"
    )
    on_error: Literal["stop", "skip"] = Option(
        "stop",
        description="what to do about broken frames and videos, and clips without a frame; `skip` reads all of them "
        "before the first epoch, and leaves them out",
    )
    turn: bool = Option(True, description="turn frames as their files say")
    max_pixels: PositiveInt = Option(MAX_PIXELS, description="refuse frames of more pixels")

    @classmethod
    def recognise(cls, folder: Path) -> Found | None:
        """Surely by classes that are expressions; else by names that are not those of subjects and their recordings."""
        names = {name.lower() for name in _folders_of_clips(folder)}
        if len(names) > 1 and names <= EXPRESSIONS:
            return Found({"path": str(folder)})
        if not clip_classes(folder):
            return None
        splits = {split: place.name for split, place in split_folders(folder).items()}
        if splits and "test" not in splits:  # what chooses the epoch cannot judge it
            splits["test"] = splits.pop("validation")
        return Found(
            {"path": str(folder), **{f"{split}_folder": name for split, name in splits.items()}},
            is_sure=False,
        )

    @classmethod
    def reads(cls, folder: Path) -> Found | None:
        """Any folders of clips."""
        return Found({"path": str(folder)}) if len(_folders_of_clips(folder)) > 1 else None

    def conflict(self) -> str | None:
        """A fold that there is; a test split beside one to train on."""
        if self.fold_list is None and self.fold >= self.folds:
            return f"has the folds 0 to {self.folds - 1}, and `fold` is {self.fold}"
        if self.classes is not None and len(set(self.classes)) < len(self.classes):
            return "names a class twice"
        if bool(self.train_list or self.train_folder) != bool(self.test_list or self.test_folder):
            return "says which clips train or which test, and needs both: `train_list` and `test_list`, or folders"
        return None

    def mistakes(self) -> dict[str, tuple[str, str, str]]:
        """Folders whose names cannot be those of classes."""
        trouble = None if self.classes is not None else trouble_with_names(self.names())
        return {} if trouble is None else {"path": ("NC505", f"`{self.path}` {trouble[0]}", trouble[1])}

    def folder(self) -> Path:
        """Where the data lie. Raises `NetcfgError` where nobody says it, or nothing is there."""
        if self.path is None:
            raise NetcfgError(
                "[clip_folder] does not say where its folder is\n"
                "help: `netcfg train FILE --data DIR`, or `path = DIR` in the file",
                code="NC506",
            )
        place = Path(self.path).expanduser()
        if not place.is_dir():
            raise NetcfgError(f"there is no folder {place}\nhelp: look at `path`", code="NC506")
        return place

    def squares(self) -> Literal["crop", "stretch", "pad"]:
        """By the middle square."""
        return "crop"

    def reading(self) -> "Reading":
        """How its frames are read."""
        from netcfg.datasets.pictures.reading import Reading

        return Reading(self.turn, self.max_pixels, can_skip=True)

    def names(self) -> tuple[str, ...]:
        """The classes, as far as they can be known without the data."""
        if self.classes is not None or self.path is None:
            return self.classes or ()
        listed = [name for name in (self.fold_list, self.train_list) if name is not None]
        if listed:
            return _listed_classes(Path(listed[0]).expanduser())
        place = Path(self.path).expanduser() / (self.train_folder or "")
        if not place.is_dir():
            return ()
        return tuple(one.name for one in visible(place) if one.is_dir())

    def settled(self) -> Mapping[str, str]:
        """Its classes by name."""
        names = self.names()
        return {"classes": ", ".join(map(quoted, names))} if names else {}

    def fields(self) -> dict[str, FieldSpec]:
        """A clip as long as it is, its class and its number."""
        picture = (3, self.image_size, self.image_size)
        shown = {"image": FieldSpec(picture, "image")}
        if self.samples == "clips":
            shown = {"clip": FieldSpec((Symbolic.named("frames"), *picture), "image")}
        return {
            **shown,
            "class": FieldSpec((), "class", self.names()),
            "clip_id": FieldSpec((), "class"),
        }

    def example(self, folder: Path) -> Self:
        """Ten clips of two classes, of several lengths."""
        from netcfg.datasets.sources.example_folders import write_clip_folder

        write_clip_folder(folder, self.classes or ("happy", "sad"))
        return self.model_copy(update={"path": str(folder)})

    def open(self, split: Split, fields: Sequence[str]) -> "Samples":
        """The clips of one split; frames are looked for at once, and read when they are asked for."""
        from netcfg.datasets.sources.clip_folder import open_clip_folder

        return open_clip_folder(self, split, fields)
