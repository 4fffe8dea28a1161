"""FG-Net's file as a program: its data, what it trains, and how its labels are decided."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from golden_rules import golden
from PIL import Image
from safetensors.torch import load_file

import netcfg
from netcfg.cli.main import main
from netcfg.compile import check
from netcfg.datasets.pipeline import Pipeline
from netcfg.passes.held import kept_in_training
from netcfg.passes.read import shipped_folder

FILE = shipped_folder() / "fgnet.cfg"
POINTS = np.array(golden("fgnet_heatmaps")["landmarks_xy"], np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The original's layout: lists of a fold, whose paths count from the folder above the database."""
    folder = tmp_path / "data"
    subjects = ("SN001", "SN002", "SN003")  # one of whom is for validation
    for part in ("aligned_images", "aligned_landmarks"):
        for subject in subjects:
            (folder / "DISFA" / part / subject).mkdir(parents=True)
    (folder / "DISFA" / "labels" / "0").mkdir(parents=True)
    rows = []
    for number in range(1, 13):
        name = f"{subjects[number % 3]}/{number:05d}"
        Image.new("RGB", (256, 256), (20 * number, 90, 90)).save(
            folder / "DISFA" / "aligned_images" / f"{name}.jpg"
        )
        np.save(folder / "DISFA" / "aligned_landmarks" / f"{name}.npy", POINTS)
        cells = ",".join(str(int((number + unit) % 3 == 0)) for unit in range(8))
        rows.append(f"DISFA/aligned_images/{name}.jpg,{cells}")
    head = "image_path,au1,au2,au4,au6,au9,au12,au25,au26"
    lists = {"train": rows[:8], "test": rows[8:], "train_100": rows[:6], "train_1000": rows[:8]}
    for name, part in lists.items():
        path = folder / "DISFA" / "labels" / "0" / f"{name}.csv"
        path.write_text("\n".join([head, *part, ""]))
    return folder


def test_it_trains_as_published() -> None:
    program = netcfg.load(FILE)
    (phase,) = program.phases
    optimizer = phase.optimizer
    assert optimizer.type_name == "adamw"
    assert optimizer.networks == ("Encoder", "Generator", "Interpreter")
    assert (optimizer.learning_rate, optimizer.clip_grad_norm) == (5e-5, 0.1)
    training = program.training
    assert (training.batch_size, training.max_epochs, training.batches_per_epoch) == (16, 15, 500)
    assert training.monitor == "f1"
    assert program.data is not None
    assert program.data.fields["heatmaps"].shape == (12, 128, 128)
    assert program.signals["maps"].shape == (32, 128, 128)
    assert program.signals["scores"].shape == (12,)


def test_it_is_fed_the_originals_lists(data: Path) -> None:
    lists = data / "DISFA" / "labels" / "0"
    program = netcfg.load(FILE, lists=lists, images=data, train_list="train_100.csv")
    assert program.data is not None
    assert program.data.fields["heatmaps"].names == (
        "AU1", "AU2", "AU4", "AU6", "AU9", "AU12", "AU25", "AU26",
    )  # fmt: skip
    assert len(program.data.source.open("test", ("labels",))) == 4


def test_checkpoints_bring_a_batch_of_sixteen_to_a_third() -> None:
    kept = []
    for checkpoint in (False, True):
        program = netcfg.load(FILE, checkpoint=checkpoint)
        stretches = [kept_in_training(graph) for graph in program.networks.values()]
        kept.append(sum(int(one.held) for one in stretches) + max(int(one.again) for one in stretches))
    assert 16 * 4 * kept[0] / 1e9 == pytest.approx(54.2, abs=1)
    assert kept[1] < 0.4 * kept[0]


def test_a_run_is_judged_on_other_lists_by_name(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--data` keeps the names of lists that are there too, and the folder around it that paths count from."""
    monkeypatch.chdir(data.parent)
    labels = {"labels": tuple(f"AU{unit}" for unit in (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24))}
    # As a run keeps it: with its variables replaced.
    Path("resolved.cfg").write_text(netcfg.load(FILE, lists="data/DISFA/labels/0", images="data").resolved)
    program, findings = check("resolved.cfg", data="data/DISFA/labels/0", labels=labels)
    assert program is not None, findings
    assert program.data is not None
    spec = program.data.fields["labels"]
    assert [spec.names[place] for place in spec.present] == ["AU1", "AU2", "AU4", "AU6", "AU12"]
    assert program.data.fields["heatmaps"].absent == spec.absent
    pipeline = Pipeline(program.data, "test", 4, training=False)
    assert len(pipeline.ids) == 4  # the test list, of several lists that lie there
    batch = next(iter(pipeline.epoch()))
    assert batch.fields["labels"][:, list(spec.present)].isfinite().all()


@pytest.mark.slow
def test_a_run_changes_all_three_networks(data: Path, tmp_path: Path) -> None:
    """But for what nothing reaches: the image that is never made, and the mean of codes."""
    runs = []
    for epochs in ("1", "2"):
        run = tmp_path / f"run{epochs}"
        settings = [f"lists={data / 'DISFA' / 'labels' / '0'}", f"images={data}", "maps=8"]
        command = ["train", str(FILE), "--preset", "demo", "--run-dir", str(run), "--workers", "0"]
        command += ["--epochs", epochs, *(word for one in settings for word in ("--set", one))]
        assert main(command) == 0
        runs.append(load_file(run / "checkpoints" / "last.safetensors"))
    first, second = runs
    changed = {name for name, value in second.items() if not value.equal(first[name])}
    for name in (
        "Encoder.input_layer.0.weight",
        "Generator.convs.3.conv.weight",
        "Interpreter.layer8.5.weight",
    ):
        assert any(one.startswith(name.rpartition(".")[0].rpartition(".")[0]) for one in changed), name
    still = {name for name in first if name not in changed}
    assert any("to_rgb" in name for name in still)
    assert any("latent_avg" in name for name in still)
    assert not any("to_rgb" in name or "latent_avg" in name for name in changed)
