"""What sources of faces in files share: frames of clips, cut to the face."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec, ImageSize, PositiveInt
from netcfg.blocks.picture_files import MAX_PIXELS
from netcfg.blocks.sources.base import Source
from netcfg.source import NetcfgError, shown_path

if TYPE_CHECKING:
    from netcfg.datasets.pictures.reading import Reading
    from netcfg.datasets.samples.clip_pictures import Labelling
    from netcfg.datasets.samples.clip_sources import Handling

FOLDS = 3


class FaceFiles(Source):
    """What all sources share whose pictures are frames of clips in files."""

    has_clips: ClassVar[bool] = True

    path: str | None = Option(
        None, description="the folder, from where netcfg is started; None: the one given with `--data`"
    )
    image_size: ImageSize = Option(256, description="height and width that faces are brought to, in pixels")
    every: PositiveInt = Option(1, description="of each clip's labelled frames take every so many")
    crop: Literal["face", "levelled", "none"] = Option(
        "face",
        description="`face`: by the face box, or else the square around the landmarks; `levelled`: that square after "
        "the eyes are turned level; where neither is known, the middle of the frame; `none`: whole frames",
    )
    boxes: str | None = Option(
        None,
        description="a folder of face boxes, each a file of four lines: first row, last row, columns likewise",
    )
    flow: str | None = Option(
        None,
        description="a folder of flow pictures, laid out and named like the frames, as `netcfg flow` writes them: the "
        "field `flow`",
    )
    missing: Literal["stop", "black", "skip"] = Option(
        "stop", description="what to do about labelled frames without a picture; `black`: show a black one"
    )
    on_error: Literal["stop", "skip"] = Option(
        "stop",
        description="what to do about broken pictures; `skip` reads all of them before the first epoch",
    )
    first_frame: Annotated[int, Option(ge=0)] | None = Option(
        None,
        description="the number that a clip's pictures count from where it is not that of its labels, which count from "
        "1 (or `first_label`): 0",
    )
    first_label: Annotated[int, Option(ge=0)] | None = Option(
        None,
        description="the number that labels count a clip's frames from, where it is not that of its pictures: 0",
    )
    pair_by: Literal["number", "order"] = Option(
        "number",
        description="labels belong to the pictures of the same number; `order`: the first to the first, of as many",
    )
    turn: bool = Option(
        True,
        description="turn pictures as their EXIF data say, and videos likewise; boxes and landmarks are those of the "
        "turned picture; False: both as they are stored",
    )
    max_pixels: PositiveInt = Option(MAX_PIXELS, description="refuse pictures of more pixels")
    cache: str | None = Option(
        None,
        description="where videos are unpacked to, once; None: `frames` in netcfg's own, `$NETCFG_CACHE` or "
        "`~/.cache/netcfg`",
    )

    def conflict(self) -> str | None:
        """Frames that are turned no longer fit their flow; numbers mean nothing where order pairs."""
        if self.pair_by == "order" and (self.first_frame, self.first_label) != (None, None):
            return "pairs by order (`pair_by = order`), for which `first_frame` and `first_label` say nothing"
        if self.crop == "levelled" and self.flow is not None:
            return "turns faces (`crop = levelled`), and the pictures in `flow` are not turned: `crop = face`"
        return None

    def picture_fields(self) -> dict[str, FieldSpec]:
        """What every source of frames can give."""
        size = self.image_size
        fields = {"image": FieldSpec((3, size, size), "image")}
        if self.flow is not None:
            fields["flow"] = FieldSpec((3, size, size), "flow")
        return fields | {"subject": FieldSpec((), "class"), "clip": FieldSpec((), "class")}

    def folder(self) -> Path:
        """Where the data lie. Raises `NetcfgError` where nobody says it."""
        if self.path is None:
            raise NetcfgError(
                f"[{self.type_name}] does not say where its folder is\n"
                "help: `netcfg train FILE --data DIR`, or `path = DIR` in the file",
                code="NC506",
            )
        return expect_folder(self.path)

    def handling(self, labelling: "Labelling") -> "Handling":
        """How its frames become samples."""
        from netcfg.datasets.samples.clip_sources import Handling
        from netcfg.datasets.samples.pairing import Pairing

        return Handling(
            size=self.image_size,
            crop=self.crop,
            every=self.every,
            boxes=self._boxes_folder(),
            flow=None if self.flow is None else expect_folder(self.flow),
            missing=self.missing,
            skips_broken=self.on_error == "skip",
            cache=None if self.cache is None else expand(self.cache),
            labelling=labelling,
            reading=self.reading(),
            pairing=Pairing(self.first_frame, self.first_label, self.pair_by == "order"),
        )

    def reading(self) -> "Reading":
        """How its pictures are read."""
        from netcfg.datasets.pictures.reading import Reading

        return Reading(self.turn, self.max_pixels, can_skip=True)

    def _boxes_folder(self) -> Path | None:
        if self.boxes is not None:
            return expect_folder(self.boxes)
        usual = self.folder() / "Face_Boxes"
        return usual if usual.is_dir() else None


def label_spec(units: Sequence[int]) -> FieldSpec:
    """Labels with one number for each action unit."""
    return FieldSpec((len(units),), "vector", tuple(f"AU{unit}" for unit in units))


def expect_folder(written: str) -> Path:
    """A folder that is there. Raises `NetcfgError`."""
    folder = expand(written)
    if not folder.is_dir():
        raise NetcfgError(
            f"there is no folder {shown_path(folder)}\nhelp: paths count from where netcfg is started",
            code="NC802",
        )
    return folder


def expand(written: str) -> Path:
    """A path as a person writes it: `~` is their home."""
    return Path(written).expanduser()
