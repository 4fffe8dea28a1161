"""`[torchvision]`: its data sets as they lie on disk, small ones written as it writes them; nothing is fetched."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import netcfg
from netcfg.blocks.sources.torchvision import Torchvision
from netcfg.datasets.sources import torchvision as reader
from netcfg.datasets.sources.example_folders import write_mnist
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError

SPLITS = ("train", "validation", "test")


def refusal(folder: Path, dataset: str) -> str:
    with pytest.raises(NetcfgError) as caught:
        Torchvision(path=str(folder), dataset=dataset).open("train", ("image",))
    return str(caught.value)


def test_digits_have_their_own_test_split_and_their_names(tmp_path):
    pictures, numbers = write_mnist(tmp_path)
    recognised = source_of(tmp_path)
    assert (recognised.source, recognised.found.options["dataset"]) == (Torchvision, "MNIST")
    source = Torchvision(path=str(tmp_path), dataset="MNIST", validation_share=0.25)
    assert source.fields()["class"].names[:2] == ("0 - zero", "1 - one")
    found = {split: source.open(split, ("image", "class")) for split in SPLITS}
    assert [len(samples) for samples in found.values()] == [30, 10, 20]
    assert not set(found["train"].table.ids) & set(found["validation"].table.ids)
    row = int(found["train"].table.ids[3])
    assert np.array_equal(found["train"][3]["image"], pictures[row][..., None].repeat(3, axis=2))
    assert found["train"][3]["class"] == numbers[row]
    small = source.model_copy(update={"image_size": 16}).open("test", ("image",))
    assert small[0]["image"].shape == (16, 16, 3)


def test_a_network_that_says_nothing_of_data_knows_the_digits(tmp_path):
    write_mnist(tmp_path)
    text = "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 10\n"
    program, findings = netcfg.check(text, data=str(tmp_path))
    assert not findings
    again, findings = netcfg.check(program.resolved.replace(str(tmp_path), str(tmp_path / "gone")))
    assert again is not None, findings  # a run knows its classes without its data
    assert again.data.source.fields()["class"].names == program.data.fields["class"].names


def test_masks_of_voc_with_its_image_sets(tmp_path):
    root = tmp_path / "VOCdevkit/VOC2012"
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / name).mkdir(parents=True)
    mask = np.array([[0, 1, 1], [255, 20, 0]], np.uint8).repeat(8, 0).repeat(8, 1)
    for number in range(6):
        Image.fromarray(np.full((16, 24, 3), number, np.uint8)).save(root / f"JPEGImages/{number}.jpg")
        Image.fromarray(mask).save(root / f"SegmentationClass/{number}.png")
    for name, numbers in (("train", range(4)), ("val", range(4, 6))):
        (root / f"ImageSets/Segmentation/{name}.txt").write_text("".join(f"{n}\n" for n in numbers))
    recognised = source_of(tmp_path)
    assert recognised.found.options["dataset"] == "VOCSegmentation"
    source = Torchvision(path=str(tmp_path), dataset="VOCSegmentation", validation_share=0.25)
    assert {name: spec.kind for name, spec in source.fields().items()} == {"image": "image", "mask": "mask"}
    assert [len(source.open(split, ("mask",))) for split in SPLITS] == [3, 1, 2]
    assert np.array_equal(source.open("test", ("mask",))[0]["mask"], mask)


def test_what_has_no_splits_is_dealt(tmp_path):
    for kind in ("AnnualCrop", "Forest"):
        (tmp_path / "eurosat/2750" / kind).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (8, 8)).save(tmp_path / "eurosat/2750" / kind / f"{kind}_{number}.jpg")
    source = Torchvision(path=str(tmp_path), dataset="EuroSAT", validation_share=0.2, test_share=0.2)
    assert source.fields()["class"].names == ("AnnualCrop", "Forest")
    assert [len(source.open(split, ("class",))) for split in SPLITS] == [12, 4, 4]


def test_what_is_not_there_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **options: pytest.fail("fetched"))
    said = refusal(tmp_path, "CIFAR10")
    assert f"torchvision's CIFAR10 does not lie in {tmp_path}: Dataset not found or corrupted." in said
    assert "nothing is downloaded here" in said
    assert "did you mean `MNIST`" in refusal(tmp_path, "MNST")
    _, (finding, *_) = netcfg.check(
        f"{{Data}}\n[torchvision]\ndataset = MNST\npath = {tmp_path}\n"
        "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n"
    )
    assert (finding.code, finding.span.line) == ("NC506", 3)


def test_a_pickle_restores_arrays_and_nothing_that_runs(tmp_path):
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    harmless = pickle.dumps({"data": np.arange(3), "labels": [1, 2]})
    trap = pickle.dumps(Trap())
    with reader._guarded():
        assert pickle.loads(harmless)["data"].tolist() == [0, 1, 2]
        with pytest.raises(NetcfgError, match="wants `pathlib.* executed, and nothing is"):
            pickle.loads(trap)
    assert not (tmp_path / "executed").exists()
    pickle.loads(pickle.dumps(Path()))  # outside, Python is as it was
