"""How a clip was recorded: head pose over time, light, background and camera.

Units: angles in radians; positions and scale as shares of the image's side; light directions are unit vectors
with x right, y down and z towards the camera.
"""

from dataclasses import dataclass, field

import numpy as np

from netcfg.datasets.faces.randomness import generator

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Pose:
    """Where the head is. Positive yaw turns the face to the image's right, positive pitch lowers the nose,
    positive roll turns the head clockwise; `scale` is the length of one face unit.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 0.335
    x: float = 0.5
    y: float = 0.47


@dataclass(frozen=True)
class Light:
    """A soft lamp and ambient light; `colour` multiplies RGB, `gradient` is its fall-off over the image."""

    direction: Vector = (-0.40, -0.45, 0.80)
    diffuse: float = 0.72
    ambient: float = 0.44
    colour: Vector = (1.0, 1.0, 1.0)
    gradient: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Scene:
    """One recording. `noise` is the camera noise's standard deviation in grey levels."""

    pose: Pose = field(default_factory=Pose)
    light: Light = field(default_factory=Light)
    drift: tuple[Vector, ...] = ((0.0, 0.0, 0.0),) * 6
    background_seed: int = 0
    clutter: int = 0
    noise: float = 2.0

    def pose_at(self, time: float) -> Pose:
        """The pose at `time` in 0..1: the clip's pose plus a slow sway (amplitude, cycles, phase)."""
        sway = [a * np.sin(2 * np.pi * (cycles * time + phase)) for a, cycles, phase in self.drift]
        base = self.pose
        values = (base.yaw, base.pitch, base.roll, base.scale, base.x, base.y)
        return Pose(*(float(value + move) for value, move in zip(values, sway, strict=True)))


def sample_scene(seed: int, subject: int, clip: int) -> Scene:
    """The recording of one clip; the same for the same three numbers."""
    rng = generator(seed, subject, clip, purpose="scene")
    amplitudes = (0.06, 0.04, 0.03, 0.006, 0.008, 0.008)
    return Scene(
        pose=_sample_pose(rng),
        light=_sample_light(rng),
        drift=tuple(
            (float(a * rng.uniform(0.2, 1.0)), float(rng.uniform(0.3, 1.2)), float(rng.random()))
            for a in amplitudes
        ),
        background_seed=int(rng.integers(2**31)),
        clutter=int(rng.integers(3, 14)),
        noise=float(rng.uniform(1.5, 5.0)),
    )


def _sample_pose(rng: np.random.Generator) -> Pose:
    def around(mean: float, spread: float) -> float:
        return float(mean + np.clip(rng.normal(0.0, spread), -2 * spread, 2 * spread))

    return Pose(
        yaw=around(0.0, 0.16),
        pitch=around(0.02, 0.09),
        roll=around(0.0, 0.07),
        scale=around(0.33, 0.014),
        x=around(0.5, 0.025),
        y=around(0.475, 0.022),
    )


def _sample_light(rng: np.random.Generator) -> Light:
    angle, height = rng.uniform(-1.1, 1.1), rng.uniform(0.15, 0.75)
    direction = np.array([np.sin(angle), -height, max(np.cos(angle), 0.3)])
    red, green, blue = direction / np.linalg.norm(direction)
    warmth = rng.normal(0.0, 0.04)
    exposure = rng.uniform(0.78, 1.12)
    return Light(
        direction=(float(red), float(green), float(blue)),
        diffuse=float(rng.uniform(0.45, 0.85)),
        ambient=float(rng.uniform(0.38, 0.56)),
        colour=(float(exposure * (1 + warmth)), float(exposure), float(exposure * (1 - warmth))),
        gradient=(float(rng.normal(0.0, 0.13)), float(rng.normal(0.0, 0.10))),
    )
