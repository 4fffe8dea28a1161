"""`over = frames`: what a picture's network does, for each frame of a clip; shapes and costs count frames."""

import copy
import pickle

import pytest
import torch
from torch import nn

import netcfg
from netcfg.builder.network import build_network
from netcfg.compile import check
from netcfg.summary.memory import memory_of

PART = """
{Define part}
[convolutional]
filters = 4
kernel_size = 3
pad = True
batch_normalise = 1
activation = relu
[global_avgpool]
"""


def text(blocks: str, frames: object = 3) -> str:
    """A network of one clip."""
    return f"""{PART}
{{Net}}
[net]
[input]
name = clip
frames = {frames}
channels = 3
height = 8
width = 8
{blocks}
"""


USE = """
[part]
name = body
over = frames
statistics = {statistics}
"""


def network(source: str) -> tuple[netcfg.Program, nn.Module]:
    program = netcfg.load(source)
    torch.manual_seed(0)
    return program, build_network(program.networks["Net"])


def body_of(built: nn.Module) -> nn.Module:
    """The template's convolution, and the mean that follows it, for pictures."""
    return nn.Sequential(copy.deepcopy(built["body"]["0"]), nn.AdaptiveAvgPool2d(1), nn.Flatten())


@pytest.mark.parametrize("frames", [3, "T"])
def test_each_frame_is_computed_like_a_picture(frames: object) -> None:
    program, built = network(text(USE.format(statistics="all"), frames))
    graph = program.networks["Net"]
    assert [size for size in next(iter(graph.outputs.values())).shape[1:]] == [4]
    clip = torch.randn(2, 3, 3, 8, 8)
    built.eval()
    alone = body_of(built).eval()
    expected = torch.stack([alone(clip[:, frame]) for frame in range(3)], 1)
    assert torch.allclose(built(clip), expected, atol=1e-6)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_statistics_of_each_frame_are_those_of_passes_one_after_the_other(
    layout: torch.memory_format,
) -> None:
    _, built = network(text(USE.format(statistics="each_frame"), "T"))
    alone = body_of(built).train()
    clip = torch.randn(4, 3, 3, 8, 8)
    read = clip.flatten(0, 1).contiguous(memory_format=layout).unflatten(0, (4, 3)).requires_grad_()
    twin = clip.clone().requires_grad_()
    made = built.train()(read)
    expected = torch.stack([alone(twin[:, frame]) for frame in range(3)], 1)
    assert torch.allclose(made, expected, atol=1e-5)
    made.square().sum().backward()
    expected.square().sum().backward()
    assert read.grad is not None
    assert torch.allclose(read.grad, twin.grad, atol=1e-4)
    ours, theirs = built["body"]["0"].state_dict(), alone[0].state_dict()
    assert ours.keys() == theirs.keys()
    for key, value in theirs.items():
        assert torch.allclose(ours[key].double(), value.double(), atol=1e-6), key
    built.eval()
    assert torch.allclose(
        built(clip[:, :2]), torch.stack([alone.eval()(clip[:, i]) for i in (0, 1)], 1), atol=1e-5
    )


def test_all_frames_are_one_batch_without_a_word() -> None:
    _, built = network(text(USE.format(statistics="all")))
    alone = body_of(built).train()
    clip = torch.randn(2, 3, 3, 8, 8)
    assert torch.allclose(built.train()(clip), alone(clip.flatten(0, 1)).unflatten(0, (2, 3)), atol=1e-6)


def test_costs_count_frames() -> None:
    once, _ = network(text("[frame]\n[part]\n[frame_mean]".replace("[frame_mean]", "")))
    thrice, _ = network(text("[part]\nover = frames"))
    one, three = once.networks["Net"], thrice.networks["Net"]
    assert three.parameters == one.parameters
    assert three.macs == 3 * one.macs
    kept = [memory_of(program, program.networks["Net"]).kept for program in (once, thrice)]
    clip = 4 * 3 * 3 * 8 * 8
    assert kept[1] - clip == 3 * (kept[0] - clip)


def test_labels_and_changes_name_it() -> None:
    program, _ = network(text("[part]\nover = frames"))
    assert [node.label for node in program.networks["Net"].blocks][1] == "over frames"


