"""Checkpoints of StyleGAN2, pSp and FG-Net: every name and shape of the originals, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from golden_rules import golden
from torch import Tensor

import netcfg
from netcfg.builder.convert import read_checkpoint
from netcfg.builder.layouts import LAYOUTS
from netcfg.builder.recognition import parameters_of
from netcfg.builder.weights import load_pretrained
from netcfg.cli.main import main
from netcfg.passes.read import shipped_folder
from netcfg.program import Program

NETWORKS = shipped_folder() / "parts" / "fgnet_networks.cfg"
SMALL: dict[str, Any] = {
    "image_size": 32,
    "size": 8,
    "style": 6,
    "map_size": 8,
    "maps": 3,
    "encoder_width": 16,
    "widest": 8,
}
BLUR = torch.tensor([1.0, 3.0, 3.0, 1.0])
PLANE = torch.outer(BLUR, BLUR) / 16


def rows(name: str) -> dict[str, tuple[int, ...]]:
    return {key: tuple(shape) for key, shape, *_ in golden(name)["keys"]}


@pytest.mark.parametrize(
    ("layout", "network", "keys", "prefix"),
    [
        ("stylegan2", "Generator", "fgnet_keys_stylegan2_1024", "g_ema."),
        ("psp", "Encoder", "fgnet_keys_psp_encoder_18", "state_dict.encoder."),
        ("psp", "Generator", "fgnet_keys_stylegan2_1024", "state_dict.decoder."),
        ("fgnet", "Generator", "fgnet_keys_stylegan2_1024", "g_all."),
        ("fgnet", "Encoder", "fgnet_keys_psp_encoder_18", "pspencoder."),
        ("fgnet", "Interpreter", "fgnet_keys_interpreter", "interpreter."),
    ],
)
def test_every_name_and_shape_of_the_original_is_ours_and_theirs_again(
    layout: str, network: str, keys: str, prefix: str
) -> None:
    graph = netcfg.load(NETWORKS).networks[network]
    known = LAYOUTS[layout]
    original = {prefix + key: torch.empty(shape, device="meta") for key, shape in rows(keys).items()}
    ours: dict[str, Tensor] = {}
    written: dict[str, Tensor] = {}
    for key, value in original.items():
        name = known.ours(key, graph)
        if name is not None:
            ours[name] = known.taken(key, value)
            assert known.theirs(name, graph) == key
            written[key] = known.given(key, ours[name])
    wanted = {key: value.shape for key, value in parameters_of(graph).items() if key != "latent_avg"}
    assert {key: value.shape for key, value in ours.items()} == wanted
    written |= known.further(written)
    assert {key: value.shape for key, value in written.items()} == {
        key: value.shape for key, value in original.items()
    }


# --- small files with the originals' keys


def original_of_generator(size: int = 8, style: int = 6, widest: int = 8) -> dict[str, Tensor]:
    """A state dict of rosinality's generator, key by key."""
    torch.manual_seed(0)
    state: dict[str, Tensor] = {}
    for number in range(1, 9):
        state[f"style.{number}.weight"] = torch.randn(style, style)
        state[f"style.{number}.bias"] = torch.randn(style)
    state["input.input"] = torch.randn(1, widest, 4, 4)

    def convolution(path: str, filters: int, kernel: int) -> None:
        state[f"{path}.conv.weight"] = torch.randn(1, filters, widest, kernel, kernel)
        state[f"{path}.conv.modulation.weight"] = torch.randn(widest, style)
        state[f"{path}.conv.modulation.bias"] = torch.randn(widest)

    def styled(path: str, upsamples: bool) -> None:
        convolution(path, widest, 3)
        if upsamples:
            state[f"{path}.conv.blur.kernel"] = PLANE.clone()
        state[f"{path}.noise.weight"] = torch.randn(1)
        state[f"{path}.activate.bias"] = torch.randn(widest)

    def to_rgb(path: str) -> None:
        state[f"{path}.bias"] = torch.randn(1, 3, 1, 1)
        convolution(path, 3, 1)

    styled("conv1", False)
    to_rgb("to_rgb1")
    sides = [2**power for power in range(3, size.bit_length())]
    for number, _ in enumerate(sides):
        styled(f"convs.{2 * number}", True)
        styled(f"convs.{2 * number + 1}", False)
        to_rgb(f"to_rgbs.{number}")
        state[f"to_rgbs.{number}.upsample.kernel"] = PLANE.clone()
    for number, side in enumerate([4, *(side for side in sides for _ in range(2))]):
        state[f"noises.noise_{number}"] = torch.randn(1, 1, side, side)
    return state


