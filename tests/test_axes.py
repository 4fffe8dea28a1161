"""Signals say what their sizes count: what inputs declare, what blocks refuse, and how signals of other axes meet."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import netcfg
from netcfg.axes import AXES, axes_in_words, in_order
from netcfg.blocks.base import Block
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.meeting import axes_in, common_axes
from netcfg.blocks.registry import sections
from netcfg.graph import Graph, Signal
from netcfg.source import Finding


def network(*inputs: str, body: str = "[identity]\n") -> str:
    declared = "".join(f"[input]\n{text}\n" for text in inputs)
    return f"{{N}}\n[net]\n{declared}{body}"


def graph(text: str) -> Graph:
    return netcfg.load(text).networks["N"]


def only_error(text: str) -> Finding:
    _, findings = netcfg.check(text)
    errors = [finding for finding in findings if finding.severity == "error"]
    assert len(errors) == 1, errors
    return errors[0]


def said(signal: Signal) -> tuple[str, str, str]:
    return "×".join(map(str, signal.shape)), signal.axes, signal.kind


# --- inputs


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("channels = 3\nheight = 8\nwidth = 4", ("3×8×4", "CHW", "number")),
        ("channels = 3", ("3×height×width", "CHW", "number")),
        (
            "frames = T\nchannels = 3\nheight = 224\nwidth = 224",
            ("T×3×224×224", "TCHW", "number"),
        ),
        ("frames = 5\nchannels = 3\nheight = 8\nwidth = w", ("5×3×8×w", "TCHW", "number")),
        ("features = 100", ("100", "F", "number")),
        ("frames = T\nfeatures = 8", ("T×8", "TF", "number")),
        ("tokens = 49\nfeatures = 8", ("49×8", "LF", "number")),
        ("frames = T\ntokens = 49\nfeatures = 512", ("T×49×512", "TLF", "number")),
        ("shape = T, 49, 512", ("T×49×512", "", "number")),
        ("shape = T, 49, 512\naxes = frames, tokens, features", ("T×49×512", "TLF", "number")),
        ("shape = 68, 2\naxes = objects, features", ("68×2", "NF", "number")),
        ("kind = class", ("", "", "class")),
        ("kind = class\nclasses = 10", ("", "", "class")),
        ("tokens = L\nkind = class\nclasses = 1000", ("L", "L", "class")),
        ("kind = number", ("", "", "number")),
        ("frames = T\nkind = truth", ("T", "T", "truth")),
    ],
)
def test_an_input_says_its_axes_and_kind(options: str, expected: tuple[str, str, str]) -> None:
    assert said(graph(network(f"name = x\n{options}")).nodes[0].output) == expected


def test_a_name_is_the_same_size_in_every_input() -> None:
    body = "[combine_add]\ncombine_layers = a, b\n"
    both = network("name = a\nframes = T\nfeatures = 4", "name = b\nframes = T\nfeatures = 4", body=body)
    assert said(graph(both).nodes[-1].output) == ("T×4", "TF", "number")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("channels = 3\nfeatures = 4", "takes one of `channels`, `features`, `shape` and `like`, and has `channels`"),
        ("height = 3", "gives a height or a width without `channels`"),
        ("", "takes one of `channels`, `features`, `shape` and `like`, and has none of them"),
        ("shape = 3, 4\naxes = frames", "names 1 axes of a shape of 2"),
        ("shape = 3, 4\naxes = frames, frames", "names `frames` twice among its axes"),
        ("features = 4\naxes = features", "gives `axes` without a `shape`"),
        ("features = 4 x", "has a size `4 x`, which is neither a whole number nor a name"),
        ("shape = 3, 4x", "has a size `4x`, which is neither a whole number nor a name"),
        ("features = 4\nclasses = 3", "gives `classes` without `kind = class`"),
        ("shape = 3\nframes = 4", "takes `frames` and `tokens` with `channels` or `features`"),
    ],
)  # fmt: skip
def test_an_input_that_contradicts_itself_is_refused(options: str, message: str) -> None:
    error = only_error(network(f"name = x\n{options}"))
    assert (error.code, error.span and error.span.line) == ("NC105", 3)
    assert message in error.message


def test_an_unknown_axis_is_refused_with_the_names_there_are() -> None:
    error = only_error(network("name = x\nshape = 3\naxes = rows"))
    assert error.code == "NC105"
    assert "one of `frames`, `tokens`" in error.message
    assert "found `rows`" in error.message


# --- what blocks take


TOKENS = "name = x\nshape = 16, 49, 512\naxes = frames, tokens, features"
ASKING = {
    name: kind
    for name, kind in sections("network").items()
    if issubclass(kind, Block) and kind.takes and "TLF" not in kind.takes
}


def on_x(kind: type[Block]) -> str:
    """The example of a block's page, reading `x` where it names what it reads."""
    _, _, body = kind.describe().partition("Example::\n")
    lines = "\n".join(line.strip() for line in body.strip().splitlines()) + "\n"
    return lines.replace("-1, -1", "x, x")


