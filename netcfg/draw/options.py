"""How a picture is to look: what `netcfg graph` and its Python callers may choose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from netcfg.source import NetcfgError, did_you_mean

STYLES: Final = ("flow", "volumes")
DIRECTIONS: Final = ("top-down", "left-right")
HEATS: Final = ("parameters", "macs", "memory")
PALETTES: Final = ("grey", "colour-blind", "plain", "strong")
LABELS: Final = ("shape", "parameters", "macs", "memory")
"""What may stand at boxes and lines beside names and options."""


@dataclass(frozen=True, slots=True)
class Look:
    """The choices; as they are here, the picture is the one that a person would print.

    `expand` shows every turn of a repeat and the inside of every template, `depth` the insides of templates
    that many levels deep; without either, as deep as a page has room for. `labels` are some of `LABELS`.
    `style` is one of `STYLES`: boxes and lines, or volumes, which are feature maps in perspective. `direction` is
    one of `DIRECTIONS`, by default top-down for boxes and left-right for volumes. `columns` is into how many
    columns (from left to right: rows) a network is folded, by default as many as a page needs. `heat` is one of
    `HEATS`, by which boxes are coloured instead of by their families. Without `frame` a network has no edge around it,
    and no name where it is alone; `legend` says what colours mean. `palette` is one of `PALETTES`. `renames` are other
    names for parts, by path or name. `narrow` boxes are no wider than their longest words. `insets` are templates that
    stand closed, and open beside the networks.
    """

    expand: bool = False
    depth: int | None = None
    labels: Sequence[str] = field(default=("shape",))
    style: str = "flow"
    direction: str | None = None
    columns: int | None = None
    heat: str | None = None
    frame: bool = True
    legend: bool = True
    palette: str | None = None
    renames: Mapping[str, str] = field(default_factory=dict)
    insets: Sequence[str] = ()
    narrow: bool = False

    def __post_init__(self) -> None:
        for label in self.labels:
            _check("labels", label, LABELS)
        _check("direction", self.direction or DIRECTIONS[0], DIRECTIONS)
        _check("style", self.style, STYLES)
        _check("heat", self.heat or HEATS[0], HEATS)
        _check("palette", self.palette or PALETTES[0], PALETTES)
        if self.palette and self.heat:
            raise NetcfgError(
                "palette: heat colours boxes by their cost\nhelp: leave one of the two out", code="NC801"
            )
        if self.depth is not None and self.depth < 0:
            raise NetcfgError(f"depth must be 0 or more, found {self.depth}", code="NC801")
        if self.columns is not None and not 1 <= self.columns <= 100:
            raise NetcfgError(f"columns must be from 1 to 100, found {self.columns}", code="NC801")

    @property
    def is_sideways(self) -> bool:
        """Whether signals run from left to right."""
        return (self.direction or ("left-right" if self.volumes else "top-down")) == "left-right"

    @property
    def volumes(self) -> bool:
        """Whether boxes are drawn as the feature maps that they make."""
        return self.style == "volumes"


def _check(option: str, value: str, choices: Sequence[str]) -> None:
    """Raises `NetcfgError` for a value that is none of the choices."""
    if value not in choices:
        help = did_you_mean(value, choices)
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise NetcfgError(
            f"{option}: {listed}, not `{value}`" + (f"\nhelp: {help}" if help else ""), code="NC801"
        )