def random_state(program: Program, network: str) -> dict[str, Tensor]:
    """Tensors as a network has them, whose names there are the original's."""
    torch.manual_seed(1)
    return {
        key: torch.randn(value.shape) if value.is_floating_point() else torch.tensor(3)
        for key, value in parameters_of(program.networks[network]).items()
        if key != "latent_avg"
    }


@pytest.fixture
def small() -> Program:
    return netcfg.load(NETWORKS, **SMALL)


@pytest.fixture
def files(small: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of all three originals, and the program they belong to."""
    monkeypatch.chdir(tmp_path)
    text = NETWORKS.read_text()
    for key, value in SMALL.items():
        text = "\n".join(
            f"{key} = {value}" if line.startswith(f"{key} ") and "$" not in line else line
            for line in text.split("\n")
        )
    Path("small.cfg").write_text(text)
    encoder = random_state(small, "Encoder")
    generator = original_of_generator()
    # What trainings keep beside it, and no network needs.
    torch.save({"g_ema": generator, "g": {}, "g_optim": {"state": {}, "step": 3}}, "ffhq.pt")
    published = {f"encoder.{key}": value for key, value in encoder.items()}
    published |= {f"decoder.{key}": value for key, value in generator.items()}
    psp = {
        "state_dict": published,
        "latent_avg": torch.randn(4, 6),
        "opts": {"output_size": 8, "input_nc": 3},
    }
    torch.save(psp, "psp.pt")
    torch.save(
        {"interpreter": random_state(small, "Interpreter"), "g_all": generator, "pspencoder": encoder},
        "model.pth",
    )
    return tmp_path


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) if isinstance(one, Tensor) else bool(one == other)


def convert(*arguments: str, cfg: str = "small.cfg") -> int:
    return main(["convert", *arguments, "--cfg", cfg])


@pytest.mark.parametrize(
    ("file", "layout", "network"), [("ffhq.pt", "stylegan2", "Generator"), ("psp.pt", "psp", "Encoder")]
)
def test_a_file_of_one_network_goes_there_and_back(files: Path, file: str, layout: str, network: str) -> None:
    assert convert(file, "-o", "o.safetensors", "--layout", layout, "--network", network) == 0
    assert convert("o.safetensors", "-o", "back.pt", "--to", layout, "--network", network) == 0
    original, back = torch.load(file, weights_only=True), torch.load("back.pt", weights_only=True)
    for key in [key for key in original.get("state_dict", {}) if key.startswith("decoder.")]:
        del original["state_dict"][key]
    assert all(same(original[key], back[key]) for key in back)
    assert convert("o.safetensors", "-o", "flat.safetensors", "--to", layout, "--network", network) == 0
    assert convert("flat.safetensors", "-o", "p.safetensors", "--layout", layout, "--network", network) == 0
    assert Path("p.safetensors").read_bytes() == Path("o.safetensors").read_bytes()


def test_psp_holds_a_generator_too(files: Path) -> None:
    """The decoder that its codes are for, which pSp's training may have changed; its own options go along."""
    arguments = ("--layout", "psp", "--network", "Generator")
    assert convert("psp.pt", "-o", "o.safetensors", *arguments) == 0
    assert convert("ffhq.pt", "-o", "p.safetensors", "--layout", "stylegan2", "--network", "Generator") == 0
    assert Path("o.safetensors").read_bytes() == Path("p.safetensors").read_bytes()
    assert convert("o.safetensors", "-o", "back.pt", "--to", "psp", "--network", "Generator") == 0
    original, back = torch.load("psp.pt", weights_only=True), torch.load("back.pt", weights_only=True)
    decoder = {key: value for key, value in original["state_dict"].items() if key.startswith("decoder.")}
    assert same(back, {"state_dict": decoder, "opts": {"output_size": 8}})


def test_the_whole_goes_there_and_back(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("model.pth", "psp.pt", "-o", "o.safetensors", "--layout", "fgnet", "--verbose") == 0
    assert "Encoder.latent_avg: 4×6 float32, psp.pt: latent_avg" in capsys.readouterr().out
    assert convert("o.safetensors", "-o", "back.pth", "--to", "fgnet") == 0
    assert "not part of the layout, and not written: Encoder.latent_avg" in capsys.readouterr().out
    assert same(torch.load("model.pth", weights_only=True), torch.load("back.pth", weights_only=True))


def test_the_mean_of_codes_is_asked_for_by_the_name_of_its_file(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert("model.pth", "-o", "o.safetensors", "--layout", "fgnet") == 1
    told = capsys.readouterr().err
    assert "latent_avg: not in the file" in told
    assert "`latent_avg` is in a file of the layout `psp`: give that beside this one" in told


def test_the_file_takes_the_originals_as_they_are(files: Path) -> None:
    program = netcfg.load(Path("small.cfg"), encoder_weights="psp.pt", generator_weights="ffhq.pt")
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    psp, ffhq = torch.load("psp.pt", weights_only=True), torch.load("ffhq.pt", weights_only=True)
    assert torch.equal(networks["Encoder"].latent_avg, psp["latent_avg"])
    weight = networks["Encoder"]["latlayer1"].weight
    assert torch.equal(weight, psp["state_dict"]["encoder.latlayer1.weight"])
    assert torch.equal(networks["Generator"]["convs"]["1"]["conv"].noise, ffhq["g_ema"]["noises.noise_2"])
    again = netcfg.load(Path("small.cfg"), weights="model.pth", encoder_weights="psp.pt")
    networks = netcfg.build(again)
    load_pretrained(again, networks)
    model = torch.load("model.pth", weights_only=True)
    assert torch.equal(networks["Interpreter"]["layer8"]["4"].weight, model["interpreter"]["layer8.4.weight"])
    assert torch.equal(networks["Encoder"].latent_avg, psp["latent_avg"])


def test_a_run_is_taken_by_its_own_names(files: Path) -> None:
    assert convert("model.pth", "psp.pt", "-o", "run.safetensors", "--layout", "fgnet") == 0
    program = netcfg.load(Path("small.cfg"), weights="run.safetensors")
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    model = torch.load("model.pth", weights_only=True)
    assert torch.equal(networks["Generator"].constant, model["g_all"]["input.input"][0])


def test_the_generator_alone_may_be_a_file(files: Path, small: Program) -> None:
    torch.save(original_of_generator(), "bare.pt")
    graphs = {"Generator": small.networks["Generator"]}
    state = read_checkpoint(small, [Path("bare.pt")], LAYOUTS["stylegan2"], list(graphs)).state()
    assert torch.equal(state["Generator.constant"], original_of_generator()["input.input"][0])


# --- files that are others


def test_a_file_of_another_layout_is_told_apart(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("psp.pt", "-o", "o.safetensors", "--layout", "stylegan2", "--network", "Generator") == 1
    told = capsys.readouterr().err
    assert "psp.pt is no file of the layout `stylegan2`: it has no `g_ema`, but `state_dict`" in told
    assert "it is one of the layout `psp`" in told
    program = netcfg.load(Path("small.cfg"), generator_weights="model.pth")
    with pytest.raises(netcfg.NetcfgError, match="it is one of the layout `fgnet`"):
        load_pretrained(program, netcfg.build(program))


def test_a_file_without_a_layout_is_called_by_its(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert("ffhq.pt", "-o", "o.safetensors", "--network", "Generator") == 1
    told = capsys.readouterr().err
    assert "ffhq.pt holds no state dict (tensors by name)" in told
    assert "help: it is one of the layout `stylegan2`" in told


def test_a_file_of_another_size_is_told_apart(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"g_ema": original_of_generator(16)}, "larger.pt")
    assert convert("larger.pt", "-o", "o.safetensors", "--layout", "stylegan2", "--network", "Generator") == 1
    size = "the file has a generator of 16×16 by codes of 6 numbers, the network is a generator of 8×8"
    assert size in capsys.readouterr().err
    torch.save({"g_ema": original_of_generator(8, 5)}, "other.pt")
    program = netcfg.load(Path("small.cfg"), generator_weights="other.pt")
    with pytest.raises(netcfg.NetcfgError, match="the file has a generator of 8×8 by codes of 5 numbers"):
        load_pretrained(program, netcfg.build(program))


def test_another_filter_is_refused(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = original_of_generator()
    state["convs.0.conv.blur.kernel"] = torch.ones(4, 4) / 4
    torch.save({"g_ema": state}, "box.pt")
    assert convert("box.pt", "-o", "o.safetensors", "--layout", "stylegan2", "--network", "Generator") == 1
    assert "another filter than 1, 3, 3, 1 (`g_ema.convs.0" in capsys.readouterr().err


def test_a_layout_of_three_networks_wants_their_names(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("own.cfg").write_text("{Mine}\n[net]\nchannels = 3\n[convolutional]\nfilters = 2\nkernel_size = 1\n")
    assert convert("model.pth", "-o", "o.safetensors", "--layout", "fgnet", cfg="own.cfg") == 1
    assert "none called `Mine`" in capsys.readouterr().err


def test_one_tensor_starts_from_a_file(tmp_path: Path) -> None:
    torch.save({"mean": torch.arange(3.0)}, tmp_path / "w.pt")
    head = "{N}\n[net]\n[input]\nname = x\nfeatures = 3\n[constant]\nname = mean\nshape = "
    tail = f"\nweights = {tmp_path / 'w.pt'}\n[combine_add]\ncombine_layers = x, mean\n"
    program = netcfg.load(head + "3" + tail)
    networks = netcfg.build(program)
    load_pretrained(program, networks)
    assert networks["N"](torch.zeros(1, 3)).tolist() == [[0.0, 1.0, 2.0]]
    wrong = netcfg.load(head.replace("features = 3", "features = 4") + "4" + tail)
    with pytest.raises(netcfg.NetcfgError, match="mean: 3 in the file, 4 in the network"):
        load_pretrained(wrong, netcfg.build(wrong))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ffhq.pt", "--layout", "stylegan2"), "one of single networks, and the program has `Encoder`, `Gen"),
        (("empty.pth", "--layout", "fgnet"), "empty.pth holds no tensors where this layout has them"),
        (("ffhq.pt", "ffhq.pt", "--layout", "stylegan2"), "this layout has 1 file at most, and there are 2"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    files: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    torch.save({"interpreter": {}, "g_all": {}, "pspencoder": {}}, "empty.pth")
    assert convert(*arguments, "-o", "o.safetensors") == 1
    assert message in capsys.readouterr().err


def test_what_differs_is_a_list_of_rows(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = {key: value for key, value in original_of_generator().items() if "to_rgb1" not in key}
    torch.save({"g_ema": state}, "less.pt")
    assert convert("less.pt", "-o", "o.safetensors", "--layout", "stylegan2", "--network", "Generator") == 1
    assert "4 parameters differ\n  to_rgb1.conv.weight: not in the file\n" in capsys.readouterr().err
