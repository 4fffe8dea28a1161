"""Built networks: what they are called with, what they compute, keep and free."""

from __future__ import annotations

import copy
import gc
import pickle
import random
import re
import weakref
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import netcfg
from netcfg.blocks import Block
from netcfg.blocks.registry import sections
from netcfg.builder.network import Network
from netcfg.graph import Graph

HEAD = "{N}\n[net]\nchannels = 3\nheight = 6\nwidth = 6\n"
CONV = "[convolutional]\nfilters = 3\nkernel_size = 3\npad = 1\n"
RELU = "[activation]\nactivation = relu\n"
TWO_INPUTS = (
    "{N}\n"
    "[net]\n"
    "[input]\nname = image\nchannels = 3\n"
    "[input]\nname = flow\nchannels = 3\n"
    "[combine_add]\ncombine_layers = image, flow\n"
)


def build(text: str) -> Network:
    network = netcfg.build(netcfg.load(text))["N"]
    assert isinstance(network, Network)
    return network


def picture(batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, 6, 6)


# --- calling


def test_inputs_are_given_in_file_order_or_by_name() -> None:
    network, one, other = (
        build(TWO_INPUTS + "[combine_concat]\ncombine_layers = image, -1\n"),
        picture(),
        picture(),
    )
    expected = torch.cat([one, one + other], 1)
    assert torch.equal(network(one, other), expected)
    assert torch.equal(network(flow=other, image=one), expected)


def test_a_missing_input_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="flow"):
        build(TWO_INPUTS)(picture())


def test_one_output_is_a_tensor() -> None:
    assert isinstance(build(HEAD + CONV)(picture()), Tensor)
    assert isinstance(build(HEAD + CONV + "[output]\nname = o\n")(picture()), Tensor)


def test_several_outputs_are_a_dictionary_in_file_order() -> None:
    network = build(HEAD + CONV + "[output]\nname = first\n" + RELU + "[output]\nname = second\n")
    result = network(picture())
    assert list(result) == ["first", "second"]
    assert torch.equal(result["second"], result["first"].relu())
    assert (result["first"] < 0).any()


def test_an_output_may_be_given_twice_and_be_an_input() -> None:
    text = HEAD + CONV + "[output]\nname = a\n[output]\nname = b\n[output]\nname = c\nfrom = input\n"
    x = picture()
    result = build(text)(x)
    assert result["a"] is result["b"]
    assert result["c"] is x


@pytest.mark.parametrize("name", ["x", "x2", "x3", "print", "dict", "result"])
def test_inputs_may_have_any_name(name: str) -> None:
    text = HEAD.replace("channels = 3\nheight = 6\nwidth = 6\n", f"[input]\nname = {name}\nchannels = 3\n")
    network = build(text + CONV + CONV + f"[combine_concat]\ncombine_layers = {name}, 0, 1\n")
    x = picture()
    first = network["0"](x)
    assert torch.equal(network(**{name: x}), torch.cat([x, first, network["1"](first)], 1))


def test_any_batch_and_any_size_the_file_leaves_open() -> None:
    network = build("{N}\n[net]\nchannels = 3\n" + CONV + "[maxpool]\npool_size = 2\nstride = 2\n")
    assert network(torch.randn(1, 3, 9, 14)).shape == (1, 3, 4, 7)
    assert network(torch.randn(5, 3, 4, 4)).shape == (5, 3, 2, 2)


# --- what costs nothing


def statements(network: Network) -> list[str]:
    """The lines of its forward that compute something."""
    return [line for line in network.source_code.splitlines() if " = " in line]


def test_routes_and_identities_compute_nothing() -> None:
    plain = build(HEAD + CONV + RELU)
    routed = build(HEAD + "[identity]\n" + CONV + "[identity]\n[route]\nfrom = -1\n" + RELU + "[identity]\n")
    assert len(statements(plain)) == len(statements(routed)) == 2
    assert [type(module) for module in routed.modules()][1:] == [type(plain["0"])]


