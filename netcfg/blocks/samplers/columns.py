"""Columns of a table by which samplers go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.source import NetcfgError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netcfg.blocks.samples import SampleTable

PLACES = ("subject", "clip")
"""What a table knows of samples beside their labels."""


def expect_groups(name: str, option: str, what: str, fields: Mapping[str, FieldSpec]) -> None:
    """Refuse, by a `ShapeError`, a column that is no class, and no subject or clip; `what` begins the sentence."""
    spec = fields.get(name)
    if spec is not None and spec.kind == "class" and not spec.shape:
        return
    classes = [known for known, spec in fields.items() if spec.kind == "class"]
    found = "which the data do not have" if spec is None else f"which is {spec.kind}, {spec}"
    raise ShapeError(
        f"{what} by the field `{name}`, {found}",
        option=option,
        help=did_you_mean(name, classes) or (f"one of {', '.join(classes)}" if classes else None),
    )


def groups_of(table: SampleTable, name: str, sampler: str) -> NDArray[np.int64]:
    """N whole numbers, equal for samples of one group. Raises `NetcfgError` where they are not known beforehand."""
    column = table.labels.get(name)
    if column is None:
        column = {"subject": table.subjects, "clip": table.clips}.get(name)
    if column is None:
        raise NetcfgError(
            f"[{sampler}] of which `{name}` a sample is is only known once it is made\n"
            "help: another source, or another field",
            code="NC502",
        )
    return column
