"""Networks as ONNX and as traced programs: proven by what runs them, in a process without netcfg."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import netcfg
from netcfg.builder.exports import extras
from netcfg.builder.exports import traced as tracing
from netcfg.builder.exports.export import LIMIT, Asked, Export, export
from netcfg.builder.exports.pools import OnnxMeans
from netcfg.cli.main import main
from netcfg.source import NetcfgError, ProgramError

LAYER = "[convolutional]\nfilters = 4\nkernel_size = 3\npad = True\n"
PAIR = (
    """{Net}
[net]
[input]
name = left
channels = 3
height = H
width = W
[input]
name = right
channels = 3
height = H
width = W
"""
    + LAYER
    + "from = left\nname = a\nweight_norm = True\nstride = 2\n[batch_norm]\nname = an\n"
    + LAYER
    + "from = right\nname = b\nspectral_norm = True\nstride = 2\n[combine_add]\nname = both\ncombine_layers = an, b\n"
    """[output]
name = map
[adaptive_avgpool]
from = both
output_sizes = 7
[flatten]
[connected]
output_features = 5
[output]
name = vector
"""
)
CLIPS = """{Net}
[net]
[input]
name = clip
frames = T
features = 6
[KIND]
name = told
hidden = 4
layers = 2
bidirectional = True
[connected]
output_features = 2
from = told.last
"""


def exported(folder: Path, text: str, ending: str, name: str = "Net") -> Export:
    program = netcfg.load(text)
    torch.manual_seed(1)
    return export(ending, program, netcfg.build(program), [name], folder / f"net.{ending}", Asked())


def told(made: Export) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made.report.read_text())
    return found


@pytest.mark.slow
def test_open_sizes_keep_their_names_and_two_of_each_are_tried(tmp_path: Path) -> None:
    made = exported(tmp_path, PAIR, "onnx")
    assert [one.output for one in made.found] == ["map", "vector"]
    assert max(one.relative for one in made.found) <= LIMIT
    import onnx

    graph = onnx.load(tmp_path / "net.onnx").graph
    sizes = {
        one.name: [size.dim_param or size.dim_value for size in one.type.tensor_type.shape.dim]
        for one in (*graph.input, *graph.output)
    }
    assert sizes["left"] == sizes["right"] == ["batch", 3, "H", "W"]
    assert sizes["vector"] == ["batch", 5]
    assert sizes["map"][:2] == ["batch", 4]
    # Weights are those that are used, and the norm is in them.
    assert not {"BatchNormalization", "Loop", "Scan"} & {node.op_type for node in graph.node}


def test_a_traced_program_takes_single_samples_and_other_sizes(tmp_path: Path) -> None:
    made = exported(tmp_path, PAIR, "pt2")
    assert max(one.relative for one in made.found) <= LIMIT
    assert told(made)["form"] == "pt2"
    loaded = torch.export.load(tmp_path / "net.pt2").module()
    given = [torch.zeros(1, 3, 40, 37)] * 2
    assert loaded(*given)["vector"].shape == (1, 5)


def test_a_norm_before_a_convolution_does_not_keep_single_samples_out() -> None:
    """Of which of two ways to lay out numbers suits a batch of several, the tracer makes a condition."""
    size = "channels = 4\nheight = 8\nwidth = 8\n"
    program = netcfg.load(
        "{Net}\n[net]\n" + size + "[layer_norm]\n[convolutional]\nfilters = 4\nkernel_size = 3\n"
    )
    network = netcfg.build(program)["Net"].eval()
    given = torch.randn(2, 4, 8, 8)
    made = tracing.traced(program.networks["Net"], tracing.traceable(network, "pt2"), {"input": given}, "pt2")
    with torch.inference_mode():
        torch.testing.assert_close(made.module()(given[:1]), network(given[:1]))


def test_attention_in_windows_leaves_as_onnx(tmp_path: Path) -> None:
    text = (
        "{Net}\n[net]\nchannels = 4\nheight = 10\nwidth = 8\n[permute]\norder = height, width, channels\n"
        "[window_attention]\nheads = 2\nwindow = 4\nshift = 2\n"
    )
    made = exported(tmp_path, text, "onnx")
    assert max(one.relative for one in made.found) <= LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_recurrence_is_one_operator_for_any_number_of_frames(kind: str, tmp_path: Path) -> None:
    made = exported(tmp_path, CLIPS.replace("KIND", kind), "onnx")
    assert max(one.relative for one in made.found) <= LIMIT
    import onnx

    kinds = [node.op_type for node in onnx.load(tmp_path / "net.onnx").graph.node]
    assert kinds.count(kind.upper()) == 2


@pytest.mark.slow
def test_a_traced_loop_needs_to_know_how_often(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="specialized it to be a constant") as caught:
        exported(tmp_path, CLIPS.replace("KIND", "lstm"), "pt2")
    assert caught.value.code == "NC808"
    made = exported(tmp_path, CLIPS.replace("KIND", "lstm").replace("frames = T", "frames = 3"), "pt2")
    assert max(one.relative for one in made.found) <= LIMIT


def test_a_file_that_the_exporter_writes_wrongly_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without our own form of adaptive pools: theirs is for sizes that divide.
    monkeypatch.setattr(tracing, "ONNX_FORMS", {})
    with pytest.raises(NetcfgError, match="what was exported") as caught:
        exported(tmp_path, PAIR, "onnx")
    assert caught.value.code == "NC808"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("sizes", [(61, 63, 7, 7), (5, 9, 7, 3), (13, 4, 6, 5), (14, 21, 7, 7)])
def test_means_of_windows_that_overlap(sizes: tuple[int, int, int, int]) -> None:
    height, width, rows, columns = sizes
    x = torch.randn(2, 3, height, width, dtype=torch.float64)
    pool = torch.nn.AdaptiveAvgPool2d((rows, columns))
    torch.testing.assert_close(OnnxMeans.of(pool)(x), pool(x))


BESSEL = '''
from netcfg.blocks import Block

class Bessel(Block, name="bessel"):
    """Waves.

    Shapes: any, unchanged.
    Example::

        [bessel]  # 8x4x4 -> 8x4x4
    """

    def inline(self, *names):
        return f"torch.special.bessel_j0({names[0]})"
'''


def test_an_operator_without_a_form_is_named_with_its_block(tmp_path: Path) -> None:
    (tmp_path / "waves.py").write_text(BESSEL)
    text = "{include waves.py}\n{Net}\n[net]\nchannels = 2\nheight = 4\nwidth = 4\n" + LAYER + "[bessel]\n"
    (tmp_path / "in.cfg").write_text(text)
    program = netcfg.load(tmp_path / "in.cfg")
    with pytest.raises(ProgramError) as caught:
        export("onnx", program, netcfg.build(program), ["Net"], tmp_path / "net.onnx", Asked())
    (finding,) = caught.value.findings
    assert (finding.code, finding.span and finding.span.line) == ("NC808", 11)
    assert "[bessel] `1` cannot leave as ONNX: it needs `prims.bessel_j0`" in finding.message
    assert not list(tmp_path.glob("*.onnx*"))


@pytest.mark.slow
def test_a_draw_is_named_as_what_cannot_be_compared(tmp_path: Path) -> None:
    text = "{Net}\n[net]\nchannels = 2\nheight = 4\nwidth = 4\n[random]\nname = noise\nlike = input\n" + LAYER
    with pytest.raises(ProgramError) as caught:
        exported(tmp_path, text, "onnx")
    (finding,) = caught.value.findings
    assert (finding.code, finding.span and finding.span.line) == ("NC808", 6)
    assert "cannot leave as ONNX: it draws at random" in finding.message
    assert exported(tmp_path, text, "pt2").found  # which draws as PyTorch does


TWO = "{One}\n[net]\nchannels = 3\n[global_avgpool]\n{Two}\n[net]\nchannels = 3\n[global_avgpool]\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "-o {folder}/net.onnx",
            "2 networks, One, Two, and a .onnx file holds one\nhelp: say which: `--network One`",
        ),
        ("-o {folder}/net.onnx --network One --bf16", "onnxruntime has few operators in bf16"),
        ("-o {folder}/mine.pt2 --network One", "no export of netcfg's, or has been changed since"),
    ],
)
def test_mistakes_are_told_before_anything_is_built(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netcfg, "build", lambda program: pytest.fail("it is built"))
    (tmp_path / "in.cfg").write_text(TWO)
    (tmp_path / "mine.pt2").write_text("mine")
    assert main(["export", str(tmp_path / "in.cfg"), *words.format(folder=tmp_path).split()]) == 1
    assert said in capsys.readouterr().err


def test_inputs_without_names_are_refused_each_at_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that leaves names what it takes; a single input, of [net], is called `input`."""
    given = "[input]\nchannels = 3\n"
    (tmp_path / "in.cfg").write_text("{Net}\n[net]\n" + given + given + "[global_avgpool]\n")
    assert main(["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.onnx")]) == 1
    said = capsys.readouterr().err
    assert re.findall(r"in\.cfg:(\d):1: error\[NC104 missing-option\]: `input` needs `name`", said) == [
        "3",
        "5",
    ]
    assert not (tmp_path / "net.onnx").exists()
    assert list(netcfg.load("{Net}\n[net]\nchannels = 3\n[global_avgpool]\n").networks["Net"].inputs) == [
        "input"
    ]


