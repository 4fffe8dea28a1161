"""Blocks compute what PyTorch's modules of their name compute: values, gradients, names of parameters."""

# The tables below are read across.
# ruff: noqa: E501

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.swin_transformer import PatchMerging, ShiftedWindowAttention
from torchvision.ops import StochasticDepth

import netcfg
from netcfg.source import Finding


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Numbers this few are slower on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def text(body: str, *shapes: str) -> str:
    inputs = "".join(f"[input]\nname = x{index}\n{shape}\n" for index, shape in enumerate(shapes))
    return "{N}\n[net]\n" + inputs + body


def network(body: str, *shapes: str) -> nn.Module:
    return netcfg.build(netcfg.load(text(body, *shapes)))["N"]


def only_error(body: str, *shapes: str) -> Finding:
    _, findings = netcfg.check(text(body, *shapes))
    assert len(findings) == 1, [finding.message for finding in findings]
    return findings[0]


IMAGE = "channels = 6\nheight = 7\nwidth = 9"
ROW = "tokens = 5\nfeatures = 6"
CLIP = "frames = 3\nchannels = 6\nheight = 7\nwidth = 9"
HWC = "shape = 7, 9, 6\naxes = height, width, channels"
SHAPES = {IMAGE: (6, 7, 9), ROW: (5, 6), CLIP: (3, 6, 7, 9), HWC: (7, 9, 6)}


