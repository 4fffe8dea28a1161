"""What one subject looks like, independent of pose, light and expression.

Units: lengths are in face units: 1 is half the width of an average face at the cheekbones, x points right and
y down in the image, the origin lies between the eyes. Colours are RGB, 0..255.
"""

from dataclasses import dataclass

import numpy as np

from netcfg.datasets.faces.randomness import generator

Colour = tuple[float, float, float]

HAIR_STYLES = ("short", "long", "fringe", "bald", "curly", "tied")
BEARDS = ("none", "stubble", "moustache", "full", "goatee")
GLASSES = ("none", "round", "square", "rimless")

_SKINS: tuple[Colour, ...] = (
    (230, 196, 174), (224, 184, 156), (212, 168, 134), (196, 148, 112),
    (170, 120, 88), (142, 96, 68), (112, 75, 55), (226, 190, 158),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (34, 28, 26), (58, 40, 30), (92, 62, 40), (138, 98, 58), (196, 158, 100), (146, 70, 38), (150, 146, 142),
)  # fmt: skip
_IRISES: tuple[Colour, ...] = ((74, 48, 30), (98, 66, 36), (96, 116, 68), (84, 124, 150), (112, 132, 142))


@dataclass(frozen=True)
class Identity:
    """A subject. Factors are 1 for the average face; offsets are in face units and 0 for it."""

    face_width: float = 1.0
    jaw_width: float = 1.0
    chin_length: float = 0.0
    forehead: float = 0.0
    eye_spacing: float = 0.0
    eye_size: float = 1.0
    eye_opening: float = 1.0
    eye_tilt: float = 0.0
    brow_height: float = 0.0
    brow_tilt: float = 0.0
    brow_arch: float = 1.0
    brow_thickness: float = 1.0
    nose_length: float = 1.0
    nose_width: float = 1.0
    nose_height: float = 1.0
    mouth_width: float = 1.0
    mouth_height: float = 0.0
    mouth_curve: float = 0.0
    upper_lip: float = 1.0
    lower_lip: float = 1.0
    cheeks: float = 1.0
    age: float = 0.3
    lashes: float = 0.5
    skin: Colour = (226, 180, 146)
    lips: Colour = (186, 104, 96)
    hair: Colour = (58, 40, 30)
    brows: Colour = (58, 40, 30)
    iris: Colour = (98, 66, 36)
    clothes: Colour = (70, 84, 110)
    hair_style: str = "short"
    hairline: float = 0.0
    parting: float = 0.0
    beard: str = "none"
    glasses: str = "none"
    glasses_colour: Colour = (40, 36, 36)
    texture_seed: int = 0


def sample_identity(seed: int, subject: int) -> Identity:
    """The identity of subject number `subject`; the same for the same two numbers."""
    rng = generator(seed, subject, purpose="identity")
    feminine = bool(rng.random() < 0.5)
    skin = _jitter(rng, _SKINS[int(rng.integers(len(_SKINS)))], 9.0)
    hair = _sample_hair_colour(rng, skin)
    return Identity(
        **_sample_proportions(rng, feminine),
        age=float(rng.beta(1.6, 2.4)),
        lashes=float(rng.uniform(0.6, 1.0) if feminine else rng.uniform(0.15, 0.5)),
        skin=skin,
        lips=_lip_colour(rng, skin, feminine),
        hair=hair,
        brows=_mix(hair, (40.0, 30.0, 26.0), 0.45),
        iris=_jitter(rng, _IRISES[int(rng.integers(2 if sum(skin) < 420 else len(_IRISES)))], 8.0),
        clothes=_jitter(rng, (110.0, 110.0, 115.0), 60.0),
        hair_style=_sample_hair_style(rng, feminine),
        hairline=float(rng.uniform(-0.08, 0.10)),
        parting=float(rng.uniform(-0.6, 0.6)),
        beard="none" if feminine else str(rng.choice(BEARDS, p=(0.42, 0.22, 0.10, 0.16, 0.10))),
        glasses=str(rng.choice(GLASSES, p=(0.70, 0.11, 0.11, 0.08))),
        glasses_colour=_jitter(rng, (62.0, 46.0, 42.0), 30.0),
        texture_seed=int(rng.integers(2**31)),
    )


def _sample_proportions(rng: np.random.Generator, feminine: bool) -> dict[str, float]:
    def factor(spread: float, mean: float = 1.0) -> float:
        return float(mean * np.clip(1.0 + rng.normal(0.0, spread), 1 - 2 * spread, 1 + 2 * spread))

    def offset(spread: float, mean: float = 0.0) -> float:
        return float(mean + np.clip(rng.normal(0.0, spread), -2 * spread, 2 * spread))

    return {
        "face_width": factor(0.035),
        "jaw_width": factor(0.06, 0.95 if feminine else 1.04),
        "chin_length": offset(0.04, -0.02 if feminine else 0.03),
        "forehead": offset(0.05),
        "eye_spacing": offset(0.018),
        "eye_size": factor(0.06, 1.05 if feminine else 0.97),
        "eye_opening": factor(0.14, 1.05 if feminine else 0.95),
        "eye_tilt": offset(0.018, -0.008),
        "brow_height": offset(0.03, -0.02 if feminine else 0.02),
        "brow_tilt": offset(0.03),
        "brow_arch": factor(0.35),
        "brow_thickness": factor(0.22, 0.75 if feminine else 1.1),
        "nose_length": factor(0.06),
        "nose_width": factor(0.10, 0.94 if feminine else 1.04),
        "nose_height": factor(0.12),
        "mouth_width": factor(0.08),
        "mouth_height": offset(0.02),
        "mouth_curve": offset(0.022),
        "upper_lip": factor(0.22, 1.1 if feminine else 0.9),
        "lower_lip": factor(0.20, 1.1 if feminine else 0.92),
        "cheeks": factor(0.25),
    }


def _sample_hair_style(rng: np.random.Generator, feminine: bool) -> str:
    share = (0.05, 0.40, 0.20, 0.0, 0.15, 0.20) if feminine else (0.52, 0.05, 0.12, 0.18, 0.13, 0.0)
    return str(rng.choice(HAIR_STYLES, p=share))


def _sample_hair_colour(rng: np.random.Generator, skin: Colour) -> Colour:
    choices = 3 if sum(skin) < 420 else len(_HAIRS)
    red, green, blue = _HAIRS[int(rng.integers(choices))]
    brightness = float(np.clip(rng.normal(1.0, 0.12), 0.75, 1.25))
    return red * brightness, green * brightness, blue * brightness


def _lip_colour(rng: np.random.Generator, skin: Colour, feminine: bool) -> Colour:
    natural = (skin[0] * 0.86, skin[1] * 0.62, skin[2] * 0.64)
    made_up = (skin[0] * 0.80, skin[1] * 0.36, skin[2] * 0.42)
    return _mix(natural, made_up, float(rng.uniform(0.0, 0.9) if feminine else rng.uniform(0.0, 0.15)))


def _jitter(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    shared = rng.normal(0.0, spread * 0.7)
    red, green, blue = (float(np.clip(c + shared + rng.normal(0.0, spread * 0.5), 6, 250)) for c in colour)
    return red, green, blue


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue
