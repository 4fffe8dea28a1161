"""FG-Net's networks at full size against the original's values, by the rules in `golden_rules`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest
import torch
from golden_rules import assert_record, filled, golden, two_scale, uniform
from torch import Tensor, nn

import netcfg
from netcfg.builder.network import build_network
from netcfg.passes.read import shipped_folder

STYLES = re.compile(r"style\.\d+\.(weight|bias)")


@pytest.fixture(scope="module", autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


def scaled(key: str, shape: torch.Size, scale: float, shift: float = 0.0) -> Tensor:
    value = uniform(key, prod(shape)) * scale + shift
    return torch.from_numpy(value.astype(np.float32)).reshape(shape)


def of_generator(key: str, shape: torch.Size) -> Tensor:
    """The value of a parameter of the generator by its original name, up to prefixes."""
    root = 3**0.5
    if STYLES.search(key):
        return scaled(key, shape, 100 * root if key.endswith("weight") else 10)
    if key.endswith("modulation.bias"):
        return scaled(key, shape, 0.1, 1.0)
    if key.endswith(".bias") or key.endswith(".noise.weight"):
        return scaled(key, shape, 0.1)
    return scaled(key, shape, root)


def of_encoder(key: str, shape: torch.Size, has_mean: bool) -> Tensor | None:
    if key.endswith("linear.weight"):
        return scaled(key, shape, 3**0.5)
    return filled(key, shape, 1.0, has_mean)


def original_of_generator(key: str) -> str:
    """The original's name of a parameter of ours."""
    path, _, rest = key.partition(".conv.")
    if key == "constant":
        return "input.input"
    if rest == "noise":
        return f"noises.noise_{0 if path == 'conv1' else int(path.removeprefix('convs.')) + 1}"
    if rest == "noise_strength":
        return f"{path}.noise.weight"
    if rest == "bias":
        return f"{path}.bias" if path.startswith("to_rgb") else f"{path}.activate.bias"
    return key


def fill_generator(generator: nn.Module, prefix: str = "") -> None:
    for key, tensor in generator.state_dict().items():
        tensor.copy_(of_generator(prefix + original_of_generator(key), tensor.shape))


def fill_others(
    module: nn.Module, value: Callable[[str, torch.Size, bool], Tensor | None], prefix: str = ""
) -> None:
    state = module.state_dict()
    for key, tensor in state.items():
        if key != "latent_avg":
            has_mean = f"{key.rpartition('.')[0]}.running_mean" in state
            made = value(prefix + key, tensor.shape, has_mean)
            tensor.copy_(torch.zeros(()) if made is None else made)


def of_interpreter(key: str, shape: torch.Size, has_mean: bool) -> Tensor | None:
    return filled(key, shape, 2.0, has_mean)


@cache
def network(name: str) -> nn.Module:
    program = netcfg.load(shipped_folder() / "parts" / "fgnet_networks.cfg")
    return build_network(program.networks[name]).eval()


def watched(module: nn.Module, paths: dict[str, str]) -> dict[str, Tensor]:
    """What modules give, once the network has run."""
    taps: dict[str, Tensor] = {}
    for name, path in paths.items():

        def hook(_: nn.Module, _inputs: Any, output: Tensor, name: str = name) -> None:
            taps[name] = output.clone()

        module.get_submodule(path).register_forward_hook(hook)
    return taps


def test_the_generator_computes_what_the_original_does() -> None:
    """Images, and the feature map of every layer, at size 64."""
    text = (
        "{include blocks/stylegan2.cfg}\n{G}\n[net]\n[input]\nname = codes\ntokens = 10\nfeatures = 512\n"
        "[stylegan2]\nname = g\nsize = 64\n[output]\nname = mapped\nfrom = g.styles\n"
        "[output]\nname = image\nfrom = g.image\n"
    ) + "".join(f"[output]\nname = feature_{k}\nfrom = g.feature{k}\n" for k in range(10))
    expected = golden("fgnet_stylegan2_64")
    built = netcfg.build(netcfg.load(text)).eval()["G"]
    fill_generator(built["g"])
    codes = torch.from_numpy((1.7320508 * uniform("input.codes", 2 * 10 * 512)).astype(np.float32))
    found = built(codes.reshape(2, 10, 512))
    for name, record in expected["records"].items():
        assert_record(found[name], record)