def turned(call: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda x: call(x.transpose(1, 2)).transpose(1, 2)


MODULES: dict[str, tuple[str, str, nn.Module, bool]] = {
    "conv": (IMAGE, "[convolutional]\nfilters = 4\nkernel_size = 3, 2\nstride = 2, 1\npad = 1, 0\ndilation = 1, 2\n"
             "groups = 2", nn.Conv2d(6, 4, (3, 2), (2, 1), (1, 0), (1, 2), 2), False),
    "conv reflect": (IMAGE, "[convolutional]\nfilters = 4\nkernel_size = 3\npad = True\npadding_mode = reflect",
                     nn.Conv2d(6, 4, 3, padding=1, padding_mode="reflect"), False),
    "conv 1-D": (ROW, "[convolutional]\nfilters = 4\nkernel_size = 3\npad = 1", nn.Conv1d(6, 4, 3, padding=1), True),
    "conv 3-D": (CLIP, "[convolutional]\nfilters = 4\nkernel_size = 3, 2, 1\nstride = 1, 2, 2",
                 nn.Conv3d(6, 4, (3, 2, 1), (1, 2, 2)), True),
    "deconv": (IMAGE, "[deconvolutional]\nfilters = 4\nkernel_size = 3\nstride = 2\npad = 1\noutput_pad = 1\ngroups = 2",
               nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, 2), False),
    "deconv 1-D": (ROW, "[deconvolutional]\nfilters = 4\nkernel_size = 3\nstride = 2", nn.ConvTranspose1d(6, 4, 3, 2),
                   True),
    "deconv 3-D": (CLIP, "[deconvolutional]\nfilters = 4\nkernel_size = 2, 3, 3",
                   nn.ConvTranspose3d(6, 4, (2, 3, 3)), True),
    "batch norm": (IMAGE, "[batch_norm]\nmomentum = 0.3", nn.BatchNorm2d(6, momentum=0.3), False),
    "batch norm 1-D": (ROW, "[batch_norm]", nn.BatchNorm1d(6), True),
    "batch norm 3-D": (CLIP, "[batch_norm]", nn.BatchNorm3d(6), True),
    "batch norm plain": (IMAGE, "[batch_norm]\naffine = False\ntrack = False",
                         nn.BatchNorm2d(6, affine=False, track_running_stats=False), False),
    "instance norm": (IMAGE, "[instance_norm]\naffine = True\ntrack = True",
                      nn.InstanceNorm2d(6, affine=True, track_running_stats=True), False),
    "instance norm 1-D": (ROW, "[instance_norm]", nn.InstanceNorm1d(6), True),
    "instance norm 3-D": (CLIP, "[instance_norm]", nn.InstanceNorm3d(6), True),
    "group norm": (IMAGE, "[group_norm]\ngroups = 3", nn.GroupNorm(3, 6), False),
    "group norm 3-D": (CLIP, "[group_norm]\ngroups = 2", nn.GroupNorm(2, 6), True),
    "layer norm": (ROW, "[layer_norm]\neps = 1e-3", nn.LayerNorm(6, 1e-3), False),
    "layer norm of all": (IMAGE, "[layer_norm]\ndimension = all", nn.LayerNorm((6, 7, 9)), False),
    "layer norm, channels last": (HWC, "[layer_norm]", nn.LayerNorm(6), False),
    "rms norm": (ROW, "[rms_norm]\neps = 1e-3", nn.RMSNorm(6, 1e-3), False),
    "local response": (IMAGE, "[local_response_norm]\nsize = 3\nalpha = 0.1", nn.LocalResponseNorm(3, 0.1), False),
    "prelu": (IMAGE, "[prelu]\nparameters = channels", nn.PReLU(6), False),
    "prelu 1-D": (ROW, "[prelu]\nparameters = channels\nstart = 0.1", nn.PReLU(6, 0.1), True),
    "max pool": (IMAGE, "[maxpool]\npool_size = 3, 2\nstride = 2, 1\npad = 1, 0\nceil_mode = True\ndilation = 1, 2",
                 nn.MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), ceil_mode=True), False),
    "max pool 1-D": (ROW, "[maxpool]\npool_size = 2\nstride = 2", nn.MaxPool1d(2), True),
    "max pool 3-D": (CLIP, "[maxpool]\npool_size = 2, 3, 3\nstride = 1, 2, 2", nn.MaxPool3d((2, 3, 3), (1, 2, 2)), True),
    "avg pool": (IMAGE, "[avgpool]\npool_size = 3\nstride = 2\npad = 1\nceil_mode = True\ncount_include_pad = False",
                 nn.AvgPool2d(3, 2, 1, True, False), False),
    "avg pool, divisor": (IMAGE, "[avgpool]\npool_size = 3\nstride = 2\ndivisor = 4",
                          nn.AvgPool2d(3, 2, divisor_override=4), False),
    "avg pool 3-D": (CLIP, "[avgpool]\npool_size = 1, 2, 2\nstride = 1, 2, 2", nn.AvgPool3d((1, 2, 2)), True),
    "adaptive avg": (IMAGE, "[adaptive_avgpool]\noutput_sizes = 3, 2", nn.AdaptiveAvgPool2d((3, 2)), False),
    "adaptive avg 3-D": (CLIP, "[adaptive_avgpool]\noutput_sizes = 1", nn.AdaptiveAvgPool3d(1), True),
    "adaptive max 1-D": (ROW, "[adaptive_maxpool]\noutput_sizes = 2", nn.AdaptiveMaxPool1d(2), True),
    "connected": (ROW, "[connected]\noutput_features = 4", nn.Linear(6, 4), False),
    "pixel shuffle": (IMAGE, "[pad]\nsizes = 1, 0, 1, 0\n[pixel_unshuffle]\nfactor = 2\n[pixel_shuffle]\nfactor = 2", nn.ZeroPad2d((1, 0, 1, 0)), False),
    "channel shuffle": (IMAGE, "[channel_shuffle]\ngroups = 3", nn.ChannelShuffle(3), False),
    "window attention": (HWC, "[window_attention]\nheads = 2\nwindow = 4\nshift = 2",
                         ShiftedWindowAttention(6, [4, 4], [2, 2], 2), False),
    "window attention, one window high": (HWC, "[window_attention]\nheads = 3\nwindow = 7, 4\nshift = 3, 2",
                                          ShiftedWindowAttention(6, [7, 4], [3, 2], 3), False),
}  # fmt: skip


def loaded(built: nn.Module, module: nn.Module) -> nn.Module:
    """The built network with a module's state, whose names it has; unnamed blocks are called 0, 1, …"""
    state = module.state_dict()
    assert {key.partition(".")[2] for key in built.state_dict()} == set(state)
    built.load_state_dict({f"0.{key}": value for key, value in state.items()})
    return built


