"""Transforms of all kinds of field: they move together, as torchvision moves pictures, and chance is reproducible."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode, functional

import netcfg
from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.registry import find
from netcfg.blocks.transforms.base import Transform, callable_of
from netcfg.datasets.pipeline import Pipeline
from netcfg.datasets.transforms import policies
from netcfg.datasets.transforms.moves import Move, affine_matrix, moved_picture, turned_flow
from netcfg.source import NetcfgError, ProgramError

SIDE = 96
FIELDS = {
    "image": FieldSpec((3, SIDE, SIDE), "image"),
    "mask": FieldSpec((SIDE, SIDE), "mask", ("paper", "dot")),
    "depth": FieldSpec((2, SIDE, SIDE), "map"),
    "landmarks": FieldSpec((68, 2), "landmarks"),
}
MOVING = {
    "random_crop": {"size": (80,), "padding": 6},
    "random_resized_crop": {"size": (64, 80), "scale": (0.5, 1.0)},
    "center_crop": {"size": (90, 70)},
    "rotate": {"degrees": (30.0,)},
    "affine": {"degrees": (20.0,), "translate": (0.1,), "scale": (0.8, 1.2), "shear": (-10.0, 10.0, -5.0, 5.0)},
    "perspective": {"distortion": 0.4, "probability": 1.0},
    "elastic": {"alpha": 90.0, "sigma": 6.0},
    "horizontal_flip": {"probability": 1.0},
    "resize": {"size": (64, 120)},
    "resize to a shorter side": {"shorter_side": 70},
    "rand_augment": {"operations": 3, "magnitude": 12},
}  # fmt: skip


def made(name: str, **options: object) -> Transform:
    kind = find("data", name.partition(" ")[0])
    assert kind is not None
    section = kind.model_validate(options)
    assert isinstance(section, Transform)
    assert section.conflict() is None
    return section


def dotted(place: tuple[float, float]) -> dict[str, np.ndarray]:
    """A round dot and a landmark at its middle, all other landmarks too."""
    picture = np.full((SIDE, SIDE, 3), 20, np.uint8)
    cv2.circle(picture, (int(place[0]), int(place[1])), 5, (250, 250, 250), -1)
    mask = (picture[..., 0] > 128).astype(np.uint8)
    points = np.tile(np.array(place, np.float32), (68, 1))
    depth = np.stack([1.0 * mask, -1.0 * mask]).astype(np.float32)
    return {"image": picture, "mask": mask, "depth": depth, "landmarks": points}


def middle(of: np.ndarray) -> np.ndarray:
    rows, columns = np.nonzero(of)
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize("name", MOVING)
def test_a_dot_its_mask_and_its_landmark_go_together(name: str) -> None:
    step = callable_of(made(name, **MOVING[name]), FIELDS)
    rng = np.random.default_rng(5)
    seen = 0
    for seed in range(25):
        before = dotted(tuple(rng.integers(30, SIDE - 30, 2)))
        after = step(before, np.random.default_rng(seed))
        mask = after["mask"]
        assert ((after["depth"][0] > 0.5) ^ (mask == 1)).mean() < 0.02
        assert np.array_equal(after["depth"][0], -after["depth"][1])
        if name == "rand_augment":  # colours may be anything, the mask is moved alike
            bright = mask == 1
        else:
            bright = after["image"].astype(int).mean(-1) > 128
            assert (bright ^ (mask == 1)).mean() < 0.02
        touches_edge = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
        if not bright.any() or touches_edge:
            continue
        np.testing.assert_allclose(after["landmarks"][0], middle(bright), atol=1.0)
        seen += 1
        assert set(np.unique(mask)) <= {0, 1}
    assert seen > 10


@pytest.mark.parametrize("name", MOVING)
def test_a_sample_is_not_written_into_and_the_same_seed_gives_the_same(name: str) -> None:
    step = callable_of(made(name, **MOVING[name]), FIELDS)
    before = dotted((40, 50))
    first = step(before, np.random.default_rng(3))
    again = step(before, np.random.default_rng(3))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert all(np.array_equal(before[key], value) for key, value in dotted((40, 50)).items())


@pytest.mark.parametrize(
    ("angle", "shift", "scale", "shear"),
    [(0, (5, -3), 1.0, (0, 0)), (25, (0, 0), 1.0, (0, 0)), (-10, (4, 2), 1.3, (8, -6)), (0, (0, 0), 0.7, (15, 0))],
)  # fmt: skip
def test_affine_is_torchvisions(
    angle: float, shift: tuple[int, int], scale: float, shear: tuple[float, float]
) -> None:
    smooth = cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (40, 52, 3)).astype(np.uint8), (9, 9), 3
    )
    move = Move((40, 52), back=np.linalg.inv(affine_matrix((40, 52), angle, shift, scale, shear)))
    found = moved_picture(smooth, move, "linear", "constant", (0, 0, 0))
    tensor = torch.from_numpy(smooth).movedim(-1, 0)
    expected = functional.affine(
        tensor, angle, list(shift), scale, list(shear), InterpolationMode.BILINEAR, fill=[0.0]
    )
    difference = np.abs(found.astype(int) - expected.movedim(0, -1).numpy().astype(int))
    assert difference[2:-2, 2:-2].mean() < 1.0


def test_flow_turns_with_the_picture() -> None:
    flow = np.zeros((20, 20, 3), np.uint8)
    flow[..., 0], flow[..., 1] = 187, 127  # to the right
    quarter = Move((20, 20), back=np.linalg.inv(affine_matrix((20, 20), -90)))
    turned = turned_flow(flow, quarter)
    assert (turned[5, 5, :2] == [127, 187]).all(), "turned counter-clockwise: upwards"
    step = callable_of(made("rotate", degrees=(90.0, 90.0)), {"flow": FieldSpec((3, 20, 20), "flow")})
    assert (step({"flow": flow}, np.random.default_rng(0))["flow"][10, 10] == [127, 187, 0]).all()
    bent = callable_of(made("elastic"), {"flow": FieldSpec((3, 20, 20), "flow")})
    assert abs(int(bent({"flow": flow}, np.random.default_rng(0))["flow"][10, 10, 0]) - 187) < 30


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("Brightness", lambda t: functional.adjust_brightness(t, 1.27)),
        ("Color", lambda t: functional.adjust_saturation(t, 1.27)),
        ("Contrast", lambda t: functional.adjust_contrast(t, 1.27)),
        ("Sharpness", lambda t: functional.adjust_sharpness(t, 1.27)),
        ("Posterize", lambda t: functional.posterize(t, 7)),
        ("Solarize", lambda t: functional.solarize(t, 255 * 0.7)),
        ("AutoContrast", functional.autocontrast),
        ("Equalize", functional.equalize),
        ("ShearX", lambda t: functional.affine(
            t, 0, [0, 0], 1.0, [np.degrees(np.arctan(0.09)), 0.0], center=[0, 0])),
        ("TranslateY", lambda t: functional.affine(t, 0, [0, int(0.3 * 150 / 331 * 40)], 1.0, [0.0, 0.0])),
        ("Rotate", lambda t: functional.rotate(t, 9)),
    ],
)  # fmt: skip
def test_operations_are_torchvisions(operation: str, expected: object) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 52, 3)).astype(np.uint8)
    drawn = policies.Operation(operation, 0.3)
    wanted = expected(torch.from_numpy(picture).movedim(-1, 0)).movedim(0, -1).numpy()  # type: ignore[operator]
    tone = policies.tone_of(drawn, policies.RAND)
    if tone is not None:
        np.testing.assert_array_equal(tone(picture), wanted)
        return
    matrix = policies.matrix_of(drawn, (40, 52), policies.RAND)
    assert matrix is not None
    move = Move((40, 52), back=np.linalg.inv(matrix))
    found = moved_picture(picture, move, "nearest", "constant", (0, 0, 0))
    # Where a place lies between two pixels either is the nearest.
    assert (found == wanted).all(-1).mean() > 0.97


def test_auto_augment_draws_from_the_librarys_pairs() -> None:
    draw = policies.Auto("cifar10")
    names = {operation.name for seed in range(200) for operation in draw(np.random.default_rng(seed))}
    assert {"Invert", "Equalize", "TranslateY"} <= names


def test_trivial_augment_draws_one_of_all() -> None:
    drawn = [policies.Trivial(31)(np.random.default_rng(seed)) for seed in range(400)]
    assert {len(one) for one in drawn} == {1}
    assert {one[0].name for one in drawn} == set(policies.OPERATIONS)
    assert max(one[0].magnitude for one in drawn) == 1.0


def two_views(each_field: bool = False, views: bool = True) -> dict[str, np.ndarray]:
    copied = made("views" if views else "copy", to=("other",) if views else "other")
    fields = copied.fields({"image": FIELDS["image"]})
    crop = made("random_resized_crop", size=(32,), each_field=each_field)
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    random = np.random.default_rng(9)
    sample = callable_of(copied, fields)({"image": noise}, random)
    return callable_of(crop, fields)(sample, random)


def test_views_have_draws_of_their_own_and_copies_only_when_asked() -> None:
    seen, copied, apart = two_views(), two_views(views=False), two_views(True, views=False)
    assert (seen["image"] != seen["other"]).any()
    assert (copied["image"] == copied["other"]).all()
    assert (apart["image"] != apart["other"]).any()


def test_erasing_fills_one_rectangle_in_all_pictures() -> None:
    fields = {"image": FIELDS["image"], "second": FIELDS["image"]}
    step = callable_of(made("random_erasing", probability=1.0, value=7), fields)
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    after = step({"image": white, "second": white}, np.random.default_rng(1))
    assert np.array_equal(after["image"], after["second"])
    rows, columns = np.nonzero((after["image"] == 7).all(-1))
    area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
    assert area == len(rows)
    assert 0.015 < area / SIDE**2 < 0.34


def test_landmarks_without_pairs_are_not_mirrored_wrongly() -> None:
    fields = {**FIELDS, "landmarks": FieldSpec((5, 2), "landmarks")}
    with pytest.raises(ShapeError, match="which of the 5 landmarks"):
        made("horizontal_flip").fields(fields)
    fields["landmarks"] = FieldSpec((2, 2), "landmarks", pairs=(1, 0))
    flip = callable_of(made("horizontal_flip", probability=1.0), fields)
    sample = dotted((10, 20)) | {"landmarks": np.array([[10, 20], [30, 40]], np.float32)}
    expected = [[SIDE - 1 - 30, 40], [SIDE - 1 - 10, 20]]
    np.testing.assert_array_equal(flip(sample, np.random.default_rng(0))["landmarks"], expected)


def test_a_picture_of_its_own_size_that_is_too_small_is_told() -> None:
    fields = {"image": FieldSpec((3, "h", "w"), "image")}  # type: ignore[arg-type]
    step = callable_of(made("random_crop", size=(64,)), fields)
    with pytest.raises(
        NetcfgError, match=r"\[random_crop\] takes 64×64 pixels out of a picture of 32×90\nhelp"
    ):
        step({"image": np.zeros((32, 90, 3), np.uint8)}, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ("[random_crop]\nsize = 80", "takes 80×80 pixels out of `image`, whose pictures are 64×64"),
        ("[center_crop]\nsize = 80, 10", "takes 80×10 pixels"),
        ("[random_resized_crop]\nsize = 32", "`image` is 3×32×32 in training, and 3×64×64 outside of it"),
        ("[rotate]\ndegrees = -3", "goes from -n to n by `degrees = n`"),
        ("[rotate]\ndegrees = 5, 3", "needs the smallest and the largest as `degrees`, and has 5, 3"),
        ("[gaussian_blur]\nkernel_size = 8", "an odd side"),
        ("[copy]\nof = imag", "copies the field `imag`(.|\n)*did you mean `image`"),
        ("[copy]\nto = labels", "would overwrite the field `labels`"),
        ("[views]\nto = a, a", "names a view twice"),
        ("[copy]\nto = b\n[resize]\nsize = 32\nonly = b\n[rotate]\ndegrees = 3", "`image` is 64×64, `b` 32×32"),
        ("[resize]", "does not say to what size: write `size` or `shorter_side`"),
        ("[resize]\nsize = 32\nshorter_side = 32", "has both `size` and `shorter_side`"),
        ("[resize]\nsize = 1, 2, 3", "has 3 numbers in `size`"),
        ("[solarize]\nthreshold = 300", "threshold"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_found_by_check(sections: str, message: str) -> None:
    text = (
        f"{{Data}}\n[synthetic_faces]\nimage_size = 64\n{sections}\n"
        "{N}\n[net]\n[input]\nname = image\nchannels = 3\nheight = h\nwidth = w\n[identity]\n"
    )
    with pytest.raises(ProgramError, match=message):
        netcfg.load(text)


def test_a_shorter_side_keeps_the_proportion() -> None:
    fields = {"image": FieldSpec((3, 30, 50), "image")}
    section = made("resize", shorter_side=12)
    assert section.fields(fields)["image"].shape == (3, 12, 20)
    step = callable_of(section, fields)
    for size, expected in (((30, 50), (12, 20)), ((50, 30), (20, 12)), ((7, 7), (12, 12))):
        sample = step({"image": np.zeros((*size, 3), np.uint8)}, np.random.default_rng(0))
        assert sample["image"].shape[:2] == expected


def test_other_splits_may_have_their_own_way_to_the_same_size() -> None:
    text = (
        "{Data}\n[synthetic_faces]\nimage_size = 64\nsubjects = 6\n[random_resized_crop]\nsize = 32\n"
        "[resize]\nshorter_side = 40\nwhen = evaluation\n[center_crop]\nsize = 32\nwhen = evaluation\n"
        "{N}\n[net]\n[input]\nname = image\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n"
        "[connected]\noutput_features = 12\n"
        "{Loss}\n[mse]\ninput = N\ntarget = labels\n{Optimizer}\n[adam]\nnetworks = N\nminimise = mse\n"
    )
    program = netcfg.load(text)
    assert program.data is not None
    from netcfg.datasets.pipeline import Pipeline

    for split in ("train", "validation"):
        pipeline = Pipeline(program.data, split, 4)  # type: ignore[arg-type]
        assert next(iter(pipeline.epoch())).fields["image"].shape == (4, 3, 32, 32)


@pytest.mark.parametrize("name", ["rotate", "random_crop", "rand_augment"])
@pytest.mark.parametrize(("ignore", "written", "expected"), [(255, None, 255), (None, None, 0), (255, 1, 1)])
def test_what_comes_into_a_mask_from_outside_is_no_class(name, ignore, written, expected):
    fields = {
        "image": FieldSpec((3, 40, 40), "image"),
        "mask": FieldSpec((40, 40), "mask", ("a", "b"), ignore=ignore),
    }
    options = {"rotate": {"degrees": (45.0, 45.0)}, "random_crop": {"size": (60,), "pad_if_needed": True}}
    step = callable_of(made(name, mask_fill=written, **options.get(name, {"magnitude": 30})), fields)
    inside = 7 if expected else 1
    sample = {"image": np.full((40, 40, 3), 9, np.uint8), "mask": np.full((40, 40), inside, np.uint8)}
    found = {
        int(value)
        for seed in range(8)
        for value in np.unique(step(sample, np.random.default_rng(seed))["mask"])
    }
    assert found == {inside, expected}


def test_random_tiles_of_pictures_of_any_sizes_train_and_their_middle_judges(tmp_path):
    for number, (height, width) in enumerate([(90, 140), (70, 65), (30, 200), (120, 64)]):
        for kind, channels in (("images", 3), ("masks", 1)):
            (tmp_path / kind).mkdir(exist_ok=True)
            cv2.imwrite(
                str(tmp_path / kind / f"{number}.png"), np.full((height, width, channels), 1, np.uint8)
            )
    text = (
        f"{{Data}}\n[image_pairs]\npath = {tmp_path}\nclasses = 2\nvalidation_share = 0\ntest_share = 0.5\n"
        "[random_crop]\nsize = 64\npad_if_needed = True\n"
        "[center_crop]\nsize = 64\npad_if_needed = True\nwhen = evaluation\n"
        "{N}\n[net]\ninputs = data.image\n[convolutional]\nfilters = 2\nkernel_size = 1\n"
        "{Loss}\n[cross_entropy]\ninput = N\ntarget = mask\n"
    )
    data = netcfg.load(text).data
    for split in ("train", "test"):
        (batch,) = Pipeline(data, split, 2).epoch()
        assert batch.fields["image"].shape == (2, 3, 64, 64)
        assert batch.fields["mask"].shape == (2, 64, 64)
        assert set(batch.fields["mask"].unique().tolist()) <= {1, 255}