def test_what_is_not_installed_is_named_with_the_install_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "onnxscript" else True)
    (tmp_path / "in.cfg").write_text(TWO)
    assert main(["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.onnx")]) == 1
    said = capsys.readouterr().err
    assert "onnxscript is not installed" in said
    assert "pip install 'netcfg[onnx]'" in said


@pytest.mark.slow
def test_half_precision_is_told_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.cfg").write_text("{Net}\n[net]\nchannels = 3\nheight = 9\nwidth = 9\n" + LAYER)
    assert main(["export", str(tmp_path / "in.cfg"), "-o", str(tmp_path / "net.pt2"), "--bf16"]) == 0
    assert "Net.output in bf16: differs by at most" in capsys.readouterr().out
    found = json.loads((tmp_path / "net.pt2.proof.json").read_text())["differences"]
    assert [one["precision"] for one in found] == ["f32", "bf16"]
    assert 1e-4 < found[1]["relative"] < 0.05


def test_no_torch_is_loaded_to_find_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "in.cfg").write_text(TWO)
    text = (
        "import sys\nfrom netcfg.cli.main import main\n"
        f"code = main(['export', {str(tmp_path / 'in.cfg')!r}, '-o', {str(tmp_path / 'net.onnx')!r}])\n"
        "print(code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"