def test_a_network_of_routes_gives_its_input() -> None:
    x = picture()
    assert build(HEAD + "[identity]\n[identity]\n")(x) is x


def test_blocks_that_no_output_needs_are_kept_and_not_computed() -> None:
    text = HEAD + CONV + "name = dead\n" + CONV + "name = live\nfrom = input\n"
    network = build(text)
    network["dead"].register_forward_hook(lambda *_: pytest.fail("computed"))
    network(picture())
    assert list(network.state_dict()) == ["dead.weight", "dead.bias", "live.weight", "live.bias"]


def test_every_line_names_its_place_in_the_file() -> None:
    text = HEAD + CONV + RELU
    source = build(text).source_code
    lines = text.splitlines()
    for block in ("convolutional", "activation"):
        assert re.search(
            rf"# {block} at <text>:{lines.index(f'[{block}]') + 1}: 3×6×6$", source, re.MULTILINE
        )


def test_an_error_shows_the_line_of_the_generated_source() -> None:
    network = build(HEAD + CONV)
    with pytest.raises(RuntimeError) as raised:
        network(torch.randn(1, 4, 6, 6))
    frame = next(entry for entry in raised.traceback if "<network" in str(entry.path))
    assert "convolutional at <text>:6" in network.source_code.splitlines()[frame.lineno]


class Probe:
    """Watches a module's output: how many of those made are still alive when another module runs."""

    def __init__(self, network: nn.Module) -> None:
        self.made: list[weakref.ref[Tensor]] = []
        self.alive: list[int] = []
        for module in network.children():
            module.register_forward_pre_hook(self.count)
            module.register_forward_hook(self.note)

    def count(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        self.alive.append(sum(reference() is not None for reference in self.made))

    def note(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        self.made.append(weakref.ref(output))


def test_intermediates_are_freed_after_their_last_use() -> None:
    network = build(HEAD + CONV * 3 + "[combine_add]\ncombine_layers = -1, 0\n" + CONV * 3)
    probe = Probe(network)
    gc.disable()
    with torch.no_grad():
        network(picture())
    gc.enable()
    # before each convolution, of the earlier ones: 0 | 0 | 0 1 | (the sum alone) | 4 | 5
    assert probe.alive == [0, 1, 2, 0, 1, 1]


def test_an_input_is_freed_after_its_last_use() -> None:
    network = build(HEAD + CONV + CONV)
    inputs: list[weakref.ref[Tensor]] = []
    dead: list[bool] = []
    network["1"].register_forward_pre_hook(lambda *_: dead.append(inputs[0]() is None))

    def fresh() -> Iterator[Tensor]:
        x = picture()
        inputs.append(weakref.ref(x))
        yield x

    with torch.no_grad():
        network.forward(next(fresh()))
    assert dead == [True]


# --- in place, never at another's cost


def random_network(chance: random.Random) -> str:
    """A network of blocks wired at random, all of 3×6×6 but where channels are joined and cut again."""
    rows = [HEAD]
    count = chance.randint(2, 9)
    for index in range(count):
        reads = [str(chance.choice([*range(index), *range(index), "input"])) for _ in range(2)]
        kind = chance.choice(
            [
                "conv",
                "bn",
                "relu",
                "relu",
                "leaky",
                "sigmoid",
                "add",
                "multiply",
                "route",
                "cut",
                "dense",
                "drop",
            ]
        )
        match kind:
            case "conv":
                activation = chance.choice(["None", "relu", "tanh"])
                rows.append(
                    f"{CONV}batch_normalise = {chance.randint(0, 1)}\nactivation = {activation}\nfrom = {reads[0]}\n"
                )
            case "bn":
                rows.append(f"[batch_norm]\nfrom = {reads[0]}\n")
            case "relu":
                rows.append(f"{RELU}from = {reads[0]}\n")
            case "leaky" | "sigmoid":
                name = "leaky_relu" if kind == "leaky" else kind
                rows.append(f"[activation]\nactivation = {name}\nfrom = {reads[0]}\n")
            case "add" | "multiply":
                rows.append(f"[combine_{kind}]\ncombine_layers = {', '.join(reads)}\n")
            case "route":
                rows.append(f"[route]\nbranch_at_layer = {reads[0]}\n")
            case "cut":
                rows.append(f"[select_subset]\norigin_layer = {reads[0]}\nstart_index = 0\nend_index = 3\n")
            case "dense":
                rows.append(f"[connected]\noutput_features = 3\nfrom = {reads[0]}\n")
            case "drop":
                rows.append(f"[dropout]\nprobability = 0\nfrom = {reads[0]}\n")
    for output in range(chance.randint(1, 3)):
        rows.append(f"[output]\nname = o{output}\nfrom = {chance.randrange(count)}\n")
    return "".join(rows)


def interpreted(graph: Graph, network: Network, x: Tensor) -> list[Tensor]:
    """The outputs, node by node, every value kept and nothing overwritten."""
    values: list[Tensor] = []
    for node in graph.nodes:
        inputs = [values[signal.producer] for signal in node.inputs]
        expression = node.block.inline(*(f"v{index}" for index in range(len(inputs))))
        if node.is_input:
            values.append(x)
        elif expression is None:
            values.append(network.get_submodule(node.path)(*inputs))
        else:
            scope = {
                "torch": torch,
                "F": nn.functional,
                **{f"v{index}": value for index, value in enumerate(inputs)},
            }
            values.append(eval(expression, scope))
    return [values[signal.producer] for signal in graph.outputs.values()]


def gradients(outputs: list[Tensor], network: Network, x: Tensor) -> list[Tensor]:
    network.zero_grad()
    x.grad = None
    sum((output * output.detach().cos()).sum() for output in outputs).backward()  # type: ignore[union-attr]
    return [value.grad.clone() for value in (*network.parameters(), x) if value.grad is not None]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32))
