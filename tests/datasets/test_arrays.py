"""`[arrays]`: numpy's files as samples, by name and shape; objects and what does not fit are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import netcfg
from netcfg.blocks.sources.arrays import Arrays
from netcfg.datasets.pipeline import Pipeline
from netcfg.passes.data_folder import source_of
from netcfg.source import NetcfgError

ALL = {"validation_share": 0.0, "test_share": 0.0}
SPLITS = ("train", "validation", "test")
RANDOM = np.random.default_rng(0)


def save(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def source(path: Path, **options: object) -> Arrays:
    return Arrays(path=str(path), **options)


def refusal(path: Path, split: str = "train", **options: object) -> str:
    def all_fields() -> None:
        one = source(path, **{**ALL, **options})
        samples = one.open(split, tuple(one.fields()) or ("image",))
        for index in range(len(samples)):
            samples[index]

    with pytest.raises(NetcfgError) as caught:
        all_fields()
    return str(caught.value)


def bytes_of(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        (bytes_of(4, 5, 6), lambda one: one[..., None].repeat(3, axis=2)),
        (bytes_of(4, 5, 6, 1), lambda one: one.repeat(3, axis=2)),
        (bytes_of(4, 5, 6, 3), lambda one: one),
        (bytes_of(4, 5, 6, 4), lambda one: one[..., :3]),
        (bytes_of(4, 3, 5, 6), lambda one: one.transpose(1, 2, 0)),
        (RANDOM.random((4, 5, 6)), lambda one: np.round(one * 255)[..., None].repeat(3, axis=2)),
        (RANDOM.random((4, 5, 6)) > 0.5, lambda one: one[..., None].repeat(3, axis=2) * 255),
        (bytes_of(4, 5, 6).astype(np.int64), lambda one: one[..., None].repeat(3, axis=2)),
    ],
    ids=["grey", "N×H×W×1", "N×H×W×3", "alpha", "N×3×H×W", "0..1", "bool", "int64"],
)
def test_pictures_of_all_usual_shapes(tmp_path, pictures, expected):
    path = save(tmp_path, images=pictures, labels=np.arange(4))
    assert str(source(path).fields()["image"]) == "3×5×6"
    samples = source(path, **ALL).open("train", ("image", "class"))
    for index in range(4):
        assert np.array_equal(samples[index]["image"], expected(pictures[index]))
        assert samples[index]["class"] == index


def test_arrays_become_fields_by_name_and_shape(tmp_path):
    path = save(
        tmp_path,
        x=bytes_of(6, 8, 8),
        y=np.array([0, 1, 2, 0, 1, 2]),
        heat=RANDOM.random((6, 5, 8, 8)),
        mask=RANDOM.integers(0, 3, (6, 8, 8)),
        weight=RANDOM.random(6),
        points=RANDOM.random((6, 7)),
        row=RANDOM.random((6, 9, 2)),
    )
    fields = source(path).fields()
    assert {name: (spec.kind, str(spec), len(spec.names)) for name, spec in fields.items()} == {
        "image": ("image", "3×8×8", 0),
        "class": ("class", "one number", 3),
        "heat": ("map", "5×8×8", 0),
        "mask": ("mask", "8×8", 3),
        "weight": ("vector", "1", 0),
        "points": ("vector", "7", 0),
        "row": ("vector", "9×2", 0),
    }
    with np.load(path) as saved:
        sample = source(path, **ALL).open("train", tuple(fields))[4]
        for name in ("heat", "mask", "points", "row"):
            assert np.allclose(sample[name], saved[name][4])


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (("x_train", "y_train", "x_test", "y_test"), [8, 2, 5]),
        (("train_images", "train_labels", "val_images", "val_labels"), [8, 2, 5]),
        (("train_x", "train_y", "valid_x", "valid_y", "test_x", "test_y"), [10, 5, 6]),
    ],
)
def test_names_of_splits(tmp_path, names, counts):
    """Keras', MedMNIST's and others'."""
    lengths = (10, 10, 5, 5, 6, 6)
    arrays = {
        name: bytes_of(length, 4, 4) if place % 2 == 0 else np.arange(length) % 2
        for place, (name, length) in enumerate(zip(names, lengths, strict=False))
    }
    path = save(tmp_path, **arrays)
    assert [len(source(path, validation_share=0.2).open(split, ("class",))) for split in SPLITS] == counts


