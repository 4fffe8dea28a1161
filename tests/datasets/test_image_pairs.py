"""`[image_pairs]`: pictures and masks or targets by name, masks of several kinds, and what fits to what."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import netcfg
from netcfg.blocks.sources.image_pairs import ImagePairs
from netcfg.cli.main import main
from netcfg.datasets.sources.example_folders import write_image_pairs
from netcfg.passes.data_folder import source_of
from netcfg.passes.read import shipped_folder
from netcfg.source import NetcfgError

ALL = {"validation_share": 0.0, "test_share": 0.0}
SPLITS = ("train", "validation", "test")
MASK = np.array([[0, 0, 1, 1], [0, 2, 2, 1], [255, 2, 2, 0]], np.uint8).repeat(8, 0).repeat(8, 1)
COLOURS = ((0, 0, 0), (255, 128, 0), (0, 0, 255))


def write(root: Path, mask: Image.Image, count: int = 3, where: str = "", name: str = "{}.png") -> Path:
    """Pictures of the mask's size, and the mask for each."""
    for number in range(count):
        for kind in ("images", "masks"):
            folder = root / where.format(kind) if "{}" in where else root / where / kind
            folder.mkdir(parents=True, exist_ok=True)
            if kind == "masks":
                mask.save(folder / name.format(number))
            else:
                picture = np.full((mask.height, mask.width, 3), 9 * number, np.uint8)
                cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    return root


def source(folder: Path, **options: object) -> ImagePairs:
    return ImagePairs(path=str(folder), **{**ALL, **options})


def mask_of(folder: Path, **options: object) -> np.ndarray:
    return source(folder, **options).open("train", ("image", "mask"))[0]["mask"]


def refusal(folder: Path, **options: object) -> str:
    def first() -> None:
        source(folder, **options).open("train", ("image", "mask"))[0]

    with pytest.raises(NetcfgError) as caught:
        first()
    return str(caught.value)


def painted() -> Image.Image:
    table = np.array([*COLOURS, (9, 9, 9)], np.uint8)
    return Image.fromarray(table[np.where(MASK == 255, 3, MASK)])


def palette() -> Image.Image:
    image = Image.fromarray(MASK, "P")
    image.putpalette([value for colour in (*COLOURS, *((9, 9, 9),) * 253) for value in colour])
    return image


# --- masks


@pytest.mark.parametrize("mask", [Image.fromarray(MASK), palette()], ids=["grey", "palette"])
def test_a_mask_is_the_numbers_of_its_pixels(tmp_path, mask):
    write(tmp_path, mask)
    assert np.array_equal(mask_of(tmp_path, classes=("ground", "car", "sky")), MASK)
    assert np.array_equal(mask_of(tmp_path), MASK)
    assert source(tmp_path).names() == ("class0", "class1", "class2")
    assert source(tmp_path).settled() == {"classes": "3"}


def test_painted_masks_are_read_by_a_table_of_colours_and_others_are_no_class(tmp_path):
    write(tmp_path, painted())
    assert "`colours` names them in the order of the classes" in refusal(tmp_path)
    assert np.array_equal(mask_of(tmp_path, colours=("000000", "#ff8000", "0000FF")), MASK)


def test_a_mask_of_16_bits_keeps_its_numbers(tmp_path):
    wide = MASK.astype(np.uint16)
    wide[MASK == 2] = 700
    write(tmp_path, Image.fromarray(wide))
    found = mask_of(tmp_path, classes=("701",), ignore=65_535)
    assert set(np.unique(found).tolist()) == {0, 1, 255, 700}


@pytest.mark.parametrize("fit", ["crop", "stretch", "pad"])
def test_a_mask_is_scaled_with_its_picture_and_mixes_no_classes(tmp_path, fit):
    write(tmp_path, Image.fromarray(MASK))
    found = mask_of(tmp_path, image_size=16, fit=fit)
    assert found.shape == (16, 16)
    assert set(np.unique(found).tolist()) <= {0, 1, 2, 255}
    assert (found[0, 0] == 255) == (fit == "pad")  # beside the picture is no class


def test_a_number_that_is_no_class_is_named_with_its_pixels(tmp_path):
    write(tmp_path, Image.fromarray(MASK))
    said = refusal(tmp_path, classes=("ground", "car"))
    assert (
        "0.png holds the number 2 (256 pixels), which is no class: there are 2, from 0, and 255 is ignored"
        in said
    )


def test_a_mask_of_another_size_than_its_picture(tmp_path):
    write(tmp_path, Image.fromarray(MASK))
    Image.fromarray(MASK[:16]).save(tmp_path / "masks/0.png")
    assert "masks/0.png is 16×32, and its picture" in refusal(tmp_path)
    assert "24×32" in refusal(tmp_path)


