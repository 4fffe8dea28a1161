"""Networks as plain Python: they compute the same, without netcfg, and are written as a person would."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

import netcfg
from netcfg.builder.exports import export as exporting
from netcfg.builder.exports.export import Asked, Export, export
from netcfg.builder.exports.ours import expect_ours
from netcfg.builder.exports.proof import trials_of
from netcfg.builder.exports.python import python_of
from netcfg.builder.weights import save_tensors
from netcfg.cli.main import main
from netcfg.source import NetcfgError, ProgramError

BLOCK = """{Define residual}
[parameters]
filters
stride = 1
[convolutional]
name = first
filters = $filters
kernel_size = 3
pad = True
stride = $stride
batch_normalise = True
[convolutional]
filters = $filters
kernel_size = 3
pad = True
activation = linear
name = second
[convolutional]
name = shortcut
from = input
filters = $filters
kernel_size = 1
stride = $stride
activation = linear
[combine_add]
combine_layers = second, shortcut
"""


def written(folder: Path, text: str) -> tuple[str, torch.nn.Module, torch.nn.ModuleDict]:
    """The file of a program, and its networks as they come from it, which compute the same; in this process."""
    program = netcfg.load(text)
    torch.manual_seed(1)
    networks = netcfg.build(program).eval()
    names = tuple(program.networks)
    source = python_of(program, networks, names, "net.safetensors")
    (folder / "net.py").write_text(source)
    whole = networks if len(names) > 1 else networks[names[0]]
    save_tensors(folder / "net.safetensors", whole.state_dict())
    loaded = imported(folder / "net.py").load()
    assert set(loaded.state_dict()) == set(whole.state_dict())
    for name in names:
        alone = loaded if len(names) == 1 else loaded[name]
        for trial in trials_of(program.networks[name], networks[name]):  # type: ignore[arg-type]
            made = alone(*trial.inputs.values())
            made = made if isinstance(made, dict) else {next(iter(trial.outputs)): made}
            for key, expected in trial.outputs.items():
                assert torch.equal(made[key], expected)
    return source, loaded, networks


def exported(folder: Path, text: str) -> Export:
    program = netcfg.load(text)
    return export("py", program, netcfg.build(program), tuple(program.networks), folder / "net.py", Asked())


def imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"exported_{abs(hash(str(file)))}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SIMPLE = """{Net}
[net]
channels = 3
[convolutional]
filters = 4
kernel_size = 3
name = stem
[maxpool]
pool_size = 2
stride = 2
[global_avgpool]
[connected]
output_features = 5
name = head
"""


def test_layers_bear_the_blocks_names_and_shapes_stand_behind(tmp_path: Path) -> None:
    text, _, _ = written(tmp_path, SIMPLE)
    assert "class Net(nn.Module):" in text
    assert "self.stem = nn.Conv2d(3, 4, 3)" in text
    assert "self.head = nn.Linear(4, 5)  # 5" in text
    assert "netcfg" not in "\n".join(line for line in text.splitlines() if "import" in line)


def test_a_template_is_one_class_made_with_what_differs_and_repeats_are_a_sequence(tmp_path: Path) -> None:
    text, _, _ = written(
        tmp_path,
        BLOCK
        + "{Net}\n[net]\nchannels = 3\n[residual]\nfilters = 4\nstride = 1\n[residual]\nname = wide\nfilters = 8\n"
        "stride = 2\n[residual]\nname = more\nfilters = 8\nstride = 1\nrepeat = 4\n",
    )
    tree = ast.parse(text)
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert classes.count("Residual") == 1
    assert "self.wide = Residual(4, 8, stride=2)" in text
    assert "for _ in range(4))" in text
    assert "x = self.more(x)" in text or "return self.more(x)" in text


def test_a_program_of_several_networks_is_one_file(tmp_path: Path) -> None:
    text, loaded, _ = written(tmp_path, SIMPLE + SIMPLE.replace("{Net}", "{Other}"))
    assert text.count("class ") == 2
    assert [name for name, _ in loaded.named_children()] == ["Net", "Other"]


def test_signals_of_several_ports_frames_and_parameters(tmp_path: Path) -> None:
    written(
        tmp_path,
        """{Net}