def test_overwriting_changes_no_value_and_no_gradient(seed: int) -> None:
    torch.manual_seed(seed % 1000)
    text = random_network(random.Random(seed))
    program = netcfg.load(text)
    network = netcfg.build(program)["N"].eval()
    x = picture().requires_grad_()
    expected = interpreted(program.networks["N"], network, x)
    result = network(x)
    outputs = list(result.values()) if isinstance(result, dict) else [result]
    for found, wanted in zip(outputs, expected, strict=True):
        torch.testing.assert_close(found, wanted, msg=lambda text_: f"{text_}\n{network.source_code}")
    for found, wanted in zip(gradients(outputs, network, x), gradients(expected, network, x), strict=True):
        torch.testing.assert_close(found, wanted)


def test_an_activation_overwrites_what_it_alone_reads() -> None:
    assert "relu_(" in build(HEAD + CONV + RELU).source_code


@pytest.mark.parametrize(
    "reader",
    [
        "[select_subset]\norigin_layer = c\nstart_index = 0\nend_index = 3\n",
        "[combine_multiply]\ncombine_layers = c, c\n",
        CONV + "from = c\n",
    ],
)
def test_an_activation_leaves_what_another_has_read(reader: str) -> None:
    text = HEAD + CONV + "name = c\n" + reader + RELU + "from = c\n[combine_add]\ncombine_layers = -1, -2\n"
    assert "relu_(" not in build(text).source_code


def test_an_activation_leaves_the_input_and_the_outputs() -> None:
    assert "relu_(" not in build(HEAD + RELU).source_code
    assert (
        "relu_("
        not in build(HEAD + CONV + "[output]\nname = a\n" + RELU + "[output]\nname = b\n").source_code
    )


# --- as any module

