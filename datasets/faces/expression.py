"""What a face does over a clip: action units with onset, apex and offset, and the emotion they show.

Units: an activation is 0 (absent) to 1 (intensity 5); the intensity of a frame is `round(5 * activation)`.
Source: the action units are those of the Facial Action Coding System (Ekman, Friesen and Hager).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.randomness import generator

FACE_AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26)
BP4D_AUS = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
DISFA_AUS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
DISFA8_AUS = (1, 2, 4, 6, 9, 12, 25, 26)
EMOTIONS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")

APEX_SHARE = 0.4  # a frame shows the clip's emotion from this share of the apex on

# Per emotion: action unit -> probability that this clip's expression contains it.
PROTOTYPES: dict[str, dict[int, float]] = {
    "neutral": {},
    "happiness": {6: 0.95, 12: 1.0, 25: 0.6, 7: 0.3, 10: 0.2},
    "surprise": {1: 1.0, 2: 1.0, 5: 0.85, 25: 1.0, 26: 1.0},
    "sadness": {1: 1.0, 4: 0.9, 15: 1.0, 17: 0.7, 6: 0.15},
    "anger": {4: 1.0, 5: 0.7, 7: 0.9, 23: 0.95, 24: 0.5, 17: 0.3},
    "disgust": {9: 1.0, 15: 0.6, 10: 0.8, 17: 0.6, 4: 0.3, 7: 0.3},
    "fear": {1: 1.0, 2: 0.9, 4: 0.95, 5: 1.0, 20: 1.0, 25: 0.95, 26: 0.3},
    "contempt": {14: 1.0, 12: 0.2, 24: 0.2},
}

# How often a unit joins on its own account; chosen so that every unit is present in 20 to 40 % of the frames.
SPONTANEOUS = {
    1: 0.12, 2: 0.24, 4: 0.08, 5: 0.14, 6: 0.36, 7: 0.26, 9: 0.34, 10: 0.38, 12: 0.64, 14: 0.66, 15: 0.44,
    17: 0.42, 20: 0.60, 23: 0.54, 24: 0.90, 25: 0.30, 26: 0.40,
}  # fmt: skip

# Units that pull the same tissue in opposite ways: the later one does not join.
CONFLICTS = {
    frozenset(pair)
    for pair in ((12, 15), (12, 20), (14, 20), (15, 20), (17, 26), (20, 23), (20, 24), (23, 25), (23, 26),
                 (24, 25), (24, 26), (10, 24), (14, 26))
}  # fmt: skip


@dataclass(frozen=True)
class Performance:
    """The acting in one clip.

    Shapes: activations (T, 17, 2), last axis: the face's half at the left and at the right of the image;
    emotion (T,) indices into EMOTIONS; blink (T,) 0..1; gaze (T, 2) -1..1.
    """

    activations: NDArray[np.float32]
    emotion: NDArray[np.int64]
    blink: NDArray[np.float32]
    gaze: NDArray[np.float32]

    def intensities(self, frame: int) -> NDArray[np.int64]:
        """Intensities 0..5 of the units in FACE_AUS order; of two unequal halves the stronger one counts."""
        return np.asarray(np.rint(5.0 * self.activations[frame].max(axis=1)), np.int64)


def activation_array(activations: Mapping[int, float]) -> NDArray[np.float32]:
    """Activations of single units, equal in both halves, as the array the renderer takes: (17, 2)."""
    array = np.zeros((len(FACE_AUS), 2), np.float32)
    for unit, value in activations.items():
        if unit not in FACE_AUS:
            raise ValueError(f"action unit {unit} is not drawn; there are {', '.join(map(str, FACE_AUS))}")
        array[FACE_AUS.index(unit)] = np.clip(value, 0.0, 1.0)
    return array


def perform(
    seed: int, subject: int, clip: int, length: int, emotions: int, others: float = 1.0, lasting: float = 1.0
) -> Performance:
    """The acting of one clip of `length` frames, with the clip's emotion among the first `emotions` ones.

    `others` times as often as ever do units join that are not of the emotion; it comes and goes within `lasting`, a
    part of the clip.
    """
    rng = generator(seed, subject, clip, emotions, purpose="expression")
    emotion = _emotion_of_clip(seed, subject, clip, emotions)
    # By a draw of its own: all others are those of a clip that shows it from end to end.
    begin = generator(seed, subject, clip, purpose="moment").uniform(0, 1 - lasting) if lasting < 1 else 0.0
    envelope = _envelope(rng, length, begin, lasting)
    acted = _prototype_units(rng, EMOTIONS[emotion])
    joined = _spontaneous_units(rng, acted, share=others * (1.0 if emotion else 0.75))
    activations = np.zeros((length, len(FACE_AUS), 2), np.float32)
    for unit in acted:
        activations[:, FACE_AUS.index(unit)] = _course(rng, envelope, unit, EMOTIONS[emotion], low=0.55)
    for unit in joined:
        activations[:, FACE_AUS.index(unit)] = _course(rng, _envelope(rng, length), unit, "neutral", low=0.38)
    shown = envelope >= APEX_SHARE
    return Performance(
        activations=activations,
        emotion=np.where(shown, emotion, 0).astype(np.int64),
        blink=_blinks(rng, length),
        gaze=_gaze(rng, length),
    )


def in_motion(seed: int, subject: int, clip: int, length: int, units: int) -> NDArray[np.float32]:
    """Levels of units that never rest, 0..1: (length, units).

    Each grows over the clip, or is played backwards, by the toss of a coin: of two such clips the frames are the
    same, so a frame tells how strong a unit is and nothing of where it goes.
    """
    rng = generator(seed, subject, clip, purpose="motion")
    weak, strong = rng.uniform(0.0, 0.25, units), rng.uniform(0.75, 1.0, units)
    courses = np.linspace(weak, strong, length)
    return np.where(rng.random(units) < 0.5, courses, courses[::-1]).astype(np.float32)


def _emotion_of_clip(seed: int, subject: int, clip: int, emotions: int) -> int:
    """Every subject goes through all emotions, in an order of its own, before one comes again."""
    order = generator(seed, subject, clip // emotions, emotions, purpose="emotions").permutation(emotions)
    return int(order[clip % emotions])


def _prototype_units(rng: np.random.Generator, emotion: str) -> list[int]:
    draws = rng.random(len(FACE_AUS))
    prototype = PROTOTYPES[emotion]
    chosen = [unit for unit, draw in zip(FACE_AUS, draws, strict=True) if draw < prototype.get(unit, 0.0)]
    return _without_conflicts(rng, chosen, taken=[])


def _spontaneous_units(rng: np.random.Generator, taken: list[int], share: float) -> list[int]:
    draws = rng.random(len(FACE_AUS))
    candidates = [
        unit
        for unit, draw in zip(FACE_AUS, draws, strict=True)
        if unit not in taken and draw < share * SPONTANEOUS[unit]
    ]
    joined = _without_conflicts(rng, candidates, taken)
    if 26 in joined and 25 not in (*joined, *taken):
        joined.append(25)  # a dropped jaw parts the lips
    return joined


def _without_conflicts(rng: np.random.Generator, candidates: list[int], taken: list[int]) -> list[int]:
    kept: list[int] = []
    for unit in rng.permutation(candidates).astype(int).tolist():
        if not any(frozenset((unit, other)) in CONFLICTS for other in (*taken, *kept)):
            kept.append(unit)
    return kept


def _envelope(
    rng: np.random.Generator, length: int, begin: float = 0.0, part: float = 1.0
) -> NDArray[np.float32]:
    """Onset, apex and offset of one event over a clip, or over the `part` of it from `begin` on, 0..1: (length,)."""
    start, rise = rng.uniform(-0.10, 0.15), rng.uniform(0.08, 0.25)
    end, fall = rng.uniform(0.80, 1.25), rng.uniform(0.10, 0.30)
    time = ((np.arange(length) + 0.5) / length - begin) / part
    onset = np.clip((time - start) / rise, 0.0, 1.0)
    offset = np.clip((end - time) / fall, 0.0, 1.0)
    ramp = np.minimum(onset, offset)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), np.float32)


def _course(
    rng: np.random.Generator, envelope: NDArray[np.float32], unit: int, emotion: str, low: float
) -> NDArray[np.float32]:
    """Activation of one unit in both halves of the face: (length, 2)."""
    peak = rng.uniform(low, 1.0)
    halves = np.clip(1.0 + rng.normal(0.0, 0.06, 2), 0.85, 1.15)
    alone = rng.random()
    if unit == 14 and (emotion == "contempt" or alone < 0.4):
        halves[int(rng.integers(2))] = 0.0  # the dimple of contempt is one-sided
    wobble = 1.0 + 0.06 * np.sin(
        np.linspace(0.0, rng.uniform(2.0, 9.0), len(envelope)) + rng.uniform(0.0, 6.0)
    )
    course = (peak * envelope * wobble)[:, None] * halves[None, :]
    return np.clip(course, 0.0, 1.0).astype(np.float32)


def _blinks(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    closing = rng.random(length) < 0.03
    return np.asarray(closing * rng.uniform(0.4, 1.0, length), np.float32)


def _gaze(rng: np.random.Generator, length: int) -> NDArray[np.float32]:
    fixations = rng.normal(0.0, 0.35, (2, 2))
    switch = rng.integers(0, length + 1)
    chosen = np.where(np.arange(length)[:, None] < switch, fixations[0], fixations[1])
    return np.asarray(np.clip(chosen, -1.0, 1.0), np.float32)
