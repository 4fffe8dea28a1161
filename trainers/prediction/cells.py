"""What is answered of a frame as cells of a table, as json, and in words.

Legend: A entries, K classes or points, H height, W width.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netcfg.trainers.prediction.answers import Answer, Values
from netcfg.trainers.prediction.prediction import Prediction, SeenClip

TOP = 5
"""How many classes a line names."""
_BAND = 4_000_000
"""Numbers at a time of what is drawn of large pictures."""
_SMALL_AREA = 0.005
"""Of a picture; smaller ones are in tables, not in lines."""


def columns(answers: Sequence[Answer]) -> list[str]:
    """The names of the cells of `cells`.

    An action unit has `AU12_c`, 1 where it is present, `AU12_p`, its confidence from 0 to 1, and where a network was
    trained on intensities `AU12_r`, from 0 to 5. A class has its name and a confidence for each, a number itself, named
    with its unit, a mask the share of the picture that each class takes (`parts_skin_area`), points `x_0` and `y_0` in
    pixels of the picture, an embedding its numbers. Where two answers would have the same name, their signal stands
    before it.
    """
    own = [_columns(answer) for answer in answers]
    times = Counter(name for names in own for name in names)
    return [
        f"{answer.signal}_{name}" if times[name] > 1 else name
        for answer, names in zip(answers, own, strict=True)
        for name in names
    ]


def _columns(answer: Answer) -> list[str]:
    match answer.kind:
        case "class":
            return [answer.target, *(f"{answer.target}_{name}_p" for name in answer.names)]
        case "labels":
            kinds = ("c", "p", "r") if answer.graded else ("c", "p")
            return [f"{_padded(name)}_{kind}" for name in answer.names for kind in kinds]
        case "number":
            unit = f" [{answer.unit}]" if answer.unit else ""
            return [f"{name}{unit}" for name in answer.names]
        case "mask":
            return [f"{answer.target}_{name}_area" for name in answer.names]
        case "points":
            return [f"{axis}_{place}" for axis in "xy" for place in range(answer.count)]
        case "embedding":
            return [f"{answer.signal}_{place}" for place in range(answer.count)]
        case "picture" | "map":
            return []


def _padded(name: str) -> str:
    """`AU4` as OpenFace writes it: `AU04`."""
    unit = re.fullmatch(r"AU(\d)", name)
    return f"AU0{unit[1]}" if unit else name


def cells(prediction: Prediction) -> list[str]:
    """A row's cells of what is answered."""
    found: list[str] = []
    for answer, values in prediction.answers:
        found += _cells(answer, values, prediction)
    return found


def _cells(answer: Answer, values: Values, prediction: Prediction) -> Iterator[str]:
    match answer.kind:
        case "class":
            yield answer.names[int(values.argmax())]
            yield from (f"{value:.4f}" for value in values)
        case "labels":
            for value, above in zip(values, answer.present_above, strict=True):
                yield from (str(int(value > above)), f"{value:.4f}")
                if answer.graded:
                    yield f"{5 * value:.2f}"
        case "number" | "embedding":
            yield from (f"{value:.6g}" for value in values)
        case "mask":
            yield from (f"{share:.4f}" for share in areas(values, len(answer.names)))
        case "points":
            yield from (f"{value:.2f}" for value in points_in_frame(answer, values, prediction).T.flatten())


def areas(shares: Values, least: int = 0) -> NDArray[np.float64]:
    """What part of a picture each class is the likeliest in: shares K×H×W, or the classes themselves, H×W."""
    classes = shares.argmax(0) if shares.ndim == 3 else shares
    least = least if shares.ndim == 2 else len(shares)
    counts = sum(np.bincount(classes[rows].ravel(), minlength=least) for rows in bands(*classes.shape))
    return np.asarray(counts / classes.size)