def assert_same(
    built: nn.Module, wanted: Callable[..., Tensor], module: nn.Module, *shapes: tuple[int, ...]
) -> None:
    """Values and gradients of inputs and parameters, and the state after a step, in training and evaluation."""
    for training in (True, False):
        built.train(training)
        module.train(training)
        mine = [torch.randn(3, *shape, requires_grad=True) for shape in shapes]
        theirs = [value.detach().clone().requires_grad_() for value in mine]
        made, expected = built(*mine), wanted(*theirs)
        made = made if isinstance(made, Tensor) else next(iter(made.values()))
        torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)
        direction = torch.randn_like(expected)
        named = {name.partition(".")[2]: value for name, value in built.named_parameters()}
        found = torch.autograd.grad(made, [*mine, *named.values()], direction)
        theirs += [dict(module.named_parameters())[name] for name in named]
        for one, other in zip(found, torch.autograd.grad(expected, theirs, direction), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    state = module.state_dict()
    for key, value in built.state_dict().items():
        torch.testing.assert_close(value, state[key.partition(".")[2]])


@pytest.mark.parametrize("name", MODULES)
def test_a_block_computes_what_pytorchs_module_does(name: str) -> None:
    shape, body, module, is_turned = MODULES[name]
    module = copy.deepcopy(module)
    if isinstance(module, nn.modules.batchnorm._NormBase) and module.affine:
        nn.init.normal_(module.weight)
        nn.init.normal_(module.bias)
    built = loaded(network(body, shape), module)
    assert_same(built, turned(module) if is_turned else module, module, SHAPES[shape])


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("both", [False, True])
def test_recurrent_blocks_are_pytorchs(kind: str, both: bool) -> None:
    body = f"[{kind}]\nname = memory\nhidden = 4\nlayers = 2\nbidirectional = {both}\n"
    module = getattr(nn, kind.upper())(6, 4, 2, batch_first=True, bidirectional=both)
    built = network(
        body + "[output]\nname = value\nfrom = memory\n[output]\nname = last\nfrom = memory.last", ROW
    )
    built.load_state_dict({f"memory.{key}": value for key, value in module.state_dict().items()})
    x = torch.randn(3, 5, 6)
    made, (value, state) = built(x), module(x)
    last = state[0] if isinstance(state, tuple) else state
    torch.testing.assert_close(made["value"], value)
    torch.testing.assert_close(made["last"], torch.cat((last[-2], last[-1]), 1) if both else last[-1])


@pytest.mark.parametrize(
    ("option", "kept"), [("", None), ("causal = True\n", "causal"), ("use_bias = False\n", None)]
)
def test_self_attention_is_pytorchs(option: str, kept: str | None) -> None:
    module = nn.MultiheadAttention(6, 2, bias="use_bias" not in option, batch_first=True)
    built = loaded(network(f"[self_attention]\nheads = 2\n{option}", ROW), module)
    mask = nn.Transformer.generate_square_subsequent_mask(5) if kept else None

    def wanted(x: Tensor) -> Tensor:
        return module(x, x, x, attn_mask=mask, is_causal=kept is not None, need_weights=False)[0]

    assert_same(built, wanted, module, (5, 6))


@pytest.mark.parametrize("features", [6, 4])
def test_cross_attention_is_pytorchs(features: int) -> None:
    module = nn.MultiheadAttention(6, 3, kdim=features, vdim=features, batch_first=True)
    keys = f"tokens = 4\nfeatures = {features}"
    built = loaded(network("[cross_attention]\nfrom = x0, x1\nheads = 3\n", ROW, keys), module)
    x, y = torch.randn(3, 5, 6), torch.randn(3, 4, features)
    torch.testing.assert_close(built(x, y), module(x, y, y, need_weights=False)[0])


def test_patches_are_those_of_swin() -> None:
    module = PatchMerging(6, norm_layer=nn.Identity)
    module.reduction = nn.Identity()
    x = torch.randn(2, 7, 9, 6)
    torch.testing.assert_close(network("[patches]\n", HWC)(x), module(x))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu, "relu6": F.relu6, "leaky_relu": F.leaky_relu, "elu": F.elu, "selu": F.selu, "celu": F.celu,
    "gelu": F.gelu, "gelu_tanh": nn.GELU("tanh"), "silu": F.silu, "swish": F.silu, "mish": F.mish,
    "softplus": F.softplus, "softsign": F.softsign, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid, "hard_swish": F.hardswish, "hard_tanh": F.hardtanh, "exp": torch.exp,
    "fused_leaky_relu": lambda x: F.leaky_relu(x, 0.2) * 2**0.5, "linear": lambda x: x,
}  # fmt: skip


