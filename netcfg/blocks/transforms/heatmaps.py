"""Where on a face each action unit shows, as maps."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from pydantic import Field as Option

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.refusals import ShapeError
from netcfg.blocks.transforms.base import Transform, picture_size
from netcfg.shapes import show
from netcfg.source import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

POINTS = 68
POINTS_HELP = (
    "netcfg finds no points in pictures: [image_list] reads them from columns, or with `landmark_files` from a file "
    "beside each picture"
)


class Place(NamedTuple):
    """The middle of some of the 68 points, moved down by a part of the distance between the eyes' inner corners."""

    points: tuple[int, ...]
    down: float = 0.0


_INNER_BROWS = Place((21,)), Place((22,))
_OUTER_BROWS = Place((17,)), Place((26,))
_BROWS = Place((17, 18, 19, 20, 21)), Place((22, 23, 24, 25, 26))
_CHEEKS = Place((36, 37, 38, 39, 40, 41), 1.0), Place((42, 43, 44, 45, 46, 47), 1.0)
_MOUTH_CORNERS = Place((48,)), Place((54,))
_LIPS = Place((51,)), Place((57,))

PLACES: Mapping[int, tuple[Place, Place]] = {
    1: _INNER_BROWS,
    2: _OUTER_BROWS,
    4: _BROWS,
    6: _CHEEKS,
    7: (Place((38,)), Place((43,))),
    9: (Place((39,)), Place((42,))),
    10: (Place((50,)), Place((52,))),
    12: _MOUTH_CORNERS,
    14: _MOUTH_CORNERS,
    15: _MOUTH_CORNERS,
    17: (Place((56,), 0.5), Place((58,), 0.5)),
    23: _LIPS,
    24: _LIPS,
    25: _LIPS,
    # Its published text moves it down, its code does not.
    26: (Place((56,)), Place((58,))),
}
"""Left and right place of each action unit, as FG-Net has them for BP4D and DISFA."""


class Heatmaps(Transform, name="heatmaps"):
    """A map for each action unit: two bumps where it shows on the face, up where the label says it is there, else down.

    A bump is exp(-d² / (2 `sigma`²)) at the distance d from its place, 0 where that is below 0.01. Where two overlap
    they add up to at most 1. The places hang on the 68 points; which maps there are, on the names of the labels.
    Stands below all that moves pictures, since maps are made of the batch, on the device that trains.

    Fields: `heatmaps` A×size×size, from -1 to 1.
    Source: FG-Net, its code: the places, also those of lips and jaw, which its comments put elsewhere. Points are
    divided as it does, so that a map's pixel is a corner, not the middle, of those that it stands for.
    Example::

        [heatmaps]
        size = 16
        sigma = 2.5
    """

    unavailable: ClassVar[frozenset[str]] = frozenset({"only"})
    per_sample: ClassVar[bool] = False

    size: Annotated[int, Option(ge=4, le=1_024)] = Option(128, description="height and width of the maps")
    sigma: Annotated[float, Option(gt=0, le=1_024)] = Option(
        20.0, description="how wide a bump is, in pixels of the map"
    )
    points: str = Option("landmarks", description="the field of 68 points in the picture's pixels")
    labels: str = Option("labels", description="the field that says which action units are there, by name")
    active_above: float = Option(0.5, description="above it a label counts as there")
    name_of_maps: str = Option("heatmaps", alias="field", description="what the maps are called")

    def fields(self, fields: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
        """With the maps. Raises `ShapeError` for other points, labels without names, or a unit without a place."""
        self._expect(fields, "points", "landmarks", "points of a face")
        self._expect(fields, "labels", "vector", "labels of action units")
        given = fields[self.points].shape
        if given != (POINTS, 2):
            raise ShapeError(
                f"places its maps by the 68 points of a face, and `{self.points}` is {show(given)}",
                option="points" if "points" in self.model_fields_set else None, code="NC502",
                help="a source that gives 68 points, in the order of iBUG's scheme",
            )  # fmt: skip
        if self.name_of_maps in fields:
            raise ShapeError(
                f"would overwrite the field `{self.name_of_maps}`", option="field",
                help="give it another name: `field = …`",
            )  # fmt: skip
        if 0 in picture_size(fields):
            raise ShapeError(
                "needs a picture whose height and width are known, in whose pixels the points are",
                code="NC502", help="[resize] gives pictures a size",
            )  # fmt: skip
        spec = fields[self.labels]
        self.units(spec.names)
        shape = (len(spec.names), self.size, self.size)
        return {**fields, self.name_of_maps: FieldSpec(shape, "map", spec.names, absent=spec.absent)}

    def _expect(self, fields: Mapping[str, FieldSpec], option: str, kind: str, what: str) -> None:
        name = {"points": self.points, "labels": self.labels}[option]
        if name in fields and fields[name].kind == kind:
            return
        known = [other for other, spec in fields.items() if spec.kind == kind]
        lack = "which the data do not have" if name not in fields else f"which holds no {what}"
        listed = f"they have {', '.join(f'`{other}`' for other in known)}" if known else None
        raise ShapeError(
            f"reads {what} from `{name}`, {lack}",
            option=option if option in self.model_fields_set else None, code="NC501",
            help=did_you_mean(name, known) or listed or (POINTS_HELP if option == "points" else f"a source of {what}"),
        )  # fmt: skip

    def units(self, names: Sequence[str]) -> tuple[int, ...]:
        """The action units of labels by number. Raises `ShapeError` for one that has no place on the face."""
        placed = ", ".join(f"AU{unit}" for unit in PLACES)
        units = []
        for name in names:
            number = name[2:] if name.upper().startswith("AU") else ""
            if not number.isdecimal() or int(number) not in PLACES:
                raise ShapeError(
                    f"knows no place on the face for `{name}` of `{self.labels}`", code="NC502",
                    help=f"there are places for {placed}: let `action_units` of the source name these alone",
                )  # fmt: skip
            units.append(int(number))
        if not units:
            raise ShapeError(
                f"takes action units from the names of `{self.labels}`, and its entries have none",
                code="NC502", help=f"name them: {placed}",
            )  # fmt: skip
        return tuple(units)

    def reads(self, wanted: Sequence[str]) -> tuple[str, ...]:
        """Points and labels, in place of the maps."""
        if self.name_of_maps not in wanted:
            return tuple(wanted)
        kept = [name for name in wanted if name != self.name_of_maps]
        return tuple(dict.fromkeys([*kept, self.points, self.labels]))

    def look(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """That the points are in the picture, and are those of a face."""
        from netcfg.datasets.transforms.heatmaps import ExpectFace

        return ExpectFace(self.points, picture_size(fields))

    def lower(self, fields: Mapping[str, FieldSpec]) -> "Callable[..., Any]":
        """A callable on batches of float tensors on the training device."""
        from netcfg.datasets.transforms.heatmaps import HeatmapsOfBatch, placing

        places = [place for unit in self.units(fields[self.labels].names) for place in PLACES[unit]]
        return HeatmapsOfBatch(
            points=self.points,
            labels=self.labels,
            field=self.name_of_maps,
            placing=placing([place.points for place in places], POINTS),
            down=tuple(place.down for place in places),
            source=picture_size(fields),
            size=self.size,
            sigma=self.sigma,
            active_above=self.active_above,
        )