@pytest.mark.parametrize("name", ASKING)
def test_a_block_given_other_axes_names_both(name: str) -> None:
    error = only_error(network(TOKENS, body=on_x(ASKING[name])))
    takes = " or ".join(map(axes_in_words, ASKING[name].takes))
    assert error.code == "NC305"
    assert (
        error.message == f"[{name}] takes {takes}, is given frames×tokens×features from the input `x`, line 3"
    )
    assert error.span is not None
    assert error.span.line == 7


def test_blocks_say_which_axes_they_take_in_words() -> None:
    error = only_error(network(TOKENS, body="[pixel_shuffle]\nfactor = 2\n"))
    assert error.message.startswith(
        "[pixel_shuffle] takes channels×height×width, is given frames×tokens×features"
    )


def test_the_same_shape_passes_where_nobody_said_its_axes() -> None:
    body = "[connected]\noutput_features = 8\n[batch_norm]\n[maxpool]\npool_size = 2\nstride = 2\n"
    made = graph(network("name = x\nshape = 16, 49, 512", body=body))
    assert [said(node.output)[:2] for node in made.nodes[1:]] == [
        ("8×49×512", ""),
        ("8×49×512", ""),
        ("8×24×256", "CHW"),
    ]


def test_the_blocks_between_carry_axes_to_the_one_that_refuses_them() -> None:
    body = "[connected]\noutput_features = 8\n[dropout]\n[route]\nfrom = -1\n[pixel_shuffle]\nfactor = 2\n"
    error = only_error(network(TOKENS, body=body))
    assert (
        error.message
        == "[pixel_shuffle] takes channels×height×width, is given frames×tokens×features from [route], line 10"
    )


def test_a_block_inside_a_template_names_a_producer_outside_it() -> None:
    text = "{Define pooled}\n[global_avgpool]\n" + network(TOKENS, body="[pooled]\n")
    error = only_error(text)
    assert error.message.endswith("is given frames×tokens×features from the input `x`, line 5")
    assert [note.message for note in error.notes][-1] == "in this use of `pooled`"


def test_connected_maps_the_last_axis_of_tokens_and_the_channels_of_an_image() -> None:
    body = "[connected]\noutput_features = 5\n"
    text = network("name = x\nframes = 3\ntokens = 4\nfeatures = 6", body=body)
    built = netcfg.build(netcfg.load(text))["N"]
    x = torch.randn(2, 3, 4, 6)
    layer = next(built.children())
    assert graph(text).nodes[-1].output.shape == (3, 4, 5)
    assert torch.allclose(built(x), torch.nn.functional.linear(x, layer.weight, layer.bias))
    image = graph(network("name = x\nchannels = 3\nheight = 4\nwidth = 6", body=body))
    assert said(image.nodes[-1].output)[:2] == ("5×4×6", "CHW")


@pytest.mark.parametrize("name", ["connected", "activation", "softmax", "dropout"])
def test_a_block_of_numbers_refuses_classes(name: str) -> None:
    options = {"connected": "output_features = 2", "activation": "activation = relu", "softmax": "dim = 1"}
    body = f"[{name}]\n{options.get(name, '')}\n"
    error = only_error(network("name = x\ntokens = 4\nkind = class\nclasses = 7", body=body))
    assert error.code == "NC305"
    assert error.message == f"[{name}] takes numbers, is given classes from the input `x`, line 3"


def test_blocks_that_only_pass_on_keep_the_kind() -> None:
    subset = "[select_subset]\norigin_layer = -1\nstart_index = 0\nend_index = 2\n"
    body = f"[identity]\n[detach]\n{subset}[route]\nfrom = -1\n"
    made = graph(network("name = x\ntokens = 4\nkind = class", body=body + "[output]\nname = out\n"))
    assert {node.output.kind for node in made.nodes} == {"class"}
    assert made.outputs["out"].kind == "class"


# --- meeting


def met(how: str, *inputs: str, more: str = "") -> str:
    names = [f"x{index}" for index in range(len(inputs))]
    declared = [f"name = {name}\n{text}" for name, text in zip(names, inputs, strict=True)]
    return network(*declared, body=f"[{how}]\ncombine_layers = {', '.join(names)}\n{more}")