ENCODER_TAPS = {
    "input_layer": "input_layer.2",
    "latlayer1": "latlayer1",
    "latlayer2": "latlayer2",
    "styles.0": "styles.0.linear",
    "styles.3": "styles.3.linear",
    "styles.7": "styles.7.linear",
}


@pytest.mark.slow
@pytest.mark.parametrize("styles", [8, 18])
def test_the_encoder_computes_what_the_original_does(styles: int) -> None:
    expected = golden(f"fgnet_psp_encoder_{styles}")
    text = (
        "{include blocks/psp.cfg}\n{E}\n[net]\nchannels = 3\nheight = 256\nwidth = 256\n"
        f"[psp_encoder]\nflat = True\nstyles = {styles}\n[output]\nname = output\n"
    ) + "".join(f"[output]\nname = body_{k}\nfrom = body.{k}\n" for k in (2, 6, 20, 23))
    encoder = netcfg.build(netcfg.load(text)).eval()["E"]
    fill_others(encoder, of_encoder)
    found = watched(encoder, ENCODER_TAPS)
    given = encoder(two_scale("input.psp", (1, 3, 256, 256)))
    found |= {name.replace("_", "."): value for name, value in given.items()}
    checked = [name for name in expected["records"] if name in found]
    assert len(checked) >= 10
    for name in checked:
        assert_record(found[name], expected["records"][name])


@pytest.mark.parametrize(
    ("file", "sizes"),
    [
        ("fgnet_interpreter_small_maps", (240, 248, 256)),
        pytest.param("fgnet_interpreter", (256, 512, 1024), marks=pytest.mark.slow),
    ],
)
def test_the_interpreter_computes_what_the_original_does(file: str, sizes: tuple[int, int, int]) -> None:
    """The last maps are given smaller ones than a generator has: they are made as small either way."""
    expected = golden(file)
    interpreter = network("Interpreter")
    fill_others(interpreter, of_interpreter)
    shapes = [(512, 4), (512, 8), (512, 16), (512, 32), (512, 64), (256, 128)]
    shapes += list(zip((128, 64, 32), sizes, strict=True))
    taps = [two_scale(f"input.tap{k}", (1, c, side, side)) for k, (c, side) in enumerate(shapes)]
    norms = {f"layer{k}": f"layer{k}.{4 if k < 5 else 3}" for k in range(8)} | {"layer8": "layer8.4"}
    found = watched(interpreter, norms)
    found["output"] = interpreter(*taps)
    for name, record in expected["records"].items():
        if name in found:
            assert_record(found[name], record)


@pytest.mark.slow
def test_the_whole_computes_what_the_original_does() -> None:
    """From a face to heat maps at size 1024, codes through the mapping network."""
    expected = golden("fgnet_pipeline_1024")
    records = expected["records"]
    encoder, generator, interpreter = map(network, ("Encoder", "Generator", "Interpreter"))
    fill_others(encoder, of_encoder, "pspencoder.")
    encoder.latent_avg.copy_(scaled("latent_avg", torch.Size((18, 512)), 1.0))
    fill_generator(generator, "g_all.")
    fill_others(interpreter, of_interpreter, "interpreter.")
    codes = encoder(two_scale("input.face", (1, 3, 256, 256)))
    assert_record(codes, records["codes"])
    made = generator(codes)
    assert_record(made["image"], records["image"])
    for k in range(9):
        assert_record(made[f"tap{k}"], records[f"tap_feature_{2 * k + 1}"])
    maps = interpreter(*[made[f"tap{k}"] for k in range(9)])
    assert_record(maps, records["heatmaps"])
    means = maps.clamp(-1, 1).mean((2, 3))[0]
    assert means.tolist() == pytest.approx(records["channel_means_after_clamp"], abs=1e-5)
