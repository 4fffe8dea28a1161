"""AUDetNet's own file, trained: losses and parameters after adversarial steps are those of the original."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from golden_rules import assert_record, fill, golden, two_scale, uniform

import netcfg
from netcfg.passes.plan import plan
from netcfg.trainers.step.phases import Phases, set_training

CFG = Path(__file__).parents[1] / "cfg"
GOLDEN = golden("audetnet_training_steps")
TEXT = "\n".join(GOLDEN["cfg"])


def original_name(key: str) -> str:
    """`Encoder.0.batch_norm.weight` is the original's `Encoder.layers.0.1.weight`."""
    network, index, rest = key.split(".", 2)
    if rest.startswith("batch_norm."):
        return f"{network}.layers.{index}.1.{rest.removeprefix('batch_norm.')}"
    return f"{network}.layers.{index}.0.{rest}"


def batch(index: int) -> dict[str, torch.Tensor]:
    image = two_scale(f"input.image.{index}", (4, 3, 16, 16))
    noise = two_scale(f"input.noise.{index}", (4, 3, 16, 16))
    labels = torch.from_numpy(uniform(f"input.au.{index}", 48).reshape(4, 12) > 0.3)
    return {
        "image": image.double(),
        "noisy_image": image.double() + 0.05 * noise.double(),
        "labels": labels.double(),
    }


def mixes(k: int) -> torch.Tensor:
    return torch.from_numpy(((uniform(f"alpha.{k}", 4) + 1) / 2).astype("float32")).double()


def prescribed(penalty, mix):
    """A gradient penalty at given points between real and fake."""
    return lambda critic, real, fake: penalty(critic, real, fake, mix())


@pytest.fixture(scope="module")
def run():
    """Four steps: what each reported, and what was left."""
    program = netcfg.load(TEXT)
    networks = netcfg.build(program)
    fill(networks.state_dict(), original_name, GOLDEN["gain"])
    networks.double()
    phases = Phases(program, networks, torch.device("cpu"))
    now = {"batch": 0}
    for offset, name in enumerate(("image_penalty", "pair_penalty")):
        penalty = phases.losses.modules[name]
        phases.losses.modules[name] = prescribed(
            penalty, lambda offset=offset: mixes(2 * now["batch"] + offset)
        )
    set_training(program, networks, True)
    reports = []
    for now["batch"] in range(4):
        fields = batch(now["batch"])
        reports.append({name: value.item() for name, value in phases.step(fields, now["batch"]).items()})
    return SimpleNamespace(program=program, networks=networks, phases=phases, reports=reports)


NAMES = {
    "real_image": "image_real",
    "gen_image": "image_critic.image_fake",
    "img_gp": "image_penalty",
    "img_discriminator_loss": "image_critic.loss",
    "real_pairs": "pair_critic.pairs_true",
    "shuffled_pairs": "pairs_shuffled",
    "disc_gp": "pair_penalty",
    "discriminator_loss": "pair_critic.loss",
    "gen_image_after": "main.image_fake",
    "real_pairs_after": "main.pairs_true",
    "au": "detection",
    "reconstruction": "reconstruction_error",
    "main_loss": "main.loss",
}


@pytest.mark.parametrize("step", range(4))
def test_losses_are_those_of_the_original(run, step):
    expected = {NAMES[key]: value for key, value in GOLDEN["steps"][step].items() if key != "batch_index"}
    assert run.reports[step] == pytest.approx(expected, rel=1e-6)


def test_parameters_after_four_steps(run):
    state = {original_name(key): value for key, value in run.networks.state_dict().items()}
    expected = GOLDEN["state_after_4_steps"]
    assert set(state) == set(expected)
    for key, record in expected.items():
        if not isinstance(record, dict):
            assert state[key].item() == record
            continue
        flat = state[key].reshape(-1)
        assert flat[:3].tolist() == pytest.approx(record["first"], rel=1e-6, abs=1e-9), key
        assert flat.mean().item() == pytest.approx(record["mean"], rel=1e-6, abs=1e-9), key
        assert flat.std(correction=0).item() == pytest.approx(record["std"], rel=1e-6, abs=1e-9), key


def test_outputs_after_four_steps(run):
    expected = GOLDEN["after_4_steps_eval_batch9"]
    set_training(run.program, run.networks, False)
    with torch.inference_mode():
        clean = {**batch(9), "noisy_image": batch(9)["image"]}
        signals = run.phases.model.signals(clean, ("code", "reconstruction", "action_units", "z1", "z2"))
    assert_record(signals["code"], expected["encoding"])
    assert_record(signals["reconstruction"], expected["reconstruction"])
    assert_record(signals["action_units"].flatten(1), expected["au"])
    metrics = run.program.metrics
    assert metrics["xcov"].compute(signals["z1"], signals["z2"], ())["xcov"] == pytest.approx(
        expected["xcov"], rel=1e-5
    )
    assert metrics["z2_variance"].compute(signals["z2"], None, ())["z2_variance"] == pytest.approx(
        expected["z2_variance"], rel=1e-5
    )