[net]
[input]
name = clip
frames = T
channels = 3
height = 16
width = 16
[convolutional]
over = frames
filters = 4
kernel_size = 3
name = seen
[global_avgpool]
over = frames
[gru]
hidden = 6
name = told
[frame_attention]
name = weighed
[connected]
output_features = 2
from = weighed.value
""",
    )


@pytest.mark.parametrize(
    ("file", "lines"),
    [("zoo/dcgan", 190), ("audetnet", 260), ("zoo/frames_lstm", 90)],
)
def test_shipped_networks_are_short(file: str, lines: int, tmp_path: Path) -> None:
    path = Path(netcfg.__file__).parent / "cfg" / f"{file}.cfg"
    program = netcfg.load(path)
    # One that only judges pictures, by weights that stay as they start, is no part of what is shipped.
    names = tuple(name for name, graph in program.networks.items() if graph.trainable)
    text = python_of(program, netcfg.build(program), names, "net.safetensors")
    (tmp_path / "net.py").write_text(text)
    assert len(text.splitlines()) <= lines
    assert max(map(len, text.splitlines())) <= 160
    checked = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F,I", tmp_path / "net.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "zoo/resnet18",
        "zoo/swin_t",
        "zoo/vit_b_16",
        "zoo/shufflenet_v2_x0_5",
        "zoo/regnet_y_400mf",
        "zoo/densenet121",
        "feratt",
    ],
)
def test_shipped_networks_prove_themselves(file: str, tmp_path: Path) -> None:
    path = Path(netcfg.__file__).parent / "cfg" / f"{file}.cfg"
    program = netcfg.load(path)
    made = export("py", program, netcfg.build(program), tuple(program.networks), tmp_path / "net.py", Asked())
    assert max(one.relative for one in made.found) <= 1e-6


ODD = '''
from netcfg.blocks import Block

class OddBlock(Block, name="odd"):
    """Halves.

    Shapes: any, unchanged.
    Example::

        [odd]  # 8x4x4 -> 8x4x4
    """

    def lower(self, *inputs):
        from torch import nn

        class Odd(nn.Module):
            def forward(self, x):
                return x.mean((2, 3))

        return Odd()

    def shape(self, *inputs):
        return inputs[0][:1]
'''


def test_what_computes_other_numbers_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exporting.python_of  # type: ignore[attr-defined]
    monkeypatch.setattr(
        exporting,
        "python_of",
        lambda *given: (
            whole(*given).replace("F.max_pool2d", "F.avg_pool2d").replace("MaxPool2d", "AvgPool2d")
        ),
    )
    with pytest.raises(NetcfgError, match="computes other numbers: Net's output differs by") as caught:
        exported(tmp_path, SIMPLE)
    assert caught.value.code == "NC808"
    assert not list(tmp_path.iterdir())


def test_what_does_not_run_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = exporting.python_of  # type: ignore[attr-defined]
    monkeypatch.setattr(exporting, "python_of", lambda *given: whole(*given) + "\nundefined()\n")
    with pytest.raises(NetcfgError, match="does not run: NameError: name 'undefined'"):
        exported(tmp_path, SIMPLE)
    assert not list(tmp_path.iterdir())


def test_a_block_without_a_form_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(ODD)
    (tmp_path / "in.cfg").write_text("{include odd.py}\n" + SIMPLE.replace("[global_avgpool]", "[odd]"))
    program = netcfg.load(tmp_path / "in.cfg")
    with pytest.raises(ProgramError) as caught:
        export("py", program, netcfg.build(program), ["Net"], tmp_path / "net.py", Asked())
    (finding,) = caught.value.findings
    assert (finding.code, finding.span and finding.span.line) == ("NC808", 12)
    assert "[odd] `2` cannot leave as Python: it is a Odd, and nobody knows how" in finding.message
    assert not list(tmp_path.glob("net*"))


RULED = """{Net}
[net]
channels = 3
height = 9
width = 9
[convolutional]
filters = 4
kernel_size = 3
pad = same
stride = 2
RULE = True
batch_normalise = True
activation = relu
name = first
[deconvolutional]
filters = 6
kernel_size = 3
stride = 2
RULE = True
name = back
[flatten]
[connected]
output_features = 5
RULE = True
name = last
"""


@pytest.mark.parametrize("rule", ["weight_norm", "spectral_norm", "equalised"])
def test_weights_that_are_made_from_others_keep_their_names(rule: str, tmp_path: Path) -> None:
    text, loaded, networks = written(tmp_path, RULED.replace("RULE", rule))
    assert loaded.state_dict().keys() == networks["Net"].state_dict().keys()
    assert "netcfg" not in "\n".join(line for line in text.splitlines() if "import" in line)


def test_norms_of_rows_and_clips(tmp_path: Path) -> None:
    text, _, _ = written(
        tmp_path,
        "{Net}\n[net]\n[input]\nname = clip\nframes = 4\nchannels = 3\nheight = 8\nwidth = 8\n"
        "[convolutional]\nfilters = 4\nkernel_size = 1, 3, 3\n[batch_norm]\n",
    )
    assert "BatchNormOfClips(4)" in text


@pytest.mark.slow
def test_a_librarys_network_is_called_by_the_librarys_words(tmp_path: Path) -> None:
    text, _, _ = written(
        tmp_path,
        "{Net}\n[net]\nchannels = 3\nheight = 64\nwidth = 64\n[backbone]\nmodel = resnet18\nstages = layer1, layer2\n"
        "pretrained = False\nname = trunk\n[global_avgpool]\nfrom = trunk.layer2\n",
    )
    assert 'get_model("resnet18", weights=None)' in text


def test_a_convolution_that_a_style_scales(tmp_path: Path) -> None:
    written(
        tmp_path,
        "{Net}\n[net]\n[input]\nname = map\nchannels = 3\nheight = 8\nwidth = 8\n[input]\nname = style\nfeatures = 5\n"
        "[modulated_convolutional]\nfrom = map, style\nfilters = 4\nupsample = True\nnoise = fixed\n"
        "activation = fused_leaky_relu\n",
    )


def test_only_an_export_that_nobody_has_changed_is_written_over(tmp_path: Path) -> None:
    exported(tmp_path, SIMPLE)
    expect_ours(tmp_path / "net.py", [tmp_path / "net.py", tmp_path / "net.safetensors"])
    report = json.loads((tmp_path / "net.py.proof.json").read_text())
    assert set(report["files"]) == {"net.py", "net.safetensors"}
    assert report["differences"][0]["relative"] <= 1e-6
    (tmp_path / "net.py").write_text("mine\n")
    with pytest.raises(NetcfgError, match="no export of netcfg's, or has been changed since") as caught:
        exported(tmp_path, SIMPLE)
    assert caught.value.code == "NC803"
    assert (tmp_path / "net.py").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("-o {folder}", "is a folder"),
        ("-o {folder}/net.tar", "its ending says nothing that networks are exported as"),
        ("-o {folder}/net.py --to pie", "--to pie: nothing is exported as that"),
        ("-o {folder}/net.pt --to py", "would not end in .py, as `--to py` does"),
        ("-o {folder}/net.py --network Nett", "has no network `Nett`"),
        ("-o {folder}/no/net.py", "there is no folder"),
    ],
)
def test_mistakes_of_the_command(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.cfg").write_text(SIMPLE)
    assert main(["export", str(tmp_path / "in.cfg"), *words.format(folder=tmp_path).split()]) == 1
    assert said in capsys.readouterr().err


def test_the_command_tells_what_it_proved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.cfg").write_text(SIMPLE)
    assert main(["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.py")]) == 0
    said = capsys.readouterr()
    assert "Net.output: differs by at most 0, 0 of its largest number" in said.out
    assert "with fresh weights" in said.err


def test_a_file_named_without_a_folder_lies_where_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.cfg").write_text(SIMPLE)
    monkeypatch.chdir(tmp_path)
    assert main(["export", "in.cfg", "-o", "net.py"]) == 0
    assert {"net.py", "net.safetensors", "net.py.proof.json"} <= {file.name for file in tmp_path.iterdir()}


def test_a_proof_that_says_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the last layer starts at 0, all before it could be another network."""
    head = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[flatten]\n[connected]\noutput_features = 2\n"
    for name, more in (("blind", "initialization = zeros\n"), ("seeing", "")):
        file = tmp_path / f"{name}.cfg"
        file.write_text(head + more)
        assert main(["export", str(file), "-o", str(tmp_path / f"{name}.py")]) == 0
        said = capsys.readouterr().err
        assert ("is the same for all samples" in said) == (name == "blind")
