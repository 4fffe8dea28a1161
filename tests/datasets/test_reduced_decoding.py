"""Pictures that are decoded smaller, as they will be brought down anyway: much the same, by far less work."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import netcfg
from netcfg.datasets.pictures.reading import Reading, expect_picture, size_of_jpeg
from netcfg.datasets.pipeline import Pipeline, open_samples
from netcfg.datasets.transforms.geometry import ResizeSample


def picture(height: int, width: int) -> np.ndarray:
    coarse = np.random.default_rng(0).integers(0, 256, (height // 60, width // 60, 3)).astype(np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pictures")
    for name in ("a", "b"):
        (place / name).mkdir()
        for number in range(4):
            cv2.imwrite(str(place / name / f"{number}.jpg"), picture(600, 1000))
    return place


@pytest.mark.parametrize(
    ("least", "expected"),
    [((50, 50), (150, 250)), ((140, 100), (300, 500)), ((37, 56), (75, 125)), ((160, 100), (600, 1000))],
)
def test_a_picture_stays_twice_as_fine_as_it_is_shown(
    folder: Path, least: tuple[int, int], expected: tuple[int, int]
) -> None:
    found = expect_picture(folder / "a" / "0.jpg", least=lambda size: least)
    assert found.shape == (*expected, 3)
    assert size_of_jpeg((folder / "a" / "0.jpg").read_bytes()) == (600, 1000)


def test_a_file_that_is_no_jpeg_is_decoded_as_a_whole(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), picture(600, 900))
    assert expect_picture(tmp_path / "a.png", least=lambda size: (10, 10)).shape == (600, 900, 3)


def test_a_picture_on_its_side_is_fine_both_ways(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture(600, 900)).save(tmp_path / "a.jpg", exif=exif)
    asked = []

    def least(size: tuple[int, int]) -> tuple[float, float]:
        asked.append(size)
        return 100, 20

    assert expect_picture(tmp_path / "a.jpg", least=least).shape == (450, 300, 3)
    assert sorted(asked) == [(600, 900), (900, 600)]
    assert expect_picture(tmp_path / "a.jpg", Reading(turns=False), least).shape == (300, 450, 3)


def data(folder: Path, *sections: str, size: str = "") -> netcfg.program.Data:
    text = (
        f"{{Data}}\n[image_folder]\npath = {folder}\nvalidation_share = 0\ntest_share = 0\n{size}\n"
        + "\n".join(sections)
        + "\n{N}\n[net]\n[input]\nname = image\nchannels = 3\nheight = h\nwidth = w\n[identity]\n"
        "{Loss}\n[mean]\ninput = N\n"
    )
    found = netcfg.load(text).data
    assert found is not None
    return found


CROP = "[random_resized_crop]\nsize = 48\n[center_crop]\nsize = 48\nwhen = evaluation"


@pytest.mark.parametrize(
    "sections", [("[resize]\nsize = 48",), (CROP,), ("[views]\nof = image\nto = other", CROP)]
)
def test_batches_are_much_those_of_whole_pictures(folder: Path, sections: tuple[str, ...]) -> None:
    """The windows are the same: chance draws them in parts of the picture."""
    made = data(folder, *sections)
    pipeline = Pipeline(made, "train", 8, seed=1)
    assert pipeline._loader.dataset.reducible is not None
    reduced = next(iter(pipeline.epoch())).fields["image"].float()
    whole = Pipeline(made, "train", 8, seed=1)
    whole._loader.dataset.reducible = None
    assert (next(iter(whole.epoch())).fields["image"].float() - reduced).abs().mean() < 3


def test_what_looks_at_all_pixels_is_given_all(folder: Path) -> None:
    jittered = Pipeline(data(folder, "[color_jitter]", "[resize]\nsize = 48"), "train", 8)
    assert jittered._loader.dataset.least is None
    nearest = Pipeline(data(folder, "[resize]\nsize = 48\ninterpolation = nearest"), "train", 8)
    assert nearest._loader.dataset.least is None


def test_pictures_of_a_size_are_those_of_whole_ones(folder: Path) -> None:
    made = data(folder, size="image_size = 64")
    samples = open_samples(made, "train")
    whole = cv2.cvtColor(cv2.imread(str(folder / "a" / "0.jpg")), cv2.COLOR_BGR2RGB)[:, 200:800]
    resize = ResizeSample(("image",), (), (0, 0), (64, 64))
    expected = resize({"image": whole}, np.random.default_rng(0))["image"]
    difference = np.abs(samples[0]["image"].astype(int) - expected.astype(int))
    assert 0 < difference.mean() < 1.5