IMAGE = "channels = 3\nheight = 4\nwidth = 5"


def test_a_gate_of_channels_scales_the_maps_of_an_image() -> None:
    built = netcfg.build(netcfg.load(met("combine_multiply", IMAGE, "features = 3")))["N"]
    image, gate = torch.randn(2, 3, 4, 5), torch.randn(2, 3)
    assert torch.equal(built(image, gate), image * gate[:, :, None, None])


def test_signals_that_would_broadcast_by_position_meet_by_name() -> None:
    built = netcfg.build(
        netcfg.load(met("combine_add", "frames = 4\nfeatures = 4", "frames = 4\nkind = number"))
    )["N"]
    x, gate = torch.randn(2, 4, 4), torch.randn(2, 4)
    assert torch.equal(built(x, gate), x + gate[:, :, None])


def test_features_as_many_as_the_width_do_not_meet_it() -> None:
    error = only_error(met("combine_multiply", IMAGE, "features = 5"))
    assert error.code == "NC301"
    assert error.message == "[combine_multiply] multiplies 3×4×5 by 5: 3 ≠ 5 (channels)"


def test_what_both_lack_of_each_other_is_repeated() -> None:
    text = met("combine_add", "tokens = 4\nfeatures = 6", "frames = T\nfeatures = 6")
    made = graph(text).nodes[-1]
    assert said(made.output)[:2] == ("T×4×6", "TLF")
    tokens, frames = torch.randn(2, 4, 6), torch.randn(2, 3, 6)
    assert torch.equal(
        netcfg.build(netcfg.load(text))["N"](tokens, frames), tokens[:, None] + frames[:, :, None]
    )


def test_one_number_meets_everything() -> None:
    text = met("combine_multiply", IMAGE, "kind = number")
    image, factor = torch.randn(2, 3, 4, 5), torch.randn(2)
    assert torch.equal(
        netcfg.build(netcfg.load(text))["N"](image, factor), image * factor[:, None, None, None]
    )


def test_a_vector_joins_an_image_at_every_pixel() -> None:
    text = met("combine_concat", "channels = 3", "features = 2")
    assert said(graph(text).nodes[-1].output)[:2] == ("5×x0.height×x0.width", "CHW")
    image, code = torch.randn(2, 3, 4, 5), torch.randn(2, 2)
    expected = torch.cat([image, code[:, :, None, None].expand(-1, -1, 4, 5)], 1)
    assert torch.equal(netcfg.build(netcfg.load(text))["N"](image, code), expected)


def test_what_has_not_the_axis_to_join_along_is_refused() -> None:
    error = only_error(met("combine_concat", "frames = 3\nfeatures = 2", "features = 2"))
    assert error.message == "[combine_concat] joins along frames, and is given features"
    joined = graph(met("combine_concat", "frames = 3\nfeatures = 2", "features = 2", more="dimension = 2\n"))
    assert said(joined.nodes[-1].output)[:2] == ("3×4", "TF")


def test_other_sizes_of_one_axis_are_named_by_it() -> None:
    error = only_error(met("combine_add", "frames = 3\nfeatures = 2", "frames = 4\nfeatures = 2"))
    assert error.message == "[combine_add] adds 3×2 and 4×2: 3 ≠ 4 (frames)"


def test_where_one_side_did_not_say_its_axes_they_meet_as_ever() -> None:
    error = only_error(met("combine_multiply", IMAGE, "shape = 3"))
    assert error.message == "[combine_multiply] multiplies 3×4×5 by 3: 3 and 1 axes"
    assert graph(met("combine_multiply", IMAGE, "shape = 3, 1, 1")).nodes[-1].output.shape == (3, 4, 5)


LETTERS = st.sets(st.sampled_from("TLCHWF"), min_size=1).map(lambda letters: "".join(sorted(letters)))
SIZES = {"T": 2, "L": 3, "N": 4, "C": 5, "H": 6, "W": 7, "F": 5}


def input_of(axes: str) -> str:
    sizes = ", ".join(str(SIZES[letter]) for letter in axes)
    return f"shape = {sizes}\naxes = {', '.join(AXES[letter] for letter in axes)}"


def spread(value: torch.Tensor, axes: str, joint: str) -> torch.Tensor:
    """By einsum with ones, which knows names alone."""
    letters = axes.replace("F", "C") if "F" not in joint else axes
    ones = torch.ones([SIZES[letter] for letter in joint])
    return torch.einsum(f"b{letters.lower()},{joint.lower()}->b{joint.lower()}", value, ones)


