# ruff: noqa: TID253
"""Draw three pictures of the data set `synthetic_faces`, next to this file.

- synthetic_faces.png: subjects by action units, each unit alone and at its strongest, the neutral face first;
- synthetic_faces_clip.png: a clip of one subject, and under each frame its optical flow to the next;
- synthetic_faces_motion.png: two clips with labels of motion, in one the jaw drops, in the other it closes.

Run: python examples/synthetic_faces_sheet.py
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from netcfg.datasets.faces.identity import sample_identity
from netcfg.datasets.faces.render import render_face
from netcfg.datasets.faces.scene import Light, Pose, Scene
from netcfg.datasets.sources.synthetic_faces import EMOTIONS, SyntheticFaces

Image = NDArray[np.uint8]

SEED = 0
SUBJECTS = (10, 25, 17, 15)
BLOCKS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((), (1,), (2,), (4,), (5,), (6,), (7,), (9,), (10,), (12,)),
    ((), (14,), (15,), (17,), (20,), (23,), (24,), (25,), (26,), (6, 12, 25)),
)
FACE_SIDE, CLIP_SIDE = 128, 160


def face_sheet() -> Image:
    """Subjects x action units, in two blocks."""
    rows = []
    for block in BLOCKS:
        rows.append(np.hstack([header(title(units), FACE_SIDE) for units in block]))
        for row, subject in enumerate(SUBJECTS):
            rows.append(np.hstack([face(subject, row, units) for units in block]))
    return np.vstack(rows)


def title(units: tuple[int, ...]) -> str:
    """Name of a column."""
    return "AU " + "+".join(map(str, units)) if units else "neutral"


def face(subject: int, row: int, units: tuple[int, ...]) -> Image:
    """One subject with some action units at their strongest."""
    side = -1 if row % 2 else 1
    light = Light(direction=(0.45 * side, -0.45, 0.77))
    scene = Scene(pose=Pose(yaw=0.10 * side, x=0.49), light=light, background_seed=200 + row, noise=0.0)
    return render_face(sample_identity(SEED, subject), scene, dict.fromkeys(units, 1.0), FACE_SIDE).image


def clip_sheet(frames: int = 8) -> Image:
    """Frames of one clip over their flow."""
    data = SyntheticFaces(split="all", fields=("image", "flow", "emotion"), subjects=30, clips=7,
                          clip_length=frames, image_size=CLIP_SIDE, seed=SEED)  # fmt: skip
    start = next(
        i for i in range(0, len(data), frames) if story(data, i, frames) == ["neutral", "surprise", "neutral"]
    )
    samples = [data[start + frame] for frame in range(frames)]
    titles = [header(EMOTIONS[int(sample["emotion"])], CLIP_SIDE) for sample in samples]
    return np.vstack(
        [np.hstack(titles), *(np.hstack([s[field] for s in samples]) for field in ("image", "flow"))]
    )


def motion_sheet(frames: int = 4) -> Image:
    """A clip of a growing and one of a fading unit, side by side, over their flow."""
    data = SyntheticFaces(split="all", fields=("image", "flow", "labels"), subjects=30, clips=4, clip_length=frames,
                          image_size=CLIP_SIDE, action_units=(26,), labels_are_motion=True, seed=SEED)  # fmt: skip
    clips = [[data[start + frame] for frame in range(frames)] for start in range(0, len(data), frames)]
    chosen = [next(clip for clip in clips if clip[0]["labels"][0] == label) for label in (1, 0)]
    titles = [header(text, frames * CLIP_SIDE) for text in ("label 1: AU26 grows", "label 0: AU26 fades")]
    rows = [np.hstack([sample[field] for clip in chosen for sample in clip]) for field in ("image", "flow")]
    return np.vstack([np.hstack(titles), *rows])


def story(data: SyntheticFaces, start: int, frames: int) -> list[str]:
    """The emotions of the first, the middle and the last frame of a clip."""
    return [EMOTIONS[int(data[start + frame]["emotion"])] for frame in (0, frames // 2, frames - 1)]


def header(text: str, width: int) -> Image:
    """Text in the middle of a white strip."""
    strip = np.full((22, width, 3), 255, np.uint8)
    (length, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, 1)
    place = ((width - length) // 2, 16)
    cv2.putText(strip, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return strip


def main() -> None:
    """Write all pictures."""
    folder = Path(__file__).parent
    sheets = {
        "synthetic_faces.png": face_sheet(),
        "synthetic_faces_clip.png": clip_sheet(),
        "synthetic_faces_motion.png": motion_sheet(),
    }
    for name, sheet in sheets.items():
        cv2.imwrite(
            str(folder / name), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9]
        )


if __name__ == "__main__":
    main()