FULL = (
    HEAD
    + CONV
    + "name = stem\nbatch_normalise = 1\nactivation = relu\n"
    + CONV
    + "name = body\nrepeat = 2\n[flatten]\n[connected]\nname = head\noutput_features = 4\n"
)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_computes_the_same_with_parameters_of_its_own(copied: object) -> None:
    network = build(FULL).eval()
    twin = copied(network)  # type: ignore[operator]
    x = picture()
    assert torch.equal(twin(x), network(x))
    assert not {id(value) for value in twin.parameters()} & {id(value) for value in network.parameters()}


def test_all_networks_of_a_program_are_copied_together() -> None:
    networks = netcfg.build(netcfg.load(FULL))
    assert list(copy.deepcopy(networks).state_dict()) == list(networks.state_dict())


def test_parameters_stand_in_file_order() -> None:
    names = [key.rpartition(".")[0] for key in build(FULL).state_dict()]
    assert list(dict.fromkeys(names)) == ["stem", "stem.batch_norm", "body.0", "body.1", "head"]


def test_equal_seeds_give_equal_weights() -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(build(FULL).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_network_moves_to_another_precision(dtype: torch.dtype) -> None:
    network = build(FULL).to(dtype).eval()
    assert network(picture().to(dtype)).dtype == dtype


def test_training_and_evaluation_reach_every_block() -> None:
    network = build(HEAD + "[dropout]\nprobability = 0.9\n" + CONV + "batch_normalise = 1\n")
    x = picture()
    assert not torch.equal(network.train()(x), network(x))
    assert torch.equal(network.eval()(x), network(x))


def test_a_network_is_exported() -> None:
    network = build(FULL).eval()
    x = picture()
    torch.testing.assert_close(torch.export.export(network, (x,)).module()(x), network(x))


# --- freeze


def asks_for_gradients(text: str) -> dict[str, bool]:
    program = netcfg.load(text)
    network = netcfg.build(program)["N"]
    counted = sum(value.numel() for value in network.parameters() if value.requires_grad)
    assert program.networks["N"].trainable == counted
    return {
        name: value.requires_grad for name, value in network.named_parameters() if name.endswith("weight")
    }


def test_a_frozen_block_asks_for_no_gradients() -> None:
    text = HEAD + CONV + "name = a\nfreeze = True\n" + CONV + "name = b\n"
    assert asks_for_gradients(text) == {"a.weight": False, "b.weight": True}


def test_a_frozen_network_asks_for_no_gradients() -> None:
    assert asks_for_gradients(HEAD + "freeze = True\n" + CONV) == {"0.weight": False}


def test_a_frozen_use_freezes_what_is_in_it() -> None:
    text = (
        "{Define t}\n" + CONV + "repeat = 2\n" + HEAD + "[t]\nname = u\nfreeze = True\n" + CONV + "name = b\n"
    )
    assert asks_for_gradients(text) == {"u.0.0.weight": False, "u.0.1.weight": False, "b.weight": True}


def test_a_block_whose_reference_is_not_given_reads_the_one_before() -> None:
    text = "{N}\n[net]\nchannels = 4\nheight = 8\nwidth = 8\n[identity]\n"
    text += "[select_subset]\nstart_index = 0\nend_index = 2\n[route]\n[flatten]\n"
    nodes = netcfg.load(text).networks["N"].nodes
    assert [node.inputs[0].producer for node in nodes[1:]] == [0, 1, 2, 3]


def test_a_page_says_which_references_are_required() -> None:
    required = set()
    for name, kind in sections("network").items():
        rows = {key: default for key, _, default, _ in kind.option_rows()}
        if issubclass(kind, Block) and rows.get(kind.reference_option) == "required":
            required.add(name)
    combining = {name for name, kind in sections("network").items() if "combine_layers" in kind.model_fields}
    assert required >= combining >= {"combine_add", "combine_concat", "combine_multiply", "flow_fusion"}
    assert not {"route", "select_subset"} & required