LINEAR = {
    "convolutional": ("filters = 4\nkernel_size = 1", lambda x, block: F.conv2d(x, block.weight, block.bias)),
    "deconvolutional": (
        "filters = 4\nkernel_size = 1",
        lambda x, block: F.conv_transpose2d(x, block.weight, block.bias),
    ),
    "connected": (
        "output_features = 4",
        lambda x, block: F.linear(x.movedim(1, -1), block.weight, block.bias).movedim(-1, 1),
    ),
    "activation": ("", lambda x, block: x),
}


@pytest.mark.parametrize("word", ACTIVATIONS)
def test_every_activation_is_the_same_in_every_block(word: str) -> None:
    body = "".join(
        f"[{kind}]\nname = {kind}\nfrom = x0\n{options}\nactivation = {word}\n[output]\nname = y_{kind}\n"
        for kind, (options, _) in LINEAR.items()
    )
    built = network(body, IMAGE)
    mine = torch.randn(2, 6, 7, 9, requires_grad=True)
    made = built(mine)
    for kind, (_, linear) in LINEAR.items():
        wanted = ACTIVATIONS[word](linear(mine, built[kind] if kind in built else None))
        torch.testing.assert_close(made[f"y_{kind}"], wanted)
        gradients = (
            torch.autograd.grad(one.sum(), mine, retain_graph=True) for one in (made[f"y_{kind}"], wanted)
        )
        torch.testing.assert_close(next(gradients), next(gradients))


@pytest.mark.parametrize(
    ("norm", "child"),
    [
        ("batch", nn.BatchNorm2d(4, 1e-4)),
        ("instance", nn.InstanceNorm2d(4, affine=True)),
        ("group", nn.GroupNorm(2, 4)),
    ],
)
def test_normalise_is_the_norm_after_a_convolution_without_a_bias(norm: str, child: nn.Module) -> None:
    groups = "norm_groups = 2\n" if norm == "group" else ""
    built = network(f"[convolutional]\nfilters = 4\nkernel_size = 3\nnormalise = {norm}\n{groups}", IMAGE)
    kernels = nn.Conv2d(6, 4, 3, bias=False)
    state = {"0.weight": kernels.weight} | {f"0.{norm}_norm.{k}": v for k, v in child.state_dict().items()}
    built.load_state_dict(state)
    x = torch.randn(3, 6, 7, 9)
    torch.testing.assert_close(built(x), child(kernels(x)))


