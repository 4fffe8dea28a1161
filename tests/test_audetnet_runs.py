"""AUDetNet as a person runs it: a data folder, its own files, the disentangling test, and what goes wrong."""

import json
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from golden_rules import golden
from safetensors.torch import load_file

from netcfg.cli.main import main

CFG = Path(__file__).parents[1] / "cfg"
README = "\n".join(golden("audetnet_training_steps")["cfg"])
MOMU = "balance_dataset_with_momu=True\nepoch_size=8\nsampling_size=2"


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def no_plots(monkeypatch):
    """They take longest, and have their own tests."""
    monkeypatch.setattr("netcfg.trainers.fit.trainer.draw_curves", lambda *_: None)
    monkeypatch.setattr("netcfg.trainers.reporting.gallery.draw_gradient_flow", lambda *_: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data") / "folder", "occurrence")


@pytest.fixture(scope="module")
def intensities(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("data") / "intensities", "intensities")


def make_folder(path, labels):
    """Sixteen training frames of two subjects, eight test frames of another; every class is shown twice or more."""
    command = ["data", "make", "audetnet", path, "--images", "24", "--image-size", "16", "--labels", labels]
    assert main([str(word) for word in command]) == 0
    ids = sorted(path.joinpath("train_ids.csv").read_text().split())
    rows = pickle.loads((path / "aus_dict.pkl").read_bytes())  # our own
    for number, name in enumerate(ids):
        row = rows[name] * 0
        if number < 12:
            row[[number, (number + 1) % 12]] = 5 if labels == "intensities" else 1
        rows[name] = row
    (path / "aus_dict.pkl").write_bytes(pickle.dumps(rows))
    return path


def train(file, run, *options):
    return main(
        ["train", str(file), "--run-dir", str(run), "--workers", "0", "--device", "cpu", *map(str, options)]
    )


def readme_file(tmp_path, *replacements):
    """The README's example with some lines replaced."""
    text = README
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "readme.cfg"
    path.write_text(text)
    return path


def records(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_file_as_the_readme_writes_it_trains_on_a_folder(tmp_path, folder, capsys):
    run = tmp_path / "run"
    assert train(readme_file(tmp_path), run, "--data", folder, "--epochs", 2) == 0
    assert [record["step"] for record in records(run)] == [4, 8]
    assert {"f1", "two_afc", "xcov", "z2_variance", "image_emd"} <= records(run)[0]["validation"][
        "metrics"
    ].keys()
    assert [path.name for path in sorted((run / "pictures").iterdir())] == [
        "epoch_0001.png",
        "epoch_0002.png",
    ]
    shown = capsys.readouterr().out
    assert "AU26" in shown
    assert "z2_variance" in shown


def test_a_file_as_the_readme_writes_it_trains_on_drawn_faces(tmp_path):
    run = tmp_path / "run"
    assert train(readme_file(tmp_path), run, "--epochs", 1, "--limit-batches", 2) == 0
    assert records(run)[0]["step"] == 2


def test_intensities_are_regressed_and_balanced(tmp_path, intensities):
    file = readme_file(
        tmp_path,
        ("regress_au_intensities=False", "regress_au_intensities=True"),
        ("=BCEWithLogits", "=MSE"),
        ("balance_dataset_with_momu=False", MOMU),
    )
    run = tmp_path / "run"
    assert train(file, run, "--data", intensities, "--epochs", 1) == 0
    assert records(run)[0]["step"] == 2  # of 8 samples, not of all 16
    assert 0 < records(run)[0]["train"]["detection"] < 10


def test_the_disentangling_test_reads_a_run_of_the_original_recipe(tmp_path, folder):
    small = ("--set", "width=4", "--data", folder, "--epochs", 1)
    run, probes = tmp_path / "run", tmp_path / "probes"
    assert train(CFG / "audetnet.cfg", run, *small, "--set", "main_every=1", "--set", "batch_size=8") == 0
    weights = f"weights={run}/checkpoints/best.safetensors"
    assert train(CFG / "audetnet_disentangling.cfg", probes, *small, "--set", weights) == 0
    assert {"z1_f1", "z2_f1", "z1_2afc", "z2_2afc"} <= records(probes)[0]["validation"]["metrics"].keys()
    assert (probes / "pictures" / "epoch_0001.png").exists()
    trained, frozen = (load_file(path / "checkpoints" / "best.safetensors") for path in (run, probes))
    kept = [name for name in frozen if name.startswith(("Encoder.", "Decoder."))]
    assert len(kept) > 40
    assert all(torch.equal(frozen[name], trained[name]) for name in kept)


# --- what goes wrong: one clear error, and exit 1


def changed_labels(change):
    def apply(folder):
        rows = pickle.loads((folder / "aus_dict.pkl").read_bytes())  # our own
        change(rows, sorted(folder.joinpath("train_ids.csv").read_text().split())[0])
        (folder / "aus_dict.pkl").write_bytes(pickle.dumps(rows))

    return apply


class Harmful:
    """What a pickle can do to a reader that runs it."""

    def __reduce__(self):
        return Path.touch, (Path("harm"),)


def cut_short(folder):
    path = folder / "aus_dict.pkl"
    path.write_bytes(path.read_bytes()[:-200])


def without_picture(folder):
    first_picture(folder).unlink()


def empty_picture(folder):
    first_picture(folder).write_bytes(b"")


def broken_picture(folder):
    first_picture(folder).write_bytes(first_picture(folder).read_bytes()[:-100])


def first_picture(folder):
    name = folder.joinpath("train_ids.csv").read_text().split()[0]
    return next(folder.joinpath("imgs").glob(f"{name}.*"))


BAD = {
    "code": (changed_labels(lambda rows, name: rows.update(x=Harmful())), "nothing of it was run"),
    "cut": (cut_short, r"aus_dict\.pkl is cut short"),
    "lengths": (
        changed_labels(lambda rows, name: rows.update({name: np.zeros(5)})),
        "are 5 numbers, and most others 12",
    ),
    "nan": (changed_labels(lambda rows, name: rows[name].fill(np.nan)), "(?i)nan|not a number|no number"),
    "no picture": (without_picture, r"imgs has no picture for 1 of 16 ids"),
    "empty picture": (empty_picture, r"\.jpg cannot be read: it is empty"),
    "broken picture": (broken_picture, r"\.jpg cannot be read: it is cut short"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_stop_with_one_clear_error(tmp_path, folder, case, capsys, monkeypatch):
    spoil, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    bad = Path(shutil.copytree(folder, tmp_path / "bad"))
    spoil(bad)
    run = tmp_path / "run"
    assert train(readme_file(tmp_path), run, "--data", bad, "--epochs", 1) == 1
    shown = capsys.readouterr().err
    assert re.search(message, shown), shown
    assert "help: " in shown
    assert "Traceback" not in shown
    assert not Path("harm").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("epoch_size=9\nsampling_size=2", "does not divide"),
        ("epoch_size=12\nsampling_size=6", "only 2 training frames show AU"),
        ("", "epoch_size"),
    ],
)
def test_a_sampling_that_cannot_be_is_refused(tmp_path, folder, options, message, capsys):
    file = readme_file(
        tmp_path, ("balance_dataset_with_momu=False", f"balance_dataset_with_momu=True\n{options}")
    )
    run = tmp_path / "run"
    assert train(file, run, "--data", folder, "--epochs", 1) == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert "expanded" not in shown  # it stands in the file that the person wrote
    assert not run.exists()


def test_broken_pictures_can_be_skipped_and_are_counted(tmp_path, folder, capsys):
    bad = Path(shutil.copytree(folder, tmp_path / "bad"))
    empty_picture(bad)
    data = f"{{Data}}\n[audetnet_folder]\npath = {bad}\non_error = skip\n[resize]\nsize = 16\n[noise]\n{{Encoder}}"
    run = tmp_path / "run"
    assert train(readme_file(tmp_path, ("{Encoder}", data)), run, "--epochs", 1) == 0
    assert "left out, as they cannot be read: 1 picture" in capsys.readouterr().err
    assert records(run)[0]["step"] == 3  # fifteen frames in batches of four, the last one left out
