"""What a metric is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from netcfg.results import Curve, Figure, Matrix, Table

if TYPE_CHECKING:
    from torch import Tensor

CLIP = "clip"
"""The data field that says which clip a frame belongs to; a clip's frames stand together, in their order."""

Decision = Literal["probability", "logit"]
"""What a threshold is for: the sigmoid of a logit, or the logit itself."""

Rows = dict[str, "Tensor"]
"""What a metric keeps of samples, by name: a row each, small enough to be kept for a whole split."""

Figures = dict[str, Figure]
"""A metric's main figure under the metric's name, then details: each label's under its own; None: undefined."""


class Case(NamedTuple):
    """A whole split, samples first, on the CPU, as a metric judges it.

    `names` are those of the target's entries; `clips`, where the metric reads them, the clip of each sample;
    `thresholds` the ones that were chosen on validation, one per label, None where this split chooses them. `mask`
    says what counts; `groups` to which clip or subject each sample belongs that is judged as one, `units` to which one
    that intervals draw as one, `apart` to which one whose samples are no neighbours of each other.
    """

    scores: Tensor
    targets: Tensor | None = None
    names: Sequence[str] = ()
    clips: Tensor | None = None
    thresholds: Sequence[float] | None = None
    mask: Tensor | None = None
    groups: Tensor | None = None
    units: Tensor | None = None
    apart: Tensor | None = None


class Cut(NamedTuple):
    """How a metric turns scores into decisions: above which `threshold`, None where it is searched for, of `what`."""

    threshold: float | None
    what: Decision


class Verdict(NamedTuple):
    """Tables by name: the metric's own first, under its name, then its variants; then matrices and curves.

    `thresholds` are those it used, one per label, where they were not written in the file.
    """

    tables: Mapping[str, Table]
    thresholds: Sequence[float] | None = None
    matrices: Sequence[Matrix] = ()
    curves: Sequence[Curve] = ()
