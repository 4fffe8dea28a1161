"""Frames of folders, videos and pictures: order, names, and what is said of broken ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from netcfg.datasets.pictures.frames import find_clips, natural, open_frames
from netcfg.source import NetcfgError

RATE = 25.0


def write_picture(path: Path, value: int, height: int = 12, width: int = 16) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return path


def write_video(path: Path, frames: int) -> Path:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (48, 32))
    for number in range(frames):
        picture = np.zeros((32, 48, 3), np.uint8)
        picture[..., 2] = min(10 * number, 250)  # blue, green, red
        video.write(picture)
    video.release()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2, 10):
        write_picture(tmp_path / "clip" / f"{number}.png", 10 * number)
    return tmp_path / "clip"


def test_frames_come_in_the_order_of_their_numbers(folder: Path) -> None:
    frames = list(open_frames(folder))
    assert [(frame.name, frame.number) for frame in frames] == [("1", 1), ("2", 2), ("10", 3)]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10, 20, 100]
    assert frames[0].image.shape == (12, 16, 3)
    assert frames[0].seconds is None


def test_what_is_no_picture_is_no_frame(folder: Path) -> None:
    (folder / "notes.txt").write_text("notes")
    (folder / "._2.png").write_bytes(b"what a file manager leaves")
    (folder / "5.png").mkdir()
    assert len(open_frames(folder)) == 3


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[..., 2] = 200
    cv2.imwrite(str(tmp_path / "red.png"), picture)
    (frame,) = open_frames(tmp_path / "red.png")
    assert frame.image[0, 0].tolist() == [200, 0, 0]
    assert frame.name == "red"


def test_frames_of_a_video_have_numbers_and_times(tmp_path: Path) -> None:
    clip = open_frames(write_video(tmp_path / "clip.avi", 5))
    frames = list(clip)
    assert len(clip) == 5
    assert [frame.name for frame in frames] == [f"{number:06d}" for number in range(1, 6)]
    assert [frame.seconds for frame in frames] == pytest.approx([number / RATE for number in range(5)])
    assert [int(frame.image[..., 0].mean()) for frame in frames] == pytest.approx([0, 10, 20, 30, 40], abs=2)
    assert all(frame.image[..., 2].mean() < 3 for frame in frames)


def test_a_clip_can_be_read_again(tmp_path: Path) -> None:
    clip = open_frames(write_video(tmp_path / "clip.avi", 3))
    assert len(list(clip)) == len(list(clip)) == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nothing", None, "there is no nothing\nhelp: name a folder"),
        ("notes.txt", b"notes", "notes.txt is neither a picture nor a video by its ending\nhelp: known are"),
        ("empty.mp4", b"", "empty.mp4 cannot be read as a video: it is empty"),
        ("false.mp4", b"no video", "false.mp4 cannot be read as a video: it is cut short, damaged, or no"),
        ("empty.jpg", b"", "empty.jpg cannot be read: it is empty"),
        ("false.png", b"no picture", "false.png cannot be read: it is cut short, or no picture"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, monkeypatch, name, content, message) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(NetcfgError) as refusal:
        list(open_frames(name))
    assert message in str(refusal.value)


def test_an_empty_folder_is_told_from_a_folder_of_clips(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(NetcfgError, match=r"empty holds no pictures\nhelp: pictures end in \.jpg"):
        open_frames("empty")
    write_picture(Path("clips/F001/1.png"), 0)
    with pytest.raises(NetcfgError, match=r"clips holds no pictures\nhelp: clips/F001 is a clip"):
        open_frames("clips")


def test_a_video_that_ends_too_early_is_damaged(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "clip.avi", 40).read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole[: len(whole) // 2])
    seen = []
    with pytest.raises(NetcfgError, match=r"cut\.avi ends after frame \d+ of 40: it is cut short or damaged"):
        seen.extend(frame.number for frame in open_frames(cut))


def test_a_change_of_size_is_told_unless_it_may_be(folder: Path) -> None:
    write_picture(folder / "11.png", 0, height=24)
    with pytest.raises(NetcfgError, match="frame `11` is 24×16 .*, and `1` is 12×16"):
        list(open_frames(folder))
    assert len(list(open_frames(folder, same_size=False))) == 4


def test_broken_pictures_can_be_left_out(folder: Path) -> None:
    (folder / "2.png").write_bytes(b"")
    told: list[NetcfgError] = []
    frames = list(open_frames(folder, on_error=told.append))
    assert [(frame.name, frame.number) for frame in frames] == [("1", 1), ("10", 3)]
    assert "2.png cannot be read: it is empty" in str(told[0])


def test_clips_are_found_at_any_depth(tmp_path: Path) -> None:
    for place in ("F1/T10/1.png", "F1/T2/1.jpg", ".hidden/1.png", "F1/T2/2.jpg"):
        write_picture(tmp_path / place, 0)
    write_video(tmp_path / "F2.avi", 2)
    (tmp_path / "F3").mkdir()
    clips = [str(clip.relative_to(tmp_path)) for clip in find_clips(tmp_path)]
    assert clips == ["F1/T2", "F1/T10", "F2.avi"]


def test_links_to_clips_are_followed_once_and_flow_is_no_clip(tmp_path: Path) -> None:
    write_picture(tmp_path / "elsewhere/T1/1.png", 0)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/F1").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "clips/again").symlink_to(tmp_path / "clips")
    write_picture(tmp_path / "clips/flow/F1/T1/1.png", 0)
    (tmp_path / "clips/flow/flow.json").write_text("{}")
    clips = [str(clip.relative_to(tmp_path / "clips")) for clip in find_clips(tmp_path / "clips")]
    assert clips == ["F1/T1"]
    assert find_clips(tmp_path / "clips/flow") == [tmp_path / "clips/flow/F1/T1"]


def test_natural_order_takes_numbers_for_numbers() -> None:
    assert sorted(["a10", "a9b", "10", "9", "a", "a09"], key=natural) == ["9", "10", "a", "a09", "a9b", "a10"]
