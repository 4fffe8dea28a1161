"""Emotion-FAN against the values of the published code, by the rules in `golden_rules`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from golden_rules import assert_record, fill, golden, img01, two_scale, uniform
from torch import Tensor, nn
from torch.nn import functional as F

import netcfg
from netcfg.builder.layout_kinds import Layout
from netcfg.builder.layouts import LAYOUTS, renamed
from netcfg.builder.network import Network
from netcfg.builder.recognition import parameters_of
from netcfg.passes.read import shipped_folder

AMPLITUDES = (1, 3, 0.5, 2, 4, 1.5, 0.25)
"""Contrasts of frames, so that their gates differ."""


def frames(name: str, count: int) -> Tensor:
    """Pictures by the rule of the golden files, count×3×112×112."""
    base = torch.from_numpy(uniform(f"{name}/base", count * 3)).view(count, 3, 1, 1)
    fine = two_scale(name, (count, 3, 112, 112)).double()
    return (torch.tensor(AMPLITUDES[:count]).view(-1, 1, 1, 1) * (2 * base + fine)).float()


def network(variant: str, preset: str | None = None, **variables: object) -> Network:
    """A built network, filled by the original's names."""
    program = netcfg.load(shipped_folder() / f"{variant}.cfg", preset=preset, image_size=112, **variables)
    graph = program.networks["FAN"]
    with torch.device("meta"):
        built = netcfg.build(program)["FAN"]
    built.to_empty(device="cpu")
    layout = LAYOUTS["emotion_fan_baseline" if "baseline" in variant else "emotion_fan"]
    state = built.state_dict()
    fill(state, lambda key: layout.theirs(key, graph).removeprefix("module."), 1.0)
    for key, value in state.items():
        if key.endswith("num_batches_tracked"):
            value.zero_()
    assert isinstance(built, Network)
    return built.eval()


def seen(net: Network, *args: Any, **named: Any) -> tuple[Tensor, dict[str, Any]]:
    """What a network gives, and what its blocks with attention were given and gave."""
    found: dict[str, Any] = {}

    def note(name: str) -> Any:
        def hook(_: nn.Module, given: Any, made: Any) -> None:
            found[name] = (given, made)

        return hook

    hooks = [net[name].register_forward_hook(note(name)) for name in ("alpha", "beta") if name in net]
    try:
        return net(*args, **named), found
    finally:
        for hook in hooks:
            hook.remove()


@pytest.mark.parametrize(("variant", "file"), [("emotion_fan", "self"), ("emotion_fan_relation", "relation")])
def test_triplets_are_judged_alike(variant: str, file: str) -> None:
    records = golden(f"emotion_fan_{file}_train")["records"]
    net = network(variant)
    clips = frames("input.train3", 6).view(2, 3, 3, 112, 112)
    with torch.inference_mode():
        scores, found = seen(net, clips)
    assert_record(found["alpha"][0][0], records["frame_features"])
    assert_record(found["alpha"][1]["gates"], records["alphas"])
    if "betas" in records:
        assert_record(found["beta"][1]["gates"], records["betas"])
    assert_record(scores, records["scores"])


@pytest.mark.parametrize(("variant", "file"), [("emotion_fan", "self"), ("emotion_fan_relation", "relation")])
def test_whole_clips_of_several_lengths_in_one_batch(variant: str, file: str) -> None:
    records = golden(f"emotion_fan_{file}_eval")["records"]
    pictures = frames(f"input.eval.{file}_eval", 7)
    clips = torch.stack([F.pad(pictures[:3], (0, 0, 0, 0, 0, 0, 0, 1)), pictures[3:]])
    lengths = {"T": torch.tensor([3, 4])}
    with torch.inference_mode():
        scores, found = seen(network(variant, preset="original"), clips, lengths=lengths)
        consistent = network(variant)(clips, lengths=lengths)
    assert_record(scores, records["scores"])
    assert_record(consistent, records.get("scores_consistent_with_train_path", records["scores"]))


def test_the_baseline_judges_frames_alike() -> None:
    records = golden("emotion_fan_baseline")["records"]
    with torch.inference_mode():
        assert_record(
            network("emotion_fan_baseline")(img01("input.baseline", (2, 3, 112, 112))), records["output"]
        )


@pytest.mark.parametrize(("variant", "file"), [("emotion_fan", "self"), ("emotion_fan_relation", "relation")])
def test_a_training_step_is_the_same(variant: str, file: str) -> None:
    """Each place in the clip has batch statistics of its own, and moves the running ones by itself."""
    wanted = golden(f"emotion_fan_{file}_train")["train_mode_dropout_zero"]
    net = network(variant).double().train()
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        elif hasattr(module, "dropout") and not isinstance(module, nn.Dropout):
            module.dropout = 0.0
    clips = frames("input.train3", 6).view(2, 3, 3, 112, 112).double()
    scores = net(clips)
    assert_record(scores, wanted["scores"], 1e-6)
    loss = F.cross_entropy(scores, torch.tensor(wanted["targets"]))
    assert abs(loss.item() - wanted["loss"]) < 1e-6
    loss.backward()
    weights = dict(net.named_parameters())
    for key, norm in wanted["grad_norms"].items():
        ours = LAYOUTS["emotion_fan"].ours(
            key, netcfg.load(shipped_folder() / f"{variant}.cfg").networks["FAN"]
        )
        if norm is None or ours is None:
            assert ours is None
            continue
        gradient = weights[ours].grad
        assert gradient is not None
        assert gradient.norm().item() == pytest.approx(norm, rel=1e-3)
    first = net["backbone"]["bn1"]
    running = wanted["running"]
    assert first.running_mean[:4].tolist() == pytest.approx(running["bn1_mean"], abs=1e-6)
    assert first.running_var[:4].tolist() == pytest.approx(running["bn1_var"], abs=1e-6)
    assert first.num_batches_tracked == running["bn1_num_batches"]


@pytest.mark.parametrize("variant", ["emotion_fan", "emotion_fan_relation", "emotion_fan_baseline"])
def test_checkpoints_come_and_go_name_for_name(variant: str) -> None:
    is_baseline = "baseline" in variant
    rows = golden("emotion_fan_baseline_resnet18" if is_baseline else "emotion_fan_resnet18_at")["keys"]
    layout = LAYOUTS["emotion_fan_baseline" if is_baseline else "emotion_fan"]
    assert isinstance(layout, Layout)
    graph = netcfg.load(shipped_folder() / f"{variant}.cfg").networks["FAN"]
    original = {f"module.{key}": torch.empty(shape, device="meta") for key, shape, *_ in rows}
    ours = renamed(layout, original, graph)
    assert {key: value.shape for key, value in ours.items()} == {
        key: value.shape for key, value in parameters_of(graph).items()
    }
    written = {layout.theirs(key, graph): value for key, value in ours.items()}
    written |= layout.further(written)
    assert {key: value.shape for key, value in written.items()} == {
        key: value.shape for key, value in original.items()
    }
