"""`[optical_flow]`: motion between the frames of a source, as a picture beside them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field as Option

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.flow_choices import DEFAULT_LIMIT, FlowEncoding, FlowMethod
from netcfg.blocks.samples import ClipSamples, Samples
from netcfg.blocks.transforms.base import Transform
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    from netcfg.datasets.flow.encoding import FlowPictures

FLOW = "flow"


class OpticalFlow(Transform, name="optical_flow"):
    """Add the motion from each frame to the next one of its clip, as a picture: the field `flow`.

    Red grows with motion to the right, green with motion upwards, blue is 0; 127 is no motion. The last frame of a
    clip has the flow of the frame before it. Flow is found between whole frames; where a sample shows a part of its
    frame, the same part is cut out, and scaled to the picture's size without mixing pixels.

    It stands right after the source, whose samples must be frames of clips. Flow pictures that the source has in files
    (`[bp4d]`) are taken from there, and nothing is found anew; any other `flow` of its own gives way to this one. Flow
    is found once and kept in a folder, by the content of the two frames: a second run reads it there. Nothing is lost
    with that folder. A sample of 224×224 takes 100 kB; netcfg's own cache keeps to `$NETCFG_CACHE_LIMIT` gigabytes, 20
    where that is not set, and what was not used for longest goes first.

    Methods: `dis` (Kroeger et al. 2016; `dis_fast` and `dis_ultrafast` are rougher), `farneback` (2003); with
    opencv-contrib-python also `tvl1` (Zach et al. 2007) and `deepflow` (Weinzaepfel et al. 2013).
    Encodings: a motion of w pixels becomes trunc(255 (w + m) / 2m). With `per_frame`, m is the frame's largest motion
    along an axis, at least 1; with `fixed` it is `limit`, and larger motions are cut to it.
    Fields: `flow`, of the shape of the picture.
    Source: AUNets, whose flow is Brox's, which OpenCV has in builds for CUDA only; the encoding `per_frame` is theirs.
    Example::

        [optical_flow]
        method = dis
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only", "when"})
    extends_source: ClassVar[bool] = True
    follows_source: ClassVar[bool] = True

    method: FlowMethod = Option("dis", description="how flow is found")
    encoding: FlowEncoding = Option(
        "per_frame", description="the scale of the colours: each frame's own, or `fixed`"
    )
    limit: Annotated[float, Option(gt=0, le=10_000)] = Option(
        DEFAULT_LIMIT, description="`fixed`: the largest motion it shows, in pixels of the whole frame"
    )
    of: str = Option("image", description="the picture field whose motion it is")
    cache: str | None = Option(
        "auto",
        description="the folder that keeps flow, from where netcfg is started; None: find it anew in each run; auto: "
        "`flow` in netcfg's own, `$NETCFG_CACHE` or `~/.cache/netcfg`",
    )

    def conflict(self) -> str | None:
        """A limit belongs to the encoding that has one."""
        if "limit" in self.model_fields_set and self.encoding != "fixed":
            return f"has `limit`, which belongs to `encoding = fixed`, and its encoding is `{self.encoding}`"
        return None

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the flow. Raises `ShapeError` where there is no such picture."""
        spec = fields.get(self.of)
        if spec is None or spec.kind != "image" or len(spec.shape) != 3:
            pictures = [
                name for name, known in fields.items() if known.kind == "image" and len(known.shape) == 3
            ]
            raise ShapeError(
                f"takes the motion of the picture field `{self.of}`, which the data do not have",
                option="of",
                help=did_you_mean(self.of, pictures),
            )
        return {**fields, FLOW: FieldSpec((3, *spec.shape[1:]), "flow")}

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """All but the flow: it is found between whole frames, not in samples; these need some field, though."""
        return tuple(name for name in wanted if name != FLOW) or (self.of,)

    def extend(self, samples: Samples, wanted: Sequence[str], fields: Mapping[str, FieldSpec]) -> Samples:
        """The samples with their flow. Raises `NetcfgError` where this OpenCV lacks the method."""
        if FLOW not in wanted:
            return samples
        if not isinstance(samples, ClipSamples):
            raise NetcfgError(
                f"[optical_flow] needs frames of clips, and a {type(samples).__name__} does not tell which follow "
                "each other\nhelp: samples of a source with `has_clips` have `pair`, `with_frames` and `with_flow`",
                code="NC508",
            )
        in_files = samples.with_flow()
        if in_files is not None:
            return in_files
        from netcfg.datasets.flow.cache import open_cache
        from netcfg.datasets.flow.samples import with_found_flow

        height, width = fields[self.of].shape[1:]
        size = (height, width) if isinstance(height, int) and isinstance(width, int) else None
        # Nobody may want the picture itself, and flow is found between pictures.
        return with_found_flow(samples.with_frames(), self.pictures(), size, open_cache(self.cache))

    def pictures(self) -> "FlowPictures":
        """How two frames become a picture of their flow. Raises `NetcfgError` where this OpenCV lacks the method."""
        from netcfg.datasets.flow.encoding import FlowPictures

        return FlowPictures(self.method, self.encoding, self.limit)
