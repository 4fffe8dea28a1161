"""The zoo's tasks train: a small form of each, for two batches."""

from pathlib import Path

import pytest
import torch
from rich.console import Console

import netcfg
from netcfg.passes.inline import inlined
from netcfg.passes.read import shipped_folder
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.runs.run_folder import RunFolder

SMALL = {"image_size": 32, "subjects": 6, "clips": 1, "frames": 3, "epochs": 1}
NARROW = {"model": "narrow"}
SIZES = {
    "cyclegan": {"width": 4, "residual": 1, "batch": 4},
    "dcgan": {"width": 4, "code": 8},
    "moco": {**NARROW, "hidden": 16, "numbers": 8, "rows": 8, "batch": 4},
    "ddpm": {"width": 8, "turns": 4, "look": 1},
    "flow_matching": {"image_size": 16, "clips": 2, "width": 8, "turns": 3, "look": 1},
    "expression_resnet18": NARROW,
    "expression_vit": {"features": 8, "hidden": 8, "heads": 2, "layers": 1, "batch": 4, "clips": 3},
    "expression_tracks": {"width": 8, "image_size": 32},
    "face_heatmaps": {"width": 4, "depth": 2},
    "face_many_tasks": NARROW,
    "motion_lstm": {**NARROW, "hidden": 8},
    "motion_r3d": {**NARROW, "stem": 8},
    "expression_intensity": NARROW,
    "face_parts": {"width": 4, "depth": 2, "batch": 4},
    "face_parts_deeplab": {"stages": "dilated_narrow", "stem": 8, "filters": 8, "batch": 4},
    "face_parts_fcn": {"stages": "dilated_narrow", "stem": 8, "batch": 4},
    "face_points": NARROW,
    "simclr": {**NARROW, "batch": 8},
    "subject_arcface": NARROW,
    "subject_embedding": NARROW,
    "vae": {"width": 4, "code": 8, "rising": 1},
    "vq_vae": {"width": 8, "codes": 8, "numbers": 4},
}
"""What else makes each quick."""


def test_every_task_has_a_small_form() -> None:
    texts = {path.stem: path.read_text() for path in (shipped_folder() / "zoo").glob("*.cfg")}
    assert sorted(SIZES) == sorted(name for name, text in texts.items() if "# Preset demo " in text)


@pytest.mark.parametrize("name", sorted(SIZES))
def test_a_task_trains_and_shows_what_it_found(name: str, tmp_path: Path) -> None:
    text = (
        inlined(shipped_folder() / "zoo" / f"{name}.cfg")
        .replace("batch_size = 32", "batch_size = 4")
        .replace("batch_size = 64", "batch_size = 8")
    )
    program = netcfg.load(text, **(SMALL | SIZES[name]))
    folder = RunFolder.create(program, tmp_path / "run")
    folder.write_json("run.json", {})
    trainer = Trainer(program, folder, workers=0, limit_batches=2, console=Console(quiet=True))
    trainer.setup()
    weights = {
        key: value
        for key, value in trainer.networks.named_parameters()
        if value.requires_grad and value.ndim > 1
    }
    before = {key: value.clone() for key, value in weights.items()}
    trainer.fit()
    assert not [key for key, value in weights.items() if torch.equal(value, before[key])]
    drawn = {path.name for path in (tmp_path / "run").glob("figures/*")}
    expected = {
        "expression_resnet18": {"validation_confusion_matrix.png", "validation_ResNet_emotion_examples.png"},
        "expression_intensity": {"validation_mae_by_target.svg", "test_mae_by_target.csv"},
        "expression_vit": {"test_confusion_matrix.png"},
        "face_parts_deeplab": {"validation_DeepLabV3.out_parts_examples.png"},
        "face_parts_fcn": {"validation_FCN.out_parts_examples.png"},
        "face_parts": {"validation_UNet_parts_examples.png", "test_confusion_matrix.png"},
        "face_points": {"validation_Points_landmarks_examples.png", "validation_mae_by_target.csv"},
        "simclr": set(),
        "cyclegan": set(),
        "dcgan": set(),
        "flow_matching": set(),
        "moco": set(),
        "expression_tracks": set(),
        "face_heatmaps": {"validation_mae_by_target.csv"},
        "face_many_tasks": {"validation_points_off_by_target.csv"},
        "motion_lstm": set(),
        "motion_r3d": set(),
        "subject_arcface": set(),
        "ddpm": set(),
        "subject_embedding": set(),
        "vq_vae": set(),
        "vae": set(),
    }[name]
    assert expected <= drawn