def test_a_vector_beside_frames_is_the_same_for_each() -> None:
    source = """{Net}
[net]
[input]
name = rows
frames = T
features = 5
[input]
name = vector
features = 4
[combine_concat]
combine_layers = rows, vector
over = frames
[connected]
output_features = 2
"""
    _, built = network(source)
    rows, vector = torch.randn(2, 3, 5), torch.randn(2, 4)
    expected = built["1"](torch.cat([rows, vector.unsqueeze(1).expand(-1, 3, -1)], -1))
    assert torch.allclose(built(rows, vector), expected, atol=1e-6)


def test_frames_of_tokens_and_the_other_way_round() -> None:
    source = """{Net}
[net]
[input]
name = rows
frames = T
tokens = 4
features = 6
[self_attention]
name = inner
over = frames
heads = 2
[gru]
name = along
over = tokens
hidden = 3
"""
    program, built = network(source)
    assert str(program.networks["Net"].outputs[""].shape) == "(T, 4, 3)"
    rows = torch.randn(2, 5, 4, 6)
    built.eval()
    attended = torch.stack([built["inner"](rows[:, frame]) for frame in range(5)], 1)
    expected = torch.stack([built["along"](attended[:, :, token])["value"] for token in range(4)], 2)
    assert torch.allclose(built(rows), expected, atol=1e-6)


def test_it_is_copied_and_pickled() -> None:
    _, built = network(text(USE.format(statistics="each_frame")))
    clip = torch.randn(2, 3, 3, 8, 8)
    for twin in (copy.deepcopy(built), pickle.loads(pickle.dumps(built))):
        assert torch.equal(twin.train()(clip), copy.deepcopy(built).train()(clip))


TRAINED = """
{Data}
[synthetic_faces]
image_size = 16
action_units = 6, 12
frames = 3
{Define stem}
[convolutional]
filters = 4
kernel_size = 3
stride = 2
pad = 1
batch_normalise = 1
activation = relu
[flatten]
{Frames}
[net]
[input]
name = image
channels = 3
height = 16
width = 16
[stem]
{Head}
[net]
[input]
name = rows
frames = 3
features = 256
[frame_attention]
[connected]
output_features = 2
{Model}
[Frames]
name = rows
from = frames
over = frames
statistics = each_frame
[Head]
{Loss}
[bce_with_logits]
name = detection
input = Head
target = labels
{Optimizer}
[adam]
networks = Frames, Head
minimise = detection
{Metric}
[f1]
input = Head
target = labels
"""


def test_a_network_of_pictures_trains_over_frames(tmp_path) -> None:
    program = netcfg.load(TRAINED)
    rows = program.signals["rows"]
    assert rows.shape == (3, 256)
    assert rows.axes == "TF"
    node = next(node for node in program.model.blocks if node.path == "rows")
    assert node.macs == 3 * program.networks["Frames"].macs
    from netcfg.trainers.step.model import Model

    networks = netcfg.build(program)
    alone = copy.deepcopy(networks["Frames"])
    model = Model(program, networks)
    frames = torch.rand(2, 3, 3, 16, 16)
    made = model.signals({"frames": frames}, ["rows"])["rows"]
    expected = torch.stack([alone(frames[:, frame]) for frame in range(3)], 1)
    assert torch.allclose(made, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("blocks", "code", "part"),
    [
        ("[frame]\n[part]\nover = frames", "NC305", "is over frames, and reads channels×height×width"),
        ("[part]\nover = tokens", "NC305", "is over tokens, and reads frames×channels×height×width"),
        ("[part]\nover = channels", "NC105", "must be `frames` or `tokens`, found `channels`"),
        ("[part]\nover = frames\nstatistics = some", "NC105", "must be `all` or `each_frame`, found `some`"),
        ("[part]\nstatistics = all", "NC105", "there is no `over`"),
        ("[part]\nover = frames\nover = frames", "NC106", "`over` is written twice"),
    ],
)
def test_what_is_wrong_is_said_once(blocks: str, code: str, part: str) -> None:
    _, findings = check(text(blocks))
    found = [(finding.code, finding.message) for finding in findings if finding.severity == "error"]
    assert [one[0] for one in found] == [code]
    assert part in found[0][1]


def test_frames_of_another_number_are_refused() -> None:
    source = """{Net}
[net]
[input]
name = one
frames = 3
features = 5
[input]
name = other
frames = 4
features = 5
[combine_add]
combine_layers = one, other
over = frames
"""
    _, findings = check(source)
    assert "for each of 3 frames, and is given 4×5" in findings[0].message