@given(
    size=st.integers(1, 12), kernel=st.integers(1, 5), stride=st.integers(1, 4), dilation=st.integers(1, 3)
)
@settings(max_examples=40, deadline=None)
def test_pad_same_gives_a_window_for_each_step(size: int, kernel: int, stride: int, dilation: int) -> None:
    body = f"[convolutional]\nfilters = 2\nkernel_size = {kernel}\nstride = {stride}\ndilation = {dilation}\npad = same\n"
    shape = f"channels = 1\nheight = {size}\nwidth = {size + 1}"
    made = network(body, shape)(torch.randn(1, 1, size, size + 1))
    assert made.shape[2:] == (-(-size // stride), -(-(size + 1) // stride))
    assert netcfg.load(text(body, shape)).networks["N"].nodes[-1].output.shape == tuple(made.shape[1:])


@given(size=st.integers(1, 9), kernel=st.integers(1, 4), stride=st.integers(1, 3), pad=st.integers(0, 2))
@settings(max_examples=40, deadline=None)
def test_windows_with_ceil_mode_have_the_inferred_shape(
    size: int, kernel: int, stride: int, pad: int
) -> None:
    body = f"[maxpool]\npool_size = {kernel}\nstride = {stride}\npad = {min(pad, kernel // 2)}\nceil_mode = True\n"
    shape = f"channels = 1\nheight = {size}\nwidth = {size + 2}"
    program, _ = netcfg.check(text(body, shape))
    if program is not None:
        made = netcfg.build(program)["N"](torch.randn(1, 1, size, size + 2))
        assert program.networks["N"].nodes[-1].output.shape == tuple(made.shape[1:])


@pytest.mark.parametrize(
    "block", ["convolutional\nfilters = 4\nkernel_size = 3", "connected\noutput_features = 4"]
)
def test_weights_made_otherwise_are_pytorchs(block: str) -> None:
    head, _, options = block.partition("\n")
    x = torch.randn(2, 6, 7, 9)
    module: nn.Module = nn.Conv2d(6, 4, 3) if head == "convolutional" else nn.Linear(6, 4)
    call = module if head == "convolutional" else lambda x: module(x.movedim(1, -1)).movedim(-1, 1)
    nn.utils.parametrizations.weight_norm(module)
    built = network(f"[{head}]\n{options}\nweight_norm = True\n", IMAGE)
    state = module.state_dict()
    built.load_state_dict({
        "0.weight_g": state["parametrizations.weight.original0"],
        "0.weight_v": state["parametrizations.weight.original1"],
        "0.bias": state["bias"],
    })  # fmt: skip
    torch.testing.assert_close(built(x), call(x))


def test_a_spectral_norm_has_its_largest_value_at_one_and_learns() -> None:
    built = network("[connected]\noutput_features = 4\nspectral_norm = True\n", "features = 6")
    weight = built["0"]._used_weight()
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(1, abs=0.05)
    with torch.no_grad():  # one that has settled to the last bit would stay
        built["0"].weight_u.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    before = built["0"].weight_u.clone()
    built.train()(torch.randn(2, 6)).sum().backward()
    assert not torch.equal(built["0"].weight_u, before)
    assert built["0"].weight_orig.grad is not None


def test_an_equalised_weight_is_divided_by_the_root_of_its_inputs() -> None:
    built = network(
        "[connected]\noutput_features = 4000\nequalised = True\nlearning_rate_factor = 0.01\n",
        "features = 100",
    )
    assert built["0"].weight.std().item() == pytest.approx(100, rel=0.05)
    assert built(torch.ones(1, 100)).std().item() == pytest.approx(1, rel=0.1)


def test_a_tensor_without_a_module_bears_its_blocks_path() -> None:
    body = "[class_token]\nname = class_token\n[positions]\nname = positions\n[scale]\nstart = 0.5\nuse_bias = False\n"
    built = network(body, ROW)
    assert {key: tuple(value.shape) for key, value in built.named_parameters()} == {
        "class_token": (1, 1, 6),
        "positions": (1, 6, 6),
        "2": (6,),
    }
    nn.init.normal_(built.class_token)
    x = torch.randn(3, 5, 6)
    wanted = (torch.cat((built.class_token.expand(3, -1, -1), x), 1) + built.positions) * 0.5
    torch.testing.assert_close(built(x), wanted)
    assert copy.deepcopy(built).class_token is not built.class_token


def test_what_is_the_same_for_all_samples_meets_each_of_them() -> None:
    body = "[parameter]\nname = codes\nshape = 5, 6\naxes = tokens, features\n[combine_concat]\nfrom = x0, codes\n"
    built = network(body, ROW)
    x = torch.randn(3, 5, 6)
    torch.testing.assert_close(built(x), torch.cat((x, built.codes.expand(3, -1, -1)), 1))
    constant = network(
        "[constant]\nname = average\nshape = 5, 6\nvalue = 2\n[combine_subtract]\nfrom = x0, average", ROW
    )
    torch.testing.assert_close(constant(x), x - 2)
    assert list(constant.state_dict()) == ["average"]


def test_stochastic_depth_is_torchvisions() -> None:
    built, module = network("[stochastic_depth]\nprobability = 0.3\n", IMAGE), StochasticDepth(0.3, "row")
    x = torch.randn(8, 6, 7, 9)
    torch.manual_seed(4)
    mine = built.train()(x)
    torch.manual_seed(4)
    torch.testing.assert_close(mine, module.train()(x))
    assert built.eval()(x) is x


def test_gradients_of_their_own() -> None:
    x = torch.tensor([[0.4, -1.6]], requires_grad=True)
    built = network("[reverse_gradient]\nfactor = 0.5\n", "features = 2")
    (gradient,) = torch.autograd.grad((built(x) * 3).sum(), x)
    torch.testing.assert_close(gradient, torch.full((1, 2), -1.5))
    for kind, values in (("round", [0, -2]), ("floor", [0, -2]), ("sign", [1, -1]), ("step", [1, 0])):
        built = network(f"[straight_through]\nkind = {kind}\n", "features = 2")
        assert built(x).tolist() == [values]
        (gradient,) = torch.autograd.grad((built(x) * 3).sum(), x)
        torch.testing.assert_close(gradient, torch.full((1, 2), 3.0))


def test_frame_attention_weighs_frames_by_their_gates() -> None:
    body = (
        "[frame_attention]\nname = alpha\n[frame_attention]\nname = beta\nfrom = x0\ngates = alpha.gates\n"
        "numerator = given\n"
    )
    built = network(body, "frames = 4\nfeatures = 6")
    x = torch.randn(3, 4, 6)
    first, second = (
        torch.sigmoid(F.linear(x, built[name].weight, built[name].bias)) for name in ("alpha", "beta")
    )
    both = (first * second).sum(1)
    torch.testing.assert_close(built.train()(x), (x * first * second).sum(1) / both)
    torch.testing.assert_close(built.eval()(x), (x * first).sum(1) / both)


@pytest.mark.parametrize(("with_", "wanted"), [
    ("mean", lambda x: x.mean((2, 3))), ("sum", lambda x: x.sum((2, 3))), ("max", lambda x: x.amax((2, 3))),
    ("min", lambda x: x.amin((2, 3))), ("std", lambda x: x.flatten(2).std(2)),
    ("norm", lambda x: x.flatten(2).norm(dim=2)), ("logsumexp", lambda x: x.logsumexp((2, 3))),
])  # fmt: skip
def test_reduce_is_the_function_of_its_name(with_: str, wanted: Callable[[Tensor], Tensor]) -> None:
    x = torch.randn(2, 6, 7, 9)
    made = network(f"[reduce]\nwith = {with_}\ndimension = height, width\n", IMAGE)(x)
    torch.testing.assert_close(made, wanted(x))
    alone = network(f"[reduce]\nwith = {with_}\n", IMAGE)(x)
    assert alone.shape == (2,)


def test_axes_are_named_wherever_they_stand() -> None:
    body = "[permute]\norder = height, width, channels\n[layer_norm]\n[permute]\norder = channels, height, width\n"
    built = network(body, IMAGE)
    norm = nn.LayerNorm(6)
    x = torch.randn(2, 6, 7, 9)
    torch.testing.assert_close(built(x), norm(x.movedim(1, -1)).movedim(-1, 1))
    first = network("[layer_norm]\n", IMAGE)
    torch.testing.assert_close(first(x), norm(x.movedim(1, -1)).movedim(-1, 1))


def test_pictures_take_the_size_of_another() -> None:
    built = network("[upsample]\nfrom = x0\nsize_of = x1\nmode = bilinear\n", IMAGE, "channels = 2")
    made = built(torch.randn(2, 6, 7, 9), torch.randn(2, 2, 20, 30))
    assert made.shape == (2, 6, 20, 30)
    stays = network("[upsample]\noutput_sizes = 5\nonly = smaller\n", IMAGE)
    x = torch.randn(2, 6, 7, 9)
    torch.testing.assert_close(stays(x), x)


@pytest.mark.parametrize(("rule", "mean", "deviation"), [
    ("normal(1, 0.02)", 1, 0.02), ("trunc_normal(0.02)", 0, 0.02), ("normal", 0, 0.01), ("0.3", 0.3, 0),
    ("uniform(0.3)", 0, 0.3 / 3**0.5), ("kaiming_normal(fan_in)", 0, (2 / 200) ** 0.5), ("ones", 1, 0),
    ("kaiming_normal", 0, (2 / 400) ** 0.5), ("kaiming_uniform(fan_out, sigmoid)", 0, 400**-0.5),
    ("uniform(fan_out)", 0, 400**-0.5 / 3**0.5), ("trunc_normal(fan_in)", 0, 200**-0.5),
])  # fmt: skip
def test_rules_of_initialisation_have_numbers(rule: str, mean: float, deviation: float) -> None:
    torch.manual_seed(0)
    built = network(
        f"[connected]\noutput_features = 400\ninitialization = {rule}\nbias_start = 0.5\n", "features = 200"
    )
    assert built["0"].weight.mean().item() == pytest.approx(mean, abs=0.01)
    assert built["0"].weight.std().item() == pytest.approx(deviation, rel=0.03, abs=1e-6)
    assert built["0"].bias.unique().tolist() == [0.5]


ERRORS = [
    (CLIP, "[convolutional]\nfilters = 4\nkernel_size = 3\n", "NC301", "`kernel_size = 3` says nothing of frames", "kernel_size = 3"),
    (CLIP, "[maxpool]\npool_size = 2, 2\nstride = 2\n", "NC301", "`pool_size = 2, 2` says nothing of frames", "pool_size = 2, 2"),
    (ROW, "[convolutional]\nfilters = 4\nkernel_size = 3, 3\n", "NC301", "has 2 numbers as `kernel_size`, for 1 axis", "kernel_size = 3, 3"),
    (IMAGE, "[convolutional]\nfilters = 4\nkernel_size = 3\ngroups = 4\n", "NC301", "divides 6 channels into 4 groups", "groups = 4"),
    (IMAGE, "[group_norm]\ngroups = 4\n", "NC301", "divides 6 channels into 4 groups: 2 are left over", "groups = 4"),
    (ROW, "[self_attention]\nheads = 4\n", "NC301", "divides 6 features among 4 heads: 2 are left over", "heads = 4"),
    (ROW, "[image_of_tokens]\nheight = 2\nwidth = 2\n", "NC301", "lays out 2×2 = 4 tokens, and is given 5", "height = 2"),
    (IMAGE, "[squeeze]\ndimension = height\n", "NC301", "takes out an axis of size 1, and `height` has 7", "dimension = height"),
    (IMAGE, "[reduce]\ndimension = tokens\n", "NC301", "has no axis `tokens`: it is given channels×height×width", "dimension = tokens"),
    (IMAGE, "[pad]\nsizes = 7\nmode = reflect\n", "NC302", "a border of 7 by `reflect` about a height of 7: at most 6", "sizes = 7"),
    (IMAGE, "[crop]\nsizes = 8\n", "NC302", "takes 8 of a height of 7", "sizes = 8"),
    (IMAGE, "[reshape]\nshape = 4, -1\n", "NC301", "cannot put 378 numbers", "shape = 4, -1"),
    (IMAGE, "[token]\ndimension = height\nindex = 7\n", "NC301", "takes number 7 of axis `height`, which has 7", "index = 7"),
    (IMAGE, "[convolutional]\nfilters = 4\nkernel_size = 1\nslope = 0.1\n", "NC105", "does not use", "[convolutional]"),
    (IMAGE, "[connected]\noutput_features = 4\nweight_norm = 1\nequalised = 1\n", "NC105", "makes its weight in two ways", "[connected]"),
    (IMAGE, "[deconvolutional]\nfilters = 4\nkernel_size = 3\npad = 9\n", "NC302", "leaves nothing of a height of 7", "pad = 9"),
    (IMAGE, "[connected]\noutput_features = 4\ninitialization = normal(a)\n", "NC105", "a rule such as `normal(0.02)`", "initialization = normal(a)"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "body", "code", "message", "line"), ERRORS)
def test_what_cannot_be_is_said_with_its_place(
    shape: str, body: str, code: str, message: str, line: str
) -> None:
    error = only_error(body, shape)
    assert error.code == code
    assert message in error.message
    assert error.span is not None
    assert error.span.file.text.splitlines()[error.span.line - 1] == line


def test_a_kernel_that_says_nothing_of_frames_names_both_ways_out() -> None:
    error = only_error("[convolutional]\nfilters = 4\nkernel_size = 3\n", CLIP)
    assert error.help == "`over = frames` for each frame by itself, or three numbers: `kernel_size = 1, 3, 3`"


def test_axes_of_joints_and_stretches_have_names() -> None:
    x, y = torch.randn(2, 5, 6), torch.randn(2, 5, 3)
    joined = network(
        "[combine_concat]\nfrom = x0, x1\ndimension = features\n", ROW, "tokens = 5\nfeatures = 3"
    )
    torch.testing.assert_close(joined(x, y), torch.cat((x, y), 2))
    vector = network("[combine_concat]\nfrom = x0, x1\ndimension = features\n", ROW, "features = 3")
    torch.testing.assert_close(vector(x, y[:, 0]), torch.cat((x, y[:, :1].expand(-1, 5, -1)), 2))
    stretch = "[select_subset]\nfrom = x0\ndimension = {}\nstart_index = 1\nend_index = 3\n"
    torch.testing.assert_close(network(stretch.format("tokens"), ROW)(x), x[:, 1:3])
    torch.testing.assert_close(network(stretch.format("features"), ROW)(x), x[:, :, 1:3])
    picture = torch.randn(2, 6, 7, 9)
    torch.testing.assert_close(network(stretch.format("height"), IMAGE)(picture), picture[:, :, 1:3])
    rest = "[select_subset]\nfrom = x0\ndimension = tokens\nstart_index = 2\n"
    torch.testing.assert_close(network(rest, ROW)(x), x[:, 2:])
    first = "[select_subset]\nfrom = x0\ndimension = tokens\nend_index = 2\n"
    torch.testing.assert_close(network(first, ROW)(x), x[:, :2])
    error = only_error(rest.replace("= 2", "= 5"), ROW)
    assert error.message == "[select_subset] selects from index 5 of tokens, which has 5 (5×6)"
    assert error.help == "a `start_index` of at most 4"


def test_a_map_over_tokens_stands_behind_a_permute() -> None:
    text = "[permute]\norder = features, tokens\n[connected]\noutput_features = 4\n"
    built, x = network(text, ROW), torch.randn(2, 5, 6)
    layer = built["1"]
    torch.testing.assert_close(built(x), F.linear(x.transpose(1, 2), layer.weight, layer.bias))


@pytest.mark.parametrize("upsample", [False, True])
def test_a_modulated_convolution_has_a_weight_of_its_own_for_each_sample(upsample: bool) -> None:
    body = f"[modulated_convolutional]\nfrom = x0, x1\nfilters = 4\nupsample = {upsample}\n"
    built = network(body, IMAGE, "features = 5")
    block = built["0"]
    nn.init.ones_(block.noise_strength)
    x, style = torch.randn(2, 6, 7, 9), torch.randn(2, 5)
    made = built(x, style)
    for sample in range(2):
        scales = F.linear(style[sample], block.modulation.weight / 5**0.5, block.modulation.bias)
        weight = block.weight / (6 * 9) ** 0.5 * scales[:, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if upsample:  # zeros between pixels, the kernel turned round, then the blur
            wide = F.conv_transpose2d(x[sample][None], weight.transpose(0, 1), stride=2)
            line = torch.tensor([1.0, 3, 3, 1])
            plane = (line[:, None] * line / 16)[None, None].expand(4, 1, -1, -1)
            wanted = F.conv2d(F.pad(wide, (1, 1, 1, 1)), plane, groups=4)
        else:
            wanted = F.conv2d(x[sample][None], weight, padding=1)
        torch.testing.assert_close(made[sample], wanted[0] + block.noise[0], rtol=1e-4, atol=1e-5)


def test_a_constant_of_several_numbers_is_these_in_turn() -> None:
    """The identity of an affine transform starts a bias of six numbers."""
    program = netcfg.load(
        "{N}\n[net]\nchannels = 4\nheight = 1\nwidth = 1\n[flatten]\n[connected]\noutput_features = 6\n"
        "initialization = zeros\nbias_start = constant(1, 0, 0, 0, 1, 0)\n"
    )
    network = netcfg.build(program)["N"]
    assert network(torch.rand(2, 4, 1, 1)).tolist() == [[1, 0, 0, 0, 1, 0]] * 2


@pytest.mark.parametrize(
    "section",
    [
        "[deconvolutional]\nfilters = 2\nkernel_size = 3\npad = 1, 1, 1, 1",
        "[convolutional]\nfilters = 2\nkernel_size = 1\nslope = 2",
    ],
)
def test_options_that_contradict_each_other_say_where_to_look(section: str) -> None:
    (finding,) = netcfg.check(f"{{N}}\n[net]\nchannels = 3\n{section}\n")[1]
    assert finding.code == "NC105"
    assert "write" in finding.message or (finding.help or "").startswith("`netcfg blocks ")


@pytest.mark.parametrize(
    "block",
    [
        "[flatten]\n",
        "[layer_norm]\ndimension = all\n",
        "[rms_norm]\ndimension = all\n",
        "[reduce]\nwith = max\n",
    ],
)
def test_what_needs_an_axis_says_so_of_a_number_for_each_sample(block: str) -> None:
    text = f"{{N}}\n[net]\n[input]\nname = x\nfeatures = 4\n[reduce]\n{block}"
    with pytest.raises(netcfg.ProgramError) as raised:
        netcfg.load(text)
    (finding,) = raised.value.findings
    assert "one number of each sample" in finding.message
    assert finding.span.line == 7
