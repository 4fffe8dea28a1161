"""Action units of faces: which there are, and what their labels mean."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

FACE_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)
AU_SETS = {
    "bp4d": (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24),
    "disfa": (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26),
    "disfa8": (1, 2, 4, 6, 9, 12, 25, 26),
}

EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")


def unit_numbers(written: tuple[str, ...]) -> tuple[int, ...]:
    """Action units by number: those of a named set, or the numbers as written."""
    return AU_SETS.get(written[0]) or tuple(int(item) for item in written)


def active_label(is_intensity: bool) -> float:
    """Above which label a unit counts as shown: half, or of intensities divided by 5 that of 2."""
    return 2 / 5 if is_intensity else 0.5


def known_action_units(written: tuple[str, ...]) -> tuple[str, ...]:
    """The name of a set, or different numbers of units that are known; raises what pydantic reports."""
    if len(written) == 1 and written[0].lower() in AU_SETS:
        return (written[0].lower(),)
    known = [str(unit) for unit in FACE_AUS]
    if len(set(written)) < len(written) or not set(written) <= set(known):
        sets = ", ".join(f"`{name}`" for name in AU_SETS)
        raise PydanticCustomError("unknown_unit", f"{sets}, or different numbers out of {', '.join(known)}")
    return written
