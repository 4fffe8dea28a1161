"""`netcfg convert`: published checkpoints to safetensors and back, exactly, or one clear refusal."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from golden_rules import assert_record, filled, golden, two_scale
from safetensors.torch import load_file
from torch import Tensor

import netcfg
from netcfg.builder.convert import read_checkpoint
from netcfg.builder.layout_kinds import BlockLayout
from netcfg.builder.layouts import LAYOUTS
from netcfg.builder.weights import load_pretrained
from netcfg.cli.main import main

ENCODER = (
    "{Encoder}\n[net]\nchannels = 3\nheight = 4\nwidth = 4\n"
    "[convolutional]\nfilters = 2\nkernel_size = 3\npad = 1\nbatch_normalise = 1\nactivation = relu\n"
    "[maxpool]\npool_size = 2\nstride = 2\n"
    "[connected]\nname = head\noutput_features = 5\n"
)
CRITIC = (
    "{Image Discriminator}\n[net]\nchannels = 3\nheight = 4\nwidth = 4\n"
    "[batch_norm]\nnum_features = 3\n[connected]\noutput_features = 1\nuse_bias = False\n"
)
NORM = {"weight": (2,), "bias": (2,), "running_mean": (2,), "running_var": (2,), "num_batches_tracked": ()}
ENCODER_LAYERS = [
    {"0.weight": (2, 3, 3, 3), **{f"1.{key}": shape for key, shape in NORM.items()}},
    {},
    {"0.weight": (5, 2), "0.bias": (5,)},
]
CRITIC_LAYERS = [dict.fromkeys(NORM, (3,)) | {"num_batches_tracked": ()}, {"0.weight": (1, 3)}]
Layers = list[dict[str, Tensor]]


class Result(NamedTuple):
    code: int
    out: str
    err: str


Convert = Callable[..., Result]


def random_layers(shapes: list[dict[str, tuple[int, ...]]]) -> Layers:
    """State dicts as the original saves them."""
    return [
        {
            key: torch.tensor(7) if key.endswith("tracked") else torch.randn(shape)
            for key, shape in layer.items()
        }
        for layer in shapes
    ]


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Convert:
    """Run the command where `two.cfg` and the folder `original` with epochs 2 and 10 lie."""
    monkeypatch.chdir(tmp_path)
    Path("two.cfg").write_text(ENCODER + CRITIC)
    Path("original").mkdir()
    for epoch in (2, 10):
        torch.save(random_layers(ENCODER_LAYERS), f"original/Encoder_epoch_{epoch}.pth")
        torch.save(random_layers(CRITIC_LAYERS), f"original/Image Discriminator_epoch_{epoch}.pth")
        torch.save({"state": {}}, f"original/optim_main_epoch_{epoch}.pth")

    def command(*arguments: str, cfg: str = "two.cfg", layout: str = "audetnet") -> Result:
        code = main(["convert", *arguments, "--cfg", cfg, "--layout", layout])
        result = Result(code, *capsys.readouterr())
        assert "Traceback" not in result.err
        assert code == (1 if result.err else 0)
        return result

    return command


def layers_of(path: str) -> Layers:
    loaded: Layers = torch.load(path, weights_only=True)
    return loaded


def same_layers(one: Layers, other: Layers) -> bool:
    return len(one) == len(other) and all(
        list(a) == list(b) and all(torch.equal(a[key], b[key]) and a[key].dtype == b[key].dtype for key in a)
        for a, b in zip(one, other, strict=True)
    )


# --- there


def test_each_parameter_goes_where_it_belongs(convert: Convert) -> None:
    assert convert("original", "-o", "out.safetensors").out == (
        "out.safetensors: 14 tensors of 2 networks taken, 0 left over, 0 missing; "
        "not taken over: optim_main_epoch_10.pth\n"
    )
    out, encoder = load_file("out.safetensors"), layers_of("original/Encoder_epoch_10.pth")
    critic = layers_of("original/Image Discriminator_epoch_10.pth")
    assert torch.equal(out["Encoder.0.weight"], encoder[0]["0.weight"])
    assert torch.equal(out["Encoder.0.batch_norm.running_var"], encoder[0]["1.running_var"])
    assert torch.equal(out["Encoder.head.bias"], encoder[2]["0.bias"])
    assert torch.equal(out["Image Discriminator.0.weight"], critic[0]["weight"])


@pytest.mark.parametrize(
    "unit", [unit for unit in golden("audetnet_blocks")["units"] if "multiply_ov" not in unit]
)
def test_a_converted_checkpoint_computes_what_the_original_does(unit: str, tmp_path: Path) -> None:
    rules = golden("audetnet_blocks")
    expected = rules["units"][unit]
    layers: Layers = [{} for _ in range(9)]
    for key, shape in expected["keys"]:
        _, position, rest = key.split(".", 2)
        value = filled(
            key, shape, rules["gain"], [key.rpartition(".")[0] + ".running_mean", shape] in expected["keys"]
        )
        layers[int(position)][rest] = torch.tensor(0) if value is None else value
    torch.save(layers, tmp_path / "N_epoch_1.pth")
    head = ["{N}", "[net]", "channels = 6", f"weights = {tmp_path / 'N_epoch_1.pth'}", "layout = audetnet"]
    # Words that the original takes for no activation; only files of its own format may hold them.
    ignored = {"conv_unknown_activation": "not_implemented", "connected_tanh_is_ignored": "tanh"}
    cfg = [line.replace(ignored.get(unit, "tanh!"), "None") for line in expected["cfg"]]
    program = netcfg.load("\n".join([*head, *cfg]))
    networks = netcfg.build(program).eval()
    load_pretrained(program, networks)
    with torch.no_grad():
        assert_record(networks["N"](two_scale("input.block", (2, 6, 8, 8))), expected["record"])


def test_resnet50_is_called_as_published() -> None:
    rows = golden("audetnet_resnet50_block_end8")["keys"]
    graph = netcfg.load(
        "{N}\n[net]\nchannels = 3\n[resnet50]\nname = stem\nend_at_layer = 8\nn_out_filters = 2048\n"
    ).networks["N"]
    keys = [key for key, *_ in rows]
    ours = [str(LAYOUTS["audetnet"].ours(key, graph)) for key in keys]
    assert ours[0] == "stem.0.weight"
    assert [LAYOUTS["audetnet"].theirs(key, graph) for key in ours] == keys


def test_an_epoch_may_be_asked_for(convert: Convert) -> None:
    convert("original", "-o", "out.safetensors", "--epoch", "2")
    wanted = layers_of("original/Encoder_epoch_2.pth")[2]["0.weight"]
    assert torch.equal(load_file("out.safetensors")["Encoder.head.weight"], wanted)


def test_one_file_is_the_network_of_its_name(convert: Convert) -> None:
    result = convert("original/Encoder_epoch_2.pth", "-o", "out.safetensors")
    assert "8 tensors of 1 network taken" in result.out
    assert {key.partition(".")[0] for key in load_file("out.safetensors")} == {"Encoder"}


def test_a_file_of_any_name_is_the_network_asked_for(convert: Convert) -> None:
    shutil.copy("original/Encoder_epoch_2.pth", "e.pth")
    assert "say it with `--network NAME`" in convert("e.pth", "-o", "out.safetensors").err
    assert convert("e.pth", "-o", "out.safetensors", "--network", "Encoder").code == 0


def test_verbose_has_a_line_for_every_parameter(convert: Convert) -> None:
    out = convert("original", "-o", "out.safetensors", "--verbose").out.splitlines()
    assert len(out) == 14 + 1
    assert out[0] == "Encoder.0.weight: 2×3×3×3 float32, original/Encoder_epoch_10.pth: layers.0.0.weight"


def test_an_old_file_without_counters_starts_them_at_0(convert: Convert) -> None:
    layers = layers_of("original/Encoder_epoch_10.pth")
    del layers[0]["1.num_batches_tracked"]
    torch.save(layers, "original/Encoder_epoch_10.pth")
    assert convert("original", "-o", "out.safetensors").code == 0
    assert load_file("out.safetensors")["Encoder.0.batch_norm.num_batches_tracked"] == 0


def test_tensors_of_one_storage_are_written_apart(convert: Convert) -> None:
    layers = layers_of("original/Encoder_epoch_10.pth")
    layers[0]["1.bias"] = layers[0]["1.weight"]
    torch.save(layers, "original/Encoder_epoch_10.pth")
    assert convert("original", "-o", "out.safetensors").code == 0
    out = load_file("out.safetensors")
    assert torch.equal(out["Encoder.0.batch_norm.bias"], out["Encoder.0.batch_norm.weight"])


# --- and back


def test_there_and_back_is_exact(convert: Convert) -> None:
    convert("original", "-o", "out.safetensors")
    assert (
        convert("out.safetensors", "-o", "back", "--to", "audetnet", "--epoch", "10", layout="netcfg").code
        == 0
    )
    for name in ("Encoder", "Image Discriminator"):
        file = f"{name}_epoch_10.pth"
        assert same_layers(layers_of(f"original/{file}"), layers_of(f"back/{file}"))


def test_a_layout_of_single_networks_goes_there_and_back(convert: Convert) -> None:
    state = netcfg.build(netcfg.load(ENCODER))["Encoder"].state_dict()
    torch.save({f"model.{key}": value for key, value in state.items()}, "aunet.pth")
    Path("one.cfg").write_text(ENCODER)
    convert("aunet.pth", "-o", "out.safetensors", cfg="one.cfg", layout="aunets")
    convert("out.safetensors", "-o", "back.pth", "--to", "aunets", cfg="one.cfg", layout="netcfg")
    back = torch.load("back.pth", weights_only=True)
    assert list(back) == [f"model.{key}" for key in state]
    assert all(torch.equal(back[f"model.{key}"], value) for key, value in state.items())


def test_our_own_file_stays_as_it_is(convert: Convert) -> None:
    convert("original", "-o", "out.safetensors")
    convert("out.safetensors", "-o", "twin.safetensors", layout="netcfg")
    assert Path("twin.safetensors").read_bytes() == Path("out.safetensors").read_bytes()


# --- what is refused


@pytest.mark.parametrize(
    ("wrong", "rows"),
    [
        (
            ENCODER.replace("= 5", "= 6") + CRITIC,
            [
                "does not fit `Encoder` of other.cfg: 2 parameters differ",
                "head.weight: 5×2 in the file, 6×2 in the network",
            ],
        ),
        (
            ENCODER.replace("batch_normalise = 1\n", "") + CRITIC,
            ["0.bias: not in the file", "0.batch_norm.weight: only in the file"],
        ),
        (
            ENCODER + CRITIC.replace("[connected]", "[identity]\n[connected]"),
            ["does not fit `Image Discriminator`", "layers.1.0.weight: only in", "2.weight: not in the file"],
        ),
        (ENCODER, ["Image Discriminator_epoch_10.pth is of no network of the program (`Encoder`)"]),
        (ENCODER + CRITIC + CRITIC.replace("Image ", ""), ["holds no file of `Discriminator` for epoch 10"]),
    ],
)
def test_another_program_is_refused_by_network(convert: Convert, wrong: str, rows: list[str]) -> None:
    Path("other.cfg").write_text(wrong)
    result = convert("original", "-o", "out.safetensors", cfg="other.cfg")
    assert [row for row in rows if row not in result.err] == []
    assert not Path("out.safetensors").exists()


def test_partial_takes_what_fits(convert: Convert) -> None:
    Path("other.cfg").write_text(ENCODER.replace("= 5", "= 6") + CRITIC)
    result = convert("original", "-o", "out.safetensors", "--partial", cfg="other.cfg")
    assert "12 tensors of 2 networks taken, 0 left over, 2 missing" in result.out


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([{"0.weight": Bomb()}], "holds more than tensors"),
        ({"0.weight": torch.zeros(1)}, "holds no list of state dicts"),
        ([{"0.weight": 3}], "holds no list of state dicts"),
        ([{0: torch.zeros(1)}], "holds no list of state dicts"),
        ([{"0.weight": torch.zeros(2, 3).to_sparse()}], "holds no list of state dicts"),
        ([{"0.weight": torch.zeros(2, 3, device="meta")}], "holds no list of state dicts"),
    ],
)
def test_what_is_no_list_of_tensors_is_refused(convert: Convert, held: object, message: str) -> None:
    torch.save(held, "original/Encoder_epoch_10.pth")
    error = convert("original", "-o", "out.safetensors").err
    assert error.startswith("error[NC603 weights-unreadable]: original/Encoder_epoch_10.pth ")
    assert message in error
    assert "weights_only" not in error  # advice to run what is in the file
    assert not Path("ran").exists()


@pytest.mark.parametrize("data", [b"", b"no weights", b"PK\x03\x04" + b"\0" * 50])
def test_a_damaged_file_is_refused(convert: Convert, data: bytes) -> None:
    Path("original/Encoder_epoch_10.pth").write_bytes(data)
    assert "NC603" in convert("original", "-o", "out.safetensors").err


def test_a_file_cut_short_leaves_the_output_as_it_was(convert: Convert) -> None:
    path = Path("original/Encoder_epoch_10.pth")
    path.write_bytes(path.read_bytes()[:-100])
    Path("out.safetensors").write_text("before")
    assert "NC603" in convert("original", "-o", "out.safetensors").err
    assert Path("out.safetensors").read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["original", "--epoch", "3"], "original holds no epoch 3\nhelp: it holds 2, 10"),
        (["original", "--network", "Encodr"], "did you mean `Encoder`?"),
        (["original", "--to", "audetnt"], "there is no layout `audetnt`\nhelp: did you mean `audetnet`?"),
        (["original", "--to", "nix"], "there is no layout `nix`\nhelp: there are netcfg, "),
        (["original/optim_main_epoch_2.pth"], "is the state of an optimizer"),
        (["nowhere"], "there is no file of weights nowhere"),
        (["two.cfg"], "does not tell which network"),
        ([".", "--network", "Encoder"], "<network>_epoch_<n>.pth"),
        (["original", "original/Encoder_epoch_2.pth"], "are both files of `Encoder`"),
    ],
)
def test_a_wrong_request_says_what_is_there(convert: Convert, arguments: list[str], message: str) -> None:
    assert message in convert(*arguments, "-o", "out.safetensors").err


def test_an_output_of_another_kind_is_refused(convert: Convert) -> None:
    assert "write `-o NAME.safetensors`" in convert("original", "-o", "out.pth").err
    assert "cannot make the folder" in convert("original", "-o", "two.cfg/x", "--to", "audetnet").err


def test_tensors_of_no_network_are_refused(convert: Convert) -> None:
    program = netcfg.load(ENCODER + CRITIC)
    state = {"Other.x": torch.zeros(1), **netcfg.build(program).state_dict()}
    torch.save(state, "w.pth")
    error = convert("w.pth", "-o", "out.safetensors", layout="netcfg").err
    assert "Other.x: only in the file" in error
    assert read_checkpoint(program, [Path("w.pth")], LAYOUTS["netcfg"], partial=True).strangers == ["Other.x"]


def test_one_network_is_taken_out_of_several_when_asked(convert: Convert) -> None:
    convert("original", "-o", "out.safetensors")
    Path("one.cfg").write_text(ENCODER)
    arguments = ["out.safetensors", "-o", "one.safetensors"]
    assert "Image Discriminator.0.bias: only in" in convert(*arguments, cfg="one.cfg", layout="netcfg").err
    result = convert(*arguments, "--network", "Encoder", "--verbose", cfg="one.cfg", layout="netcfg")
    assert "Encoder.head.bias: 5 float32, out.safetensors: Encoder.head.bias\n" in result.out
    assert set(load_file("one.safetensors")) == {key for key in load_file("out.safetensors") if key[0] == "E"}


def test_a_repeat_has_no_place_in_the_original(convert: Convert) -> None:
    Path("other.cfg").write_text(ENCODER + "[connected]\noutput_features = 5\nrepeat = 2\n")
    assert "stands in a template or repeat" in convert("original", "-o", "o.safetensors", cfg="other.cfg").err


def test_a_block_the_original_has_not_is_named() -> None:
    layout = BlockLayout({"convolutional": {"": ""}}, file="{network}_{epoch}", others="-")
    reason = layout.unsuited(netcfg.load(ENCODER).networks["Encoder"])
    assert reason == "`Encoder` has a block [connected], which this layout does not know"
