"""`netcfg flow`: which pictures it writes, what it leaves alone, and what it says of clips that cannot be read."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.datasets.flow import folder as flow_folder
from netcfg.datasets.flow.encoding import dense_flow, encode_flow
from netcfg.datasets.pictures.reading import read_picture
from netcfg.datasets.pipeline import open_samples

FRAMES = 4


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def frame(number: int, seed: int = 0) -> np.ndarray:
    """A texture that moves two pixels a frame to the right."""
    texture = cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 255, (40, 48, 3), np.uint8), (0, 0), 2)
    return np.ascontiguousarray(np.roll(texture, 2 * number, 1))


def write_clip(folder: str, seed: int = 0, frames: int = FRAMES) -> Path:
    Path(folder).mkdir(parents=True)
    for number in range(frames):
        cv2.imwrite(f"{folder}/{number + 8}.png", frame(number, seed)[..., ::-1])
    return Path(folder)


def write_video(path: str) -> Path:
    video = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (48, 40))
    for number in range(FRAMES):
        video.write(frame(number))
    video.release()
    return Path(path)


def flow(*arguments: str) -> int:
    return main(["flow", "--jobs", "1", *arguments])


def names(folder: str) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def test_a_frame_has_the_flow_to_the_next_and_the_last_that_before_it(capsys) -> None:
    write_clip("clip")
    assert flow("clip", "-o", "out") == 0
    assert names("out") == ["10.png", "11.png", "8.png", "9.png", "flow.json"]
    for number in (0, 1, 2):
        expected = encode_flow(dense_flow(frame(number), frame(number + 1), "dis"))
        assert np.array_equal(read_picture(f"out/{number + 8}.png"), expected)
    assert Path("out/11.png").read_bytes() == Path("out/10.png").read_bytes()
    assert np.median(read_picture("out/8.png")[..., 0]) > 200  # to the right
    assert capsys.readouterr().out == "out: 4 pictures written\n"


def test_options_say_how_flow_is_found_and_written() -> None:
    write_clip("clip")
    assert flow("clip", "-o", "out", "--method", "farneback", "--encoding", "fixed", "--limit", "8") == 0
    expected = encode_flow(dense_flow(frame(0), frame(1), "farneback"), "fixed", 8.0)
    assert np.array_equal(read_picture("out/8.png"), expected)
    assert flow("clip", "-o", "small", "--size", "20,24", "--format", "jpg") == 0
    small = read_picture("small/8.jpg")
    assert small.shape == (20, 24, 3)
    halved = encode_flow(dense_flow(frame(0), frame(1), "dis"))[::2, ::2]
    assert np.abs(small.astype(int) - halved).mean() < 4  # JPEG loses a little
    assert json.loads(Path("small/flow.json").read_text())["size"] == [20, 24]


def test_a_video_numbers_its_pictures() -> None:
    write_video("clip.avi")
    assert flow("clip.avi", "-o", "out") == 0
    assert names("out") == [*(f"{number:06d}.png" for number in range(1, FRAMES + 1)), "flow.json"]


def test_clips_of_a_folder_keep_their_places_whatever_the_jobs(capfd) -> None:
    write_clip("clips/F1/T1")
    write_clip("clips/F1/T2", seed=1)
    write_video("clips/F2.avi")
    assert main(["flow", "clips", "-o", "out", "--jobs", "2"]) == 0
    assert flow("clips", "-o", "alone") == 0
    assert names("out") == names("alone")
    assert {str(Path(name).parent) for name in names("out")} == {".", "F1/T1", "F1/T2", "F2"}
    for name in names("out"):
        assert Path("out", name).read_bytes() == Path("alone", name).read_bytes()
    assert capfd.readouterr().out == "out: 12 pictures written\nalone: 12 pictures written\n"


def test_several_inputs_stand_beside_each_other() -> None:
    write_clip("a/clip")
    write_video("b.avi")
    assert flow("a", "b.avi", "-o", "out") == 0
    assert {str(Path(name).parent) for name in names("out")} == {".", "a/clip", "b"}


def test_what_is_there_is_kept_and_what_is_missing_written(capsys) -> None:
    write_clip("clip")
    flow("clip", "-o", "out")
    whole = {name: Path("out", name).read_bytes() for name in names("out")}
    Path("out/9.png").unlink()
    Path("out/11.png").unlink()
    Path("out/8.png").write_bytes(b"a person's own")
    capsys.readouterr()
    assert flow("clip", "-o", "out") == 0
    assert capsys.readouterr().out == "out: 2 pictures written, 2 were there\n"
    assert Path("out/8.png").read_bytes() == b"a person's own"
    assert flow("clip", "-o", "out", "--overwrite") == 0
    assert {name: Path("out", name).read_bytes() for name in names("out")} == whole


def test_a_folder_in_which_all_is_done_needs_no_frames(monkeypatch, capsys) -> None:
    write_clip("clip")
    flow("clip", "-o", "out")
    monkeypatch.setattr(flow_folder, "write_clip", None)
    monkeypatch.setattr("netcfg.datasets.pictures.frames.read_picture", None)
    assert flow("clip", "-o", "out") == 0
    assert capsys.readouterr().out.endswith("out: 0 pictures written, 4 were there\n")


def test_flow_of_two_ways_is_not_mixed(capsys) -> None:
    write_clip("clip")
    flow("clip", "-o", "out")
    before = Path("out/8.png").read_bytes()
    assert flow("clip", "-o", "out", "--method", "dis_fast", "--size", "9") == 1
    assert capsys.readouterr().err == (
        "error[NC803 not-overwritten]: out holds flow that was made in another way: "
        "`method` was dis, and now is dis_fast, `size` was not given, and now is 9, 9\n"
        "help: another folder as `-o`, or `--overwrite`\n"
    )
    assert Path("out/8.png").read_bytes() == before
    assert flow("clip", "-o", "out", "--format", "jpg", "--overwrite") == 0
    assert names("out") == ["10.jpg", "11.jpg", "8.jpg", "9.jpg", "flow.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip", "-o", "other"], "other holds files that `netcfg flow` did not write"),
        (["clip", "-o", "clip"], "the flow of clip would lie among its frames"),
        (["more", "-o", "more"], "the flow of more/clip would lie among its frames"),
        (["clip", "-o", "other/file"], "other/file is a file, and flow goes into a folder"),
        (["clip/8.png", "-o", "out"], "clip/8.png has one frame, and flow is between two"),
        (["single", "-o", "out"], "single has one frame, and flow is between two"),
        (["nothing", "-o", "out"], "there is no nothing"),
        (["clip", "more/clip", "-o", "out"], "clip and more/clip would both be written to out/clip"),
        (["twins", "-o", "out"], "twins has two pictures of the name `8`, which flow goes by"),
        (["clip", "-o", "out", "--limit", "3"], "`--limit` belongs to `--encoding fixed`"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(capsys, arguments, message) -> None:
    write_clip("clip")
    write_clip("more/clip")
    write_clip("single", frames=1)
    cv2.imwrite(str(write_clip("twins") / "8.jpg"), frame(0))
    Path("other").mkdir()
    Path("other/file").write_text("")
    before = names(".")
    assert flow(*arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert names(".") == before


def test_a_broken_clip_does_not_keep_others_from_their_flow(capsys) -> None:
    write_clip("clips/a")
    write_clip("clips/b", frames=1)
    Path("clips/c.avi").write_bytes(b"")
    (write_clip("clips/d") / "10.png").write_bytes(b"no picture")
    assert flow("clips", "-o", "out") == 1
    told = capsys.readouterr()
    assert told.out == "out: 5 pictures written\n"
    for message in (
        "error[NC508 no-flow]: clips/b has one frame",
        "error[NC504 unreadable-picture]: clips/c.avi cannot be read as a video: it is empty",
        "error[NC504 unreadable-picture]: clips/d/10.png cannot be read: it is cut short, or no picture",
    ):
        assert message in told.err
    assert [name for name in names("out") if name[:2] in ("a/", "d/")] == [
        *("a/10.png", "a/11.png", "a/8.png", "a/9.png"),
        "d/8.png",
    ]


def test_flow_within_the_folder_of_clips_is_not_taken_for_a_clip(capsys) -> None:
    write_clip("clips/a")
    assert flow("clips", "-o", "clips/flow") == 0
    assert flow("clips", "-o", "clips/flow") == 0
    assert flow("clips", "-o", "out") == 0
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "4 pictures written",
        "0 pictures written, 4 were there",
        "4 pictures written",
    ]


def test_a_full_disk_stops_all_clips_and_leaves_no_half_files(monkeypatch, capsys) -> None:
    write_clip("clips/a")
    write_clip("clips/b")
    write = flow_folder.write_beside

    def full(path: Path, data: bytes) -> None:
        if path.name == "9.png":
            monkeypatch.setattr(os, "replace", refuse)
        write(path, data)

    def refuse(*places: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(flow_folder, "write_beside", full)
    assert flow("clips", "-o", "out") == 1
    told = capsys.readouterr()
    assert told.out == "out: 1 picture written\n"
    assert told.err == "error[NC804 cannot-write]: cannot write out/a/9.png: No space left on device\n"
    assert names("out") == ["a/8.png", "flow.json"]


def test_ctrl_c_stops_and_the_same_command_goes_on(monkeypatch, capsys) -> None:
    write_clip("clip")

    def interrupted(items, *_):
        next(iter(items))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("netcfg.cli.flow.shown", interrupted)
        assert flow("clip", "-o", "out") == 130
    assert "stopped; the same command goes on in out" in capsys.readouterr().err
    assert not [name for name in names("out") if name.startswith(".")]
    assert flow("clip", "-o", "out") == 0
    assert len(names("out")) == FRAMES + 1


@pytest.mark.parametrize(
    "argument", [("--size", "0"), ("--size", "a"), ("--size", "1,2,3"), ("--limit", "-1"), ("--jobs", "0")]
)
def test_wrong_usage_is_told(argument, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        flow("clip", "-o", "out", *argument)
    assert stop.value.code == 2
    assert f"found `{argument[1]}`" in capsys.readouterr().err


def test_sources_read_what_it_writes_and_find_the_same_themselves() -> None:
    for subject in range(3):
        write_clip(f"recordings/s{subject}/a", seed=subject)
    assert flow("recordings", "-o", "found") == 0

    def samples(options: str) -> list[np.ndarray]:
        text = (
            f"{{Data}}\n[clips]\npath = recordings\nimage_size = 40\n{options}[optical_flow]\ncache = None\n"
        )
        inputs = "".join(f"[input]\nname = {name}\nshape = 3, 40, 40\n" for name in ("image", "flow"))
        data = netcfg.load(
            f"{text}{{N}}\n[net]\n{inputs}[combine_concat]\ncombine_layers = image, flow\n"
        ).data
        assert data is not None
        opened = open_samples(data._replace(used=("flow",)), "train")
        return [opened[index]["flow"] for index in range(len(opened))]

    made, read = samples(""), samples("flow = found\n")
    assert len(made) == len(read) == FRAMES
    assert all(np.array_equal(*pair) for pair in zip(made, read, strict=True))