def bands(height: int, width: int) -> Iterator[slice]:
    """The rows of a picture in portions, so that what is computed of one is small beside the picture."""
    rows = max(1, _BAND // max(width, 1))
    for start in range(0, height, rows):
        yield slice(start, min(start + rows, height))


def points_in_frame(answer: Answer, points: Values, prediction: Prediction) -> Values:
    """Points (K, 2) of the picture that a network saw in pixels of the frame; whole numbers are centres of pixels."""
    height, width = prediction.frame.image.shape[:2]
    if 0 in answer.size:
        return points
    left, top, right, bottom = answer.box or (0, 0, width, height)
    scale = np.array([(right - left) / answer.size[1], (bottom - top) / answer.size[0]])
    return np.asarray((points + 0.5) * scale - 0.5 + np.array([left, top]))


def attention_columns(clip: SeenClip) -> list[str]:
    """The names of the cells of `attention_rows`, after those of the frame."""
    return [*clip.gates, *(["weight"] if clip.weights is not None else [])]


def attention_rows(clip: SeenClip) -> Iterator[list[str]]:
    """Of each frame that was seen its number and seconds, its gates, and its part in the features of the clip."""
    weighed = [*clip.gates.values(), *([clip.weights] if clip.weights is not None else [])]
    for place, (number, seconds) in enumerate(zip(clip.numbers, clip.seconds, strict=True)):
        when = "" if seconds is None else f"{seconds:.3f}"
        yield [str(number), when, *(f"{values[place]:.6g}" for values in weighed)]


# --- json


def described(answer: Answer) -> dict[str, Any]:
    """What can be answered."""
    of: dict[str, Any] = {"signal": answer.signal, "kind": answer.kind}
    if answer.kind in ("mask", "points", "embedding"):
        of["target"] = answer.target
    if answer.names:
        of |= {"names": list(answer.names)}
    if answer.unit:
        of["unit"] = answer.unit
    return of | ({"present_above": list(answer.present_above)} if answer.kind == "labels" else {})


def attention_json(clip: SeenClip) -> dict[str, Any]:
    """The frames of a clip that were seen, and by name how they were weighed."""
    weighed = {**clip.gates, **({} if clip.weights is None else {"weight": clip.weights})}
    return {
        "frame": list(clip.numbers),
        **{name: values.round(6).tolist() for name, values in weighed.items()},
    }


def as_json(prediction: Prediction) -> dict[str, Any]:
    """By action unit `{"confidence", "present"}`, by class field `{"name", "confidences"}`, numbers, areas, points."""
    found: dict[str, Any] = {}
    for answer, values in prediction.answers:
        for key, value in _as_json(answer, values, prediction).items():
            found[key if key not in found else f"{answer.signal}_{key}"] = value
    return found


def _as_json(answer: Answer, values: Values, prediction: Prediction) -> dict[str, Any]:
    match answer.kind:
        case "points":
            return {answer.target: points_in_frame(answer, values, prediction).round(2).tolist()}
        case "embedding":
            return {answer.signal: [float(f"{value:.6g}") for value in values]}
        case "picture" | "map":
            return {}
    numbers = areas(values, len(answer.names)) if answer.kind == "mask" else values
    named = {name: round(float(value), 6) for name, value in zip(answer.names, numbers, strict=True)}
    match answer.kind:
        case "number":
            return named
        case "mask":
            return {answer.target: {"areas": named}}
        case "class":
            return {answer.target: {"name": max(named, key=named.__getitem__), "confidences": named}}
    return {
        name: {"confidence": value, "present": value > above}
        | ({"intensity": round(5 * value, 6)} if answer.graded else {})
        for (name, value), above in zip(named.items(), answer.present_above, strict=True)
    }


# --- words


def measured(answer: Answer, value: float) -> str:
    """A number with its unit."""
    return f"{value:.4g} {answer.unit}".rstrip()


def sentence(answer: Answer, values: Values) -> str:
    """An answer in a line: `emotion happy 0.93, sad 0.04, …`."""
    match answer.kind:
        case "class":
            order = np.argsort(-values, kind="stable")[:TOP]
            return f"{answer.target} " + ", ".join(f"{answer.names[i]} {values[i]:.2f}" for i in order)
        case "labels":
            present = [
                f"{name} {value:.2f}"
                for name, value, above in zip(answer.names, values, answer.present_above, strict=True)
                if value > above
            ]
            return ", ".join(present) or f"none of {len(answer.names)} labels"
        case "number":
            told = zip(answer.names, values, strict=True)
            return ", ".join(f"{name} {measured(answer, value)}" for name, value in told)
        case "mask":
            found = areas(values, len(answer.names))
            largest = [i for i in np.argsort(-found, kind="stable") if found[i] >= _SMALL_AREA]
            return f"{answer.target} " + ", ".join(f"{answer.names[i]} {found[i]:.0%}" for i in largest)
        case "points":
            return f"{len(values)} points of {answer.target}"
        case "embedding":
            return f"{answer.signal} {len(values)} numbers of length {np.linalg.norm(values):.3g}"
        case "map":
            return f"maps of {', '.join(answer.names)}"
        case "picture":
            return f"picture `{answer.signal}`"