@settings(max_examples=60, deadline=None)
@given(st.lists(LETTERS, min_size=2, max_size=3))
def test_sums_of_any_axes_are_those_of_named_axes(axes: list[str]) -> None:
    joint = common_axes(axes)
    text = met("combine_add", *map(input_of, axes))
    made = graph(text).nodes[-1].output
    assert (made.axes, made.shape) == (joint, tuple(SIZES[letter] for letter in joint))
    values = [torch.randn(2, *(SIZES[letter] for letter in own)) for own in axes]
    expected = sum(spread(value, own, joint) for value, own in zip(values, axes, strict=True))
    assert torch.allclose(netcfg.build(netcfg.load(text))["N"](*values), expected, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(LETTERS, min_size=2, max_size=3), st.data())
def test_concatenations_of_any_axes_are_those_of_named_axes(axes: list[str], data: st.DataObject) -> None:
    joint = common_axes(axes)
    dimension = data.draw(st.integers(1, len(axes[0])))
    along = axes_in(axes[0], joint)[dimension - 1]
    text = met("combine_concat", *map(input_of, axes), more=f"dimension = {dimension}\n")
    if not all(along in axes_in(own, joint) for own in axes):
        assert only_error(text).message.startswith(
            f"[combine_concat] joins along {AXES[along]}, and is given "
        )
        return
    values = [torch.randn(2, *(SIZES[letter] for letter in own)) for own in axes]
    expected = torch.cat(
        [spread(value, own, joint) for value, own in zip(values, axes, strict=True)], joint.index(along) + 1
    )
    made = netcfg.build(netcfg.load(text))["N"](*values)
    assert torch.allclose(made, expected)
    assert graph(text).nodes[-1].output.shape == tuple(made.shape[1:])


@given(st.lists(LETTERS, min_size=1, max_size=4))
@example(["T", "FHT", "CT"])
def test_common_axes_lose_none_and_name_none_twice(axes: list[str]) -> None:
    joint = common_axes(axes)
    assert len(set(joint)) == len(joint)
    assert all(set(axes_in(own, joint)) <= set(joint) for own in axes)
    assert set(joint) <= set("".join(axes))
    assert joint in (axes_in(axes[0], joint), in_order(joint))


# --- data


def test_data_fields_say_their_axes_by_their_kind() -> None:
    kinds = {
        FieldSpec((3, 8, 8), "image"): "CHW",
        FieldSpec((5, 3, 8, 8), "image"): "TCHW",
        FieldSpec((3, 8, 8), "flow"): "CHW",
        FieldSpec((12,), "vector"): "F",
        FieldSpec((), "class"): "",
        FieldSpec((68, 2), "landmarks"): "NF",
        FieldSpec((4,), "image"): "",
        FieldSpec((2, 2, 2), "vector"): "",
    }
    assert {spec: spec.axes for spec in kinds} == kinds
    assert [spec.holds for spec in kinds if spec.kind == "class"] == ["class"]


DATA = "{Data}\n[synthetic_faces]\nimage_size = 32\nframes = 4\n"
JUDGED = (
    "{Loss}\n[bce_with_logits]\nname = loss\ninput = score\ntarget = labels\n"
    "{Optimizer}\n[sgd]\nnetworks = N\nminimise = loss\nlearning_rate = 0.1\n"
)


def test_model_signals_carry_what_the_data_and_the_networks_say() -> None:
    body = "channels = 3\nheight = 32\nwidth = 32\n[flatten]\n[connected]\noutput_features = 12\n"
    text = f"{DATA}{{N}}\n[net]\n{body}{{Model}}\n[N]\nname = score\n{JUDGED}"
    model = netcfg.load(text).model
    assert model is not None
    signals = {node.path: (node.output.axes, node.output.kind) for node in model.nodes}
    assert signals["image"] == ("CHW", "number")
    assert signals["frames"] == ("TCHW", "number")
    assert signals["landmarks"] == ("NF", "number")
    assert signals["emotion"] == ("", "class")
    assert signals["score"] == ("F", "number")


def test_a_network_in_a_model_refuses_other_axes_than_its_input_has() -> None:
    network_of = "[input]\nname = x\nshape = 12\naxes = frames\n[identity]\n"
    text = f"{DATA}{{N}}\n[net]\n{network_of}{{Model}}\n[N]\nname = score\nfrom = labels\n{JUDGED}"
    error = only_error(text)
    assert error.message == "`score` (N) takes frames, is given features from the data field `labels`, line 1"
