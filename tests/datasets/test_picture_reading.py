"""Pictures as they are meant: turned, of 16 bits, too large, lost, or of formats that nothing reads."""

from __future__ import annotations

import argparse
import os
import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from netcfg.blocks.sources.audetnet_folder import AudetnetFolder
from netcfg.blocks.sources.clips import Clips
from netcfg.blocks.sources.folders import class_folders, has_media
from netcfg.cli import predict
from netcfg.cli.main import main
from netcfg.datasets.pictures import notes
from netcfg.datasets.pictures.frames import open_frames, open_video, picture_files
from netcfg.datasets.pictures.masks import MaskReading, read_mask
from netcfg.datasets.pictures.reading import Reading, bits_of_folder, expect_picture, pixels_of, read_picture
from netcfg.datasets.samples.label_files import read_labels
from netcfg.source import NetcfgError


@pytest.fixture(autouse=True)
def _said():
    notes._SAID.clear()
    bits_of_folder.cache_clear()


def write_turned(path: Path, orientation: int = 6) -> None:
    """A picture of 20×40 (height×width) whose left half is bright, to be shown turned by 90° clockwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(picture).save(path, exif=exif, quality=95)


def test_a_picture_is_turned_as_it_says_or_left_as_it_is_stored(tmp_path):
    write_turned(tmp_path / "a.jpg")
    turned = expect_picture(tmp_path / "a.jpg")
    assert turned.shape == (40, 20, 3)
    assert turned[:18].min() > 200
    assert turned[22:].max() < 50
    assert expect_picture(tmp_path / "a.jpg", Reading(turns=False)).shape == (20, 40, 3)


def test_sources_have_the_option(tmp_path):
    for subject in ("a", "b", "c"):
        for frame in (1, 2):
            write_turned(tmp_path / subject / "clip" / f"{frame}.jpg")
    pictures = {}
    for turn in (True, False):
        source = Clips(path=str(tmp_path), image_size=32, turn=turn)
        pictures[turn] = source.open("test", ("image",))[0]["image"]
    assert pictures[True][:14].min() > 200  # the upper half
    assert pictures[False][:, :14].min() > 200  # the left half
    (tmp_path / "d/imgs").mkdir(parents=True)
    write_turned(tmp_path / "d/imgs/S1_1.jpg")
    write_turned(tmp_path / "d/imgs/S2_1.jpg")
    (tmp_path / "d/labels.csv").write_text("id,AU1\nS1_1,0\nS2_1,1\n")
    (tmp_path / "d/train_ids.csv").write_text("S1_1\n")
    (tmp_path / "d/test_ids.csv").write_text("S2_1\n")
    folder = AudetnetFolder(path=str(tmp_path / "d"), labels="labels.csv", action_units=("1",))
    assert folder.open("train", ("image",))[0]["image"].shape == (40, 20, 3)
    stored = folder.model_copy(update={"turn": False})
    assert stored.open("train", ("image",))[0]["image"].shape == (20, 40, 3)


def write_16(path: Path, level: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((8, 8), level, np.uint16))


@pytest.mark.parametrize(("highest", "bits"), [(200, 8), (1000, 10), (4000, 12), (60_000, 16)])
def test_16_bits_are_read_by_the_range_of_their_folder(tmp_path, highest, bits, capsys):
    write_16(tmp_path / "1.png", highest)
    write_16(tmp_path / "2.png", highest // 4)
    bright, dark = (int(expect_picture(tmp_path / f"{number}.png")[0, 0, 0]) for number in (1, 2))
    assert bright == highest >> (bits - 8)
    assert dark == (highest // 4) >> (bits - 8)  # not as bright as the other: all of a folder are read alike
    said = f"16-bit pictures whose levels reach {highest} are read as pictures of {bits} bits"
    assert (said in capsys.readouterr().err) == (bits < 16)


def test_floating_point_pictures_are_told_how_to_be_converted(tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.tiff"), np.full((8, 8, 3), 0.5, np.float32))
    with pytest.raises(
        NetcfgError, match="its pixels are floating-point numbers\nhelp: convert it to 8 or 16 bits"
    ):
        expect_picture(tmp_path / "a.tiff")


def huge_png(width: int, height: int) -> bytes:
    """A black picture that takes a thousandth of its pixels on disk."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(height * (width + 1)), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(14_000, 14_000))
    with pytest.raises(
        NetcfgError, match=r"it has 196,000,000 pixels, more than 178,956,970\nhelp: .*`max_pixels`"
    ):
        expect_picture(path)
    small = tmp_path / "small.png"
    small.write_bytes(huge_png(6_000, 6_000))
    assert read_picture(small) is not None
    assert read_picture(small, Reading(max_pixels=35_000_000)) is None


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp", "webp", "tiff", "ppm"])
def test_every_format_tells_its_size(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    assert cv2.imwrite(str(path), np.zeros((12, 34, 3), np.uint8))
    assert pixels_of(path.read_bytes()) == 12 * 34


def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path, capsys):
    for name in ("1.jpg", "2.jfif", "3.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name, format="PNG" if name.endswith("png") else "JPEG")
    os.symlink(tmp_path / "nowhere.jpg", tmp_path / "4.jpg")
    (tmp_path / "5.heic").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("x")
    assert [path.name for path in picture_files(tmp_path)] == ["1.jpg", "2.jfif", "3.png"]
    said = capsys.readouterr().err
    assert "left out, links to files that are not there: 1 picture, `4.jpg`" in said
    assert "left out, of a format that is not read: 1 picture, `5.heic`" in said
    assert len(open_frames(tmp_path)) == 3


def test_odd_entries_of_a_folder_are_left_out_by_name(tmp_path, capsys):
    folder = tmp_path / "clip"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "1.png")
    os.symlink("2.png", folder / "2.png")
    os.mkfifo(folder / "3.png")
    (folder / "4.png").mkdir()
    assert [path.name for path in picture_files(folder)] == ["1.png"]
    said = capsys.readouterr().err
    assert "left out, links to files that are not there: 1 picture, `2.png`" in said
    assert "left out, no ordinary files (pipes, sockets, devices): 1 picture, `3.png`" in said
    assert has_media(tmp_path)
    os.symlink("5", tmp_path / "5")
    assert has_media(tmp_path)
    assert class_folders(tmp_path) == []