def test_files_in_a_folder_are_read_where_they_lie_also_by_workers(tmp_path):
    pictures, numbers = bytes_of(12, 6, 6, 3), np.arange(12) % 3
    np.save(tmp_path / "images.npy", pictures)
    np.save(tmp_path / "labels.npy", numbers)
    assert source_of(tmp_path).source is Arrays
    text = (
        f"{{Data}}\n[arrays]\npath = {tmp_path}\nvalidation_share = 0\ntest_share = 0\n"
        "{N}\n[net]\ninputs = data.image\n[flatten]\n[connected]\noutput_features = $data.class.classes\n"
        "{Loss}\n[cross_entropy]\ninput = N\ntarget = class\n"
        "{Optimizer}\n[sgd]\nnetworks = N\nminimise = cross_entropy\n"
    )
    (batch,) = Pipeline(netcfg.load(text).data, "train", 12, workers=1).epoch()
    assert np.array_equal(batch.fields["image"].numpy().transpose(0, 2, 3, 1), pictures)
    assert batch.fields["class"].tolist() == numbers.tolist()


def test_a_group_stays_in_one_split_and_is_no_field(tmp_path):
    path = save(tmp_path, x=bytes_of(30, 4, 4), y=np.arange(30) % 2, patient=np.arange(30) // 3)
    one = source(path, group_by="patient", test_share=0.3)
    assert "patient" not in one.fields()
    groups = [{int(row) // 3 for row in one.open(split, ("class",)).table.ids} for split in SPLITS]
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]
    assert len(set.union(*groups)) == 10


def test_a_network_that_says_nothing_of_data_trains_on_an_array(tmp_path):
    path = save(tmp_path, x=bytes_of(30, 4, 4), y=np.arange(30) % 2)
    text = "{N}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n[flatten]\n[connected]\noutput_features = 2\n"
    program, findings = netcfg.check(text, data=str(path))
    assert not findings
    assert program.data.fields["image"].shape == (3, 16, 16)
    assert "classes = 0, 1\n" in program.resolved


# --- what is refused


def test_objects_are_refused_and_never_executed(tmp_path):
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    objects = np.array([Trap(), Trap()], dtype=object)
    np.save(tmp_path / "labels.npy", objects, allow_pickle=True)
    np.save(tmp_path / "images.npy", bytes_of(2, 4, 4))
    assert "labels.npy holds objects, which only a pickle could restore, and none is executed" in refusal(
        tmp_path
    )
    path = save(tmp_path, x=bytes_of(2, 4, 4), y=objects)
    assert "data.npz: `y` holds objects" in refusal(path)
    (tmp_path / "labels.npy").write_bytes(objects.dumps())
    assert "labels.npy holds no arrays" in refusal(tmp_path / "labels.npy")
    assert not (tmp_path / "executed").exists()


def test_another_length_than_its_labels(tmp_path):
    path = save(tmp_path, x=bytes_of(6, 4, 4), y=np.arange(5))
    assert "`y` has 5 samples, and" in refusal(path)
    assert "`x` has 6" in refusal(path)
    text = (
        f"{{Data}}\n[arrays]\npath = {path}\n{{N}}\n[net]\nchannels = 3\nheight = 4\nwidth = 4\n[flatten]\n"
    )
    _, (finding, *_) = netcfg.check(text)
    assert (finding.code, finding.span.line) == ("NC507", 3)


def test_a_file_that_is_cut_short_or_unpacks_to_more_than_there_is(tmp_path):
    np.save(tmp_path / "images.npy", bytes_of(50, 20, 20))
    whole = (tmp_path / "images.npy").read_bytes()
    (tmp_path / "images.npy").write_bytes(whole[:-100])
    assert "images.npy is cut short: " in refusal(tmp_path)
    path = save(tmp_path, x=bytes_of(4, 4, 4))
    path.write_bytes(path.read_bytes()[:60])
    assert "data.npz holds no arrays" in refusal(path)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            {"images": np.full((4, 3, 3), 7.0)},
            "holds numbers from 7 to 7, and pictures are bytes, or numbers from 0 to 1",
        ),
        ({"images": np.full((4, 3, 3), -1)}, "holds levels from -1 to -1, and pictures are of 0 to 255"),
        ({"images": np.zeros((4, 7, 7, 5), np.uint8)}, "is no array of pictures: 4×7×7×5 of uint8"),
        ({"v": np.array([[1.0, np.nan]] * 4)}, "holds NaN or infinite numbers"),
        ({"v": np.zeros((4, 2), complex)}, "holds complex128, and arrays here are of numbers"),
        ({"y": np.array([0, -1, 2, 1])}, "holds -1 in the sample 1, and classes are 0 to"),
        ({"x": np.float32(3)}, "is a single number, and arrays have an axis of samples"),
        ({"x_test": np.zeros((4, 3, 3))}, "has no arrays to train on: x_test"),
    ],
)
def test_numbers_that_are_none_of_these(tmp_path, arrays, said):
    assert said in refusal(save(tmp_path, **arrays))


