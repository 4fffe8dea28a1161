"""Pictures of a run: what a network makes of its input, and how its gradients flow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from netcfg.source import NetcfgError
from netcfg.trainers.reporting.gradient_flow import draw_gradient_flow, gradient_flow, gradient_scalars
from netcfg.trainers.reporting.pictures import save_reconstructions, save_rows

MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.25, 0.5)


def colours(path: Path) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.asarray(Image.open(path)).reshape(-1, 3).tolist()}


def normalised(red: int, green: int, blue: int, count: int = 1, side: int = 100) -> Tensor:
    """Plain pictures as a network sees them."""
    wanted = torch.tensor([red, green, blue]) / 255
    value = (wanted - torch.tensor(MEAN)) / torch.tensor(STD)
    return value.view(1, 3, 1, 1).repeat(count, 1, side, side)


def test_pictures_have_the_colours_they_had_before_they_were_normalised(tmp_path: Path) -> None:
    originals, reconstructions = normalised(200, 10, 77, 2), normalised(13, 140, 250, 2)
    noisy = normalised(90, 91, 92, 2)
    path = tmp_path / "a.png"
    save_reconstructions(path, originals, reconstructions, mean=MEAN, std=STD, extra=[("noisy", noisy)])
    assert {(200, 10, 77), (13, 140, 250), (90, 91, 92)} <= colours(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_a_row_per_kind_and_a_column_per_sample(tmp_path: Path) -> None:
    left, right = normalised(255, 0, 0), normalised(0, 0, 255)
    rows = [("first", torch.cat([left, right])), ("second", torch.cat([right, left]))]
    save_rows(tmp_path / "a.png", rows, mean=MEAN, std=STD)
    sheet = np.asarray(Image.open(tmp_path / "a.png"))
    blue_rows, blue_columns = np.nonzero((sheet == (0, 0, 255)).all(-1))
    in_first = blue_columns[blue_rows < len(sheet) / 2]
    in_second = blue_columns[blue_rows > len(sheet) / 2]
    assert in_first.min() > in_second.max()
    assert in_first.size == in_second.size == 100 * 100


def test_drawing_leaves_the_tensors_as_they_are(tmp_path: Path) -> None:
    pictures = torch.randn(2, 3, 8, 8, requires_grad=True)
    before = pictures.detach().clone()
    save_reconstructions(tmp_path / "a.png", pictures, pictures, mean=MEAN, std=STD)
    assert torch.equal(pictures, before)


def test_values_out_of_range_are_cut_off_and_nan_is_seen(tmp_path: Path) -> None:
    pictures = torch.tensor([-9.0, 9.0, float("nan")]).view(3, 1, 1, 1).repeat(1, 1, 100, 100)
    save_rows(tmp_path / "a.png", [("", pictures)], mean=[0.5], std=[0.5])
    assert colours(tmp_path / "a.png") == {(0, 0, 0), (255, 255, 255), (255, 0, 255)}


def test_small_pictures_are_enlarged_and_rows_may_differ(tmp_path: Path) -> None:
    rows = [("a", torch.randn(2, 3, 64, 64)), ("b", torch.randn(1, 3, 16, 16))]
    save_rows(tmp_path / "a.png", rows, mean=[0.5], std=[0.5])
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.height == 4 + 2 * (2 * 64 + 4)


@pytest.mark.parametrize(
    ("pictures", "mean", "message"),
    [
        (torch.randn(2, 6, 8, 8), [0.5], "`b`: a picture has 1 or 3 channels.*is 6×8×8\nhelp"),
        (torch.randn(2, 5), [0.5], "`b`: .*each of these is 5\nhelp"),
        (torch.randn(2, 3, 8, 8), [0.5, 0.5], "3 channels with 2 numbers of `mean`\nhelp"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    tmp_path: Path, pictures: Tensor, mean: list[float], message: str
) -> None:
    with pytest.raises(NetcfgError, match=f"(?s){message}"):
        save_rows(tmp_path / "a.png", [("b", pictures)], mean=mean, std=[0.5])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="there is no folder"):
        save_rows(tmp_path / "no" / "a.png", [("b", torch.randn(1, 3, 8, 8))], mean=[0.5], std=[0.5])


# --- gradients


def network() -> nn.Sequential:
    made = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Linear(1, 1), nn.Linear(1, 1))
    made[0].weight.data = torch.tensor([[1.0, 1.0]])
    made[1].requires_grad_(False)
    made[1].weight.data.fill_(2.0)
    made[:2](torch.tensor([[1.0, -3.0]])).sum().backward()
    return made


def test_gradient_flow_by_hand() -> None:
    """The frozen layer is left out, the one that the loss does not reach is 0."""
    rows = gradient_flow(network().named_parameters())
    assert rows == [("0.weight", 4.0, 6.0), ("2.weight", 0.0, 0.0), ("2.bias", 0.0, 0.0)]
    assert gradient_scalars(rows)[:2] == [("gradient_mean/0.weight", 4.0), ("gradient_max/0.weight", 6.0)]
    assert gradient_flow([]) == []


ROWS = [("stem.weight", 1e-3, 1e-1), ("dead.weight", 0.0, 0.0), ("broken.weight", float("nan"), float("inf"))]


@pytest.mark.parametrize("rows", [[], ROWS[1:], ROWS, ROWS * 60], ids=["none", "dead", "few", "many"])
@pytest.mark.filterwarnings("error::UserWarning")
def test_gradient_flow_is_drawn(tmp_path: Path, rows: list[tuple[str, float, float]]) -> None:
    draw_gradient_flow(tmp_path / "a.png", rows)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.height > 15 * len(rows)  # a name has room
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