def test_a_pipe_is_no_picture_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "1.png")
    assert read_picture(tmp_path / "1.png") is None
    os.mkfifo(tmp_path / "1.mp4")
    with (
        pytest.raises(NetcfgError, match=r"1\.mp4 cannot be read as a video: it is a pipe"),
        open_video(tmp_path / "1.mp4"),
    ):
        pass
    with pytest.raises(NetcfgError, match="it is a pipe"):
        read_mask(tmp_path / "1.png", MaskReading())
    os.mkfifo(tmp_path / "1.csv")
    with pytest.raises(NetcfgError, match="it is a pipe"):
        read_labels(tmp_path / "1.csv")


def test_so_are_grey_ones(tmp_path):
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(tmp_path / "1.tiff")
    with pytest.raises(NetcfgError, match=r"its pixels are floating-point numbers\nhelp: convert it"):
        expect_picture(tmp_path / "1.tiff")


def test_a_limit_of_pixels_holds_for_small_files_too(tmp_path):
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((8, 8, 3), np.uint8))
    assert read_picture(tmp_path / "1.png", Reading(max_pixels=63)) is None
    assert read_picture(tmp_path / "1.png", Reading(max_pixels=64)) is not None


def test_a_link_to_nowhere_says_so(tmp_path):
    os.symlink(tmp_path / "nowhere.jpg", tmp_path / "4.jpg")
    with pytest.raises(NetcfgError, match="it is a link to a file that is not there"):
        expect_picture(tmp_path / "4.jpg")


@pytest.mark.parametrize("turns", [True, False])
def test_frames_are_turned_or_not_as_asked(turns: bool, tmp_path: Path) -> None:
    write_turned(tmp_path / "1.jpg")
    (frame,) = open_frames(tmp_path, reading=Reading(turns))
    height, width = frame.image.shape[:2]
    assert (height > width) is turns


@pytest.mark.parametrize(("asked", "tall"), [([], True), (["--turn"], True), (["--no-turn"], False)])
def test_flow_of_turned_frames(asked: list[str], tall: bool, tmp_path: Path) -> None:
    for number in (1, 2):
        write_turned(tmp_path / f"clip/{number}.jpg")
    assert (
        main(["flow", str(tmp_path / "clip"), "-o", str(tmp_path / "flow"), "--method", "farneback", *asked])
        == 0
    )
    height, width = cv2.imread(str(tmp_path / "flow/1.png")).shape[:2]
    assert (height > width) is tall


def test_a_folder_of_flow_is_of_one_way_of_turning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        write_turned(tmp_path / f"clip/{number}.jpg")
    call = ["flow", str(tmp_path / "clip"), "-o", str(tmp_path / "flow")]
    assert main(call) == 0
    assert main([*call, "--no-turn"]) == 1
    assert "`turn` was True, and now is False" in capsys.readouterr().err


def test_too_many_pixels_name_the_option_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        cv2.imwrite(
            str(tmp_path / f"{number}.png"),
            np.random.default_rng(number).integers(0, 255, (99, 99, 3), np.uint8),
        )
    call = ["flow", str(tmp_path), "-o", str(tmp_path.parent / "flow_of_pixels"), "--max-pixels"]
    assert main([*call, "9800"]) == 1
    assert "raise `--max-pixels`" in capsys.readouterr().err
    assert main([*call, "9801"]) == 0


def test_networks_predict_pictures_as_they_were_trained_on_unless_asked() -> None:
    ways = {turn: Clips(path="frames", turn=turn).reading() for turn in (True, False)}
    options = argparse.Namespace(turn=None, max_pixels=None)
    assert not predict._reading([SimpleNamespace(reading=ways[False])], options).turns
    options.turn = True
    both = [SimpleNamespace(reading=way) for way in ways.values()]
    assert predict._reading(both, options).turns
    options.turn = None
    with pytest.raises(NetcfgError, match="--no-turn"):
        predict._reading(both, options)