def test_a_class_beyond_those_that_are_known(tmp_path):
    path = save(tmp_path, x=bytes_of(4, 4, 4), y=np.array([0, 1, 2, 1]))
    assert "`y` holds 2 in the sample 2, and classes are 0 to 1, by `classes`" in refusal(
        path, classes=("no", "yes")
    )


def test_a_run_whose_arrays_are_no_more_is_whole_and_says_so_where_they_are_opened(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((20, 8, 8, 3), np.uint8), labels=np.arange(20) % 2)
    text = (
        f"{{Data}}\n[arrays]\npath = {tmp_path / 'a.npz'}\n{{N}}\n[net]\ninputs = data.image\n[flatten]\n"
        "[connected]\noutput_features = $data.class.classes\n"
    )
    resolved = netcfg.load(text).resolved
    (tmp_path / "a.npz").unlink()
    program, findings = netcfg.check(resolved)
    assert not findings
    with pytest.raises(NetcfgError, match="there are no arrays"):
        program.data.source.open("train", ("image",))


def test_a_number_in_masks_that_is_no_class_is_left_out_or_told_with_its_sample(tmp_path):
    masks = RANDOM.integers(0, 3, (4, 4, 4))
    masks[0, 0, 0] = 255
    path = save(tmp_path, x=bytes_of(4, 4, 4), mask=masks)
    spec = source(path).fields()["mask"]
    assert (len(spec.names), spec.ignore) == (3, 255)
    assert source(path, ignore=254, **ALL).fields()["mask"].names[-1] == "class255"
    masks[2, 1, 1] = 3
    path = save(tmp_path, x=bytes_of(4, 4, 4), mask=masks)
    said = refusal(path, mask_classes=("sky", "road", "tree"))
    assert "`mask` holds 3 in the sample 2, and classes are 0 to 2, by `mask_classes`" in said
    masks[3, 1, 1] = -1
    path = save(tmp_path, x=bytes_of(4, 4, 4), mask=masks)
    assert "`mask` holds -1 in the sample 3" in refusal(path)


def with_lists(folder: Path, train: str, test: str, **options: object) -> Arrays:
    path = save(folder, x=bytes_of(10, 16, 16, 3), y=np.arange(10) % 2)
    (folder / "train.txt").write_text(train)
    (folder / "test.txt").write_text(test)
    return source(path, train_list="train.txt", test_list="test.txt", **options)


def test_lists_of_numbers_say_who_is_in_which_split(tmp_path):
    lists = with_lists(tmp_path, "0\n1\n2\n3\n4\n5\n", "9\n7\n", validation_share=0.34)
    names = {
        split: list(map(int, lists.open(split, ("class",)).table.ids))
        for split in ("train", "validation", "test")
    }
    assert names["test"] == [7, 9]
    assert sorted(names["train"] + names["validation"]) == [0, 1, 2, 3, 4, 5]
    np.save(tmp_path / "validation.npy", np.array([8, 6]))
    own = lists.model_copy(update={"validation_list": "validation.npy"})
    assert list(own.open("validation", ("class",)).table.ids) == ["6", "8"]
    assert len(own.open("train", ("class",))) == 6


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        ("0\n1\n", "x\n", "line 1: `x` is no number of a sample"),
        ("0\n1\n", "10\n", "names the sample 10, and there are 10, from 0"),
        ("0\n1\n", "1\n", "the sample 1 stands in a list already"),
        ("0\n0\n", "1\n", "the sample 0 stands in a list already"),
    ],
)
def test_lists_of_what_are_no_samples_are_refused(tmp_path, train, test, said):
    with pytest.raises(NetcfgError, match=said):
        with_lists(tmp_path, train, test).open("train", ("image",))


def test_a_list_of_objects_is_never_executed(tmp_path):
    lists = with_lists(tmp_path, "0\n", "1\n").model_copy(update={"test_list": "bad.npy"})
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(NetcfgError, match="bad.npy holds no array of numbers"):
        lists.open("test", ("image",))


def test_one_list_needs_the_other(tmp_path):
    path = save(tmp_path, x=bytes_of(4, 16, 16, 3))
    assert "needs both" in str(source(path, train_list="train.txt").conflict())