def plan_of(name: str, **settings: object):
    from netcfg.plan_text import plan_data

    return without_places(plan_data(plan(netcfg.load(CFG / name, **settings))))


def without_places(data):
    """A plan without what tells two files apart: their names and lines."""
    if isinstance(data, list):
        return [without_places(item) for item in data]
    if isinstance(data, dict):
        return {key: without_places(value) for key, value in data.items() if key not in ("line", "file")}
    return data


@pytest.mark.parametrize("preset", [None, "demo"])
def test_the_file_in_general_words_has_the_same_plan(preset):
    own = plan_of("audetnet.cfg", preset=preset)
    general = plan_of("audetnet_general.cfg", preset=preset)
    assert own.pop("name") != general.pop("name")
    assert own == general


def test_the_original_preset_is_the_same_program():
    """Equal losses, weights after two steps, and metrics, from equal starts."""
    results = []
    for program in (
        netcfg.load(CFG / "audetnet.cfg", width=4),
        netcfg.load(CFG / "audetnet_general.cfg", preset="original", width=4),
    ):
        torch.manual_seed(0)
        networks = netcfg.build(program)
        fill(networks.state_dict(), str, 1.0)
        phases = Phases(program, networks, torch.device("cpu"))
        fields = {"image": torch.rand(4, 3, 64, 64), "labels": (torch.rand(4, 12) > 0.5).float()}
        fields["noisy_image"] = fields["image"] + 0.01
        for index in (3, 4):
            reported = phases.step(fields, index)
        metrics = {name: metric.options() for name, metric in program.metrics.items()}
        results.append((reported, dict(sorted(networks.state_dict().items())), metrics))
    torch.testing.assert_close(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-5)
    assert results[0][2] == results[1][2]


def test_what_an_expanded_file_says_is_what_it_was(tmp_path):
    program = netcfg.load(TEXT)
    again = netcfg.load(program.resolved)
    assert "norm_over = channel" in program.resolved
    assert "decision = logit" in program.resolved
    assert "eps = 1e-4" in program.resolved
    assert again.losses == program.losses
    assert [phase.weights for phase in again.phases] == [phase.weights for phase in program.phases]
    assert again.resolved == program.resolved


def without(*, groups: tuple[str, ...] = (), **changes: str) -> str:
    """The golden file without some groups, and with other values."""
    lines, kept = [], True
    for line in GOLDEN["cfg"]:
        if line.startswith("{"):
            kept = line.strip("{}") not in groups
        key = line.partition("=")[0]
        if kept:
            lines.append(f"{key}={changes[key]}" if key in changes else line)
    return "\n".join(lines)


def test_the_image_critic_is_optional():
    program = netcfg.load(without(groups=("Image Discriminator",)))
    assert [phase.name for phase in program.phases] == ["pair_critic", "main"]
    assert set(program.phases[-1].weights) == {"detection", "reconstruction_error", "pairs_true"}
    assert ["img" in finding.message for finding in program.findings] == [True, True]


def test_a_predictor_of_the_whole_code_leaves_no_pairs_to_judge():
    text = without().replace("channels=10\n", "channels=24\n")
    program = netcfg.load(text)
    assert [phase.name for phase in program.phases] == ["image_critic", "main"]
    assert not any("Discriminator" == name for name in program.signals)
    assert sorted(finding.code for finding in program.findings) == ["NC115", "NC115", "NC211"]


def test_a_loss_of_weight_nought_is_not_computed():
    program = netcfg.load(without(img_discriminator_loss_lambda="0"))
    assert "image_fake" not in program.phases[-1].weights


def test_intensities_are_judged_as_probabilities():
    program = netcfg.load(without(regress_au_intensities="True", au_regression_loss_function="MSE"))
    assert program.losses["detection"].type_name == "mse"
    assert program.metrics["f1"].decision == "probability"
    assert program.data.source.labels_are_intensities


def test_a_folder_takes_the_place_of_drawn_faces(tmp_path):
    (tmp_path / "imgs").mkdir()
    program, findings = netcfg.check(TEXT, data=str(tmp_path))
    assert not findings
    assert program.data.source.type_name == "audetnet_folder"
    assert program.data.source.path == str(tmp_path)
    assert program.data.source.units == (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