def test_half_a_mask(tmp_path):
    write(tmp_path, Image.fromarray(MASK))
    whole = (tmp_path / "masks/0.png").read_bytes()
    (tmp_path / "masks/0.png").write_bytes(whole[: len(whole) // 2])
    assert "masks/0.png cannot be read as a mask: it is cut short" in refusal(tmp_path, classes=("3",))
    assert len(source(tmp_path, on_error="skip", classes=("3",)).open("train", ("mask",))) == 2


# --- pairs


def test_a_picture_without_a_partner_is_named(tmp_path):
    write(tmp_path, Image.fromarray(MASK))
    (tmp_path / "masks/1.png").rename(tmp_path / "masks/9.png")
    assert "1 picture of" in refusal(tmp_path)
    assert "without a mask of the same name in" in refusal(tmp_path)
    assert "`1`" in refusal(tmp_path)
    assert len(source(tmp_path, missing="skip").open("train", ("mask",))) == 2
    (tmp_path / "images/1.jpg").unlink()
    assert "without a picture of the same name in" in refusal(tmp_path)


def test_names_with_something_added(tmp_path):
    write(tmp_path, Image.fromarray(MASK), name="{}_mask.png")
    assert "help: `suffix = _mask`" in refusal(tmp_path)
    assert np.array_equal(mask_of(tmp_path, suffix="_mask"), MASK)


def test_two_pictures_of_one_name(tmp_path):
    write(tmp_path, Image.fromarray(MASK))
    cv2.imwrite(str(tmp_path / "images/1.png"), np.zeros((24, 32, 3), np.uint8))
    assert "holds `1.png` and `1.jpg`, two pictures of one name" in refusal(tmp_path)


def test_targets_are_pictures_of_any_size(tmp_path):
    for number in range(4):
        for kind, side in (("images", 16), ("targets", 64)):
            (tmp_path / kind).mkdir(exist_ok=True)
            cv2.imwrite(str(tmp_path / kind / f"{number}.png"), np.full((side, side, 3), number, np.uint8))
    assert list(source(tmp_path).fields()) == ["image", "target"]
    sample = source(tmp_path).open("train", ("image", "target"))[2]
    assert sample["image"].shape == (16, 16, 3)
    assert sample["target"].shape == (64, 64, 3)
    assert (sample["target"] == 2).all()


@pytest.mark.parametrize("where", ["{split}", "around"])
def test_folders_of_splits_around_or_below(tmp_path, where):
    for split, count in (("train", 4), ("val", 2), ("test", 1)):
        if where == "around":
            write(tmp_path, Image.fromarray(MASK), count, f"{split}")
        else:
            write(tmp_path, Image.fromarray(MASK), count, "{}/" + split)
    assert source_of(tmp_path).source is ImagePairs
    counts = [len(source(tmp_path).open(split, ("mask",))) for split in ("train", "validation", "test")]
    assert counts == [4, 2, 1]


# --- what is compared with a mask


def test_losses_and_metrics_leave_out_what_is_no_class_without_being_told(tmp_path):
    write_image_pairs(tmp_path)
    text = (
        f"{{Data}}\n[image_pairs]\npath = {tmp_path}\nimage_size = 32\nclasses = 3\n"
        "{Net}\n[net]\ninputs = data.image\n[convolutional]\nfilters = $data.mask.classes\nkernel_size = 1\n"
        "{Loss}\n[cross_entropy]\ninput = Net\ntarget = mask\n[dice]\ninput = Net\ntarget = mask\nignore = 7\n"
        "{Optimizer}\n[sgd]\nnetworks = Net\nminimise = cross_entropy + dice\n"
        "{Metric}\n[iou]\ninput = Net\ntarget = mask\n"
    )
    program, findings = netcfg.check(text)
    assert program is not None, findings
    assert program.losses["cross_entropy"].ignore == 255
    assert program.losses["dice"].ignore == 7
    assert program.metrics["iou"].ignore == 255
    assert program.networks["Net"].nodes[-1].output.shape == (3, 32, 32)


def test_a_segmenter_of_the_zoo_takes_pictures_and_masks(tmp_path):
    write_image_pairs(tmp_path)
    program, findings = netcfg.check(shipped_folder() / "zoo/fcn_resnet50.cfg", data=str(tmp_path))
    assert not findings
    assert program.variables["classes"] == "3"
    assert program.metrics["iou"].input == "FCN.out"


PAINTER = (
    "{Painter}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
    "[convolutional]\nfilters = 8\nkernel_size = 3\npad = True\nactivation = relu\n"
    "[convolutional]\nfilters = 3\nkernel_size = 3\npad = True\nactivation = tanh\n"
)


@pytest.mark.slow
def test_a_network_alone_learns_to_make_pictures_of_pictures_and_predicts_them(tmp_path, capsys):
    random = np.random.default_rng(0)
    for number in range(40):
        picture = cv2.resize(
            random.integers(0, 256, (3, 4, 3), np.uint8), (40, 32), interpolation=cv2.INTER_CUBIC
        )
        for kind, shown in (("images", picture), ("targets", 255 - picture)):
            (tmp_path / "data" / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / "data" / kind / f"{number}.png"), shown)
    (tmp_path / "painter.cfg").write_text(PAINTER)
    run = tmp_path / "run"
    told = ["train", str(tmp_path / "painter.cfg"), "--data", str(tmp_path / "data"), "--run-dir", str(run)]
    assert main([*told, "--set", "epochs=30", "--set", "learning_rate=1e-2"]) == 0
    assert "(the pictures `target`) as parts/image_pictures.cfg says" in "".join(capsys.readouterr())
    figures = json.loads((run / "result.json").read_text())
    assert figures["test"]["metrics"]["psnr"]["psnr"] > 20
    assert main(["predict", str(run), str(tmp_path / "data/images"), "-o", str(tmp_path / "made")]) == 0
    made = cv2.imread(str(next((tmp_path / "made").glob("Painter/7.png"))))
    wanted = cv2.imread(str(tmp_path / "data/targets/7.png"))[:, 4:36]  # the middle that the network sees
    assert np.abs(made.astype(int) - wanted).mean() < 25


def test_a_segmenter_of_the_zoo_takes_pairs_of_pictures_with_as_many_channels_as_pictures_have(tmp_path):
    for kind in ("images", "targets"):
        write_image_pairs(tmp_path / kind)
        (tmp_path / kind / "images").rename(tmp_path / kind / "all")
    root = tmp_path / "pairs"
    (tmp_path / "images/all").rename(root.mkdir() or root / "images")
    (tmp_path / "targets/all").rename(root / "targets")
    program, findings = netcfg.check(shipped_folder() / "zoo/fcn_resnet50.cfg", data=str(root))
    assert not findings
    assert program.variables["classes"] == "3"
    assert program.metrics["psnr"].target == "target"


def test_a_mask_of_floats_is_told_for_what_it_is(tmp_path):
    write(tmp_path, Image.fromarray(np.full((20, 20), 0.5, np.float32)), name="{}.tif")
    with pytest.raises(NetcfgError, match="its pixels are floating-point numbers"):
        source(tmp_path, classes=("a", "b")).open("train", ("mask",))[0]


def test_lists_say_who_is_in_which_split_and_groups_stay_together(tmp_path):
    write_image_pairs(tmp_path, 12)
    names = sorted(path.stem for path in (tmp_path / "images").iterdir())
    (tmp_path / "train.txt").write_text("\n".join(names[:8]))
    (tmp_path / "test.txt").write_text("\n".join(f"{name}.png" for name in names[8:11]))
    lists = {"train_list": "train.txt", "test_list": "test.txt"}
    opened = {
        split: source(tmp_path, **lists, validation_share=0.25).open(split, ("mask",)) for split in SPLITS
    }
    assert [len(samples) for samples in opened.values()] == [6, 2, 3]
    assert [name.partition(".")[0] for name in opened["test"].table.ids] == names[8:11]
    (tmp_path / "test.txt").write_text("nothing\n")
    with pytest.raises(NetcfgError, match=r"test.txt, line 1: there is no picture `nothing` in .*images"):
        source(tmp_path, **lists).open("test", ("mask",))
    grouped = {
        split: source(tmp_path, group_by="(.)", validation_share=0.3, test_share=0.3).open(split, ("mask",))
        for split in SPLITS
    }
    beginnings = [{name[0] for name in samples.table.ids} for samples in grouped.values()]
    assert not beginnings[0] & beginnings[1]
    assert not beginnings[0] & beginnings[2]
    assert len(set(grouped["train"].table.subjects.tolist())) == len(beginnings[0])


@pytest.mark.parametrize("partner", ["masks", "targets"])
def test_a_run_knows_its_fields_where_its_folder_is_no_more(tmp_path, partner):
    write_image_pairs(tmp_path / "pairs")
    (tmp_path / "pairs/masks").rename(tmp_path / "pairs" / partner)
    text = f"{{Data}}\n[image_pairs]\npath = {tmp_path / 'pairs'}\nimage_size = 32\n{{N}}\n[net]\ninputs = data.image\n"
    text += "[identity]\n"
    before = netcfg.load(text)
    expected = before.data.source.fields()
    assert (partner == "masks") == ("mask" in expected)
    (tmp_path / "pairs").rename(tmp_path / "gone")
    assert netcfg.load(before.resolved).data.source.fields() == expected
