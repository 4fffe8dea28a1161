"""Templates, repeats and references: what a name leads to, and what parameters are called."""

from __future__ import annotations

import pytest
import torch
import torchvision
from torch import nn

import netcfg
from netcfg.source import ProgramError

HEAD = "{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
UNIT = (
    "{Define unit}\n"
    "[parameters]\nfilters = 3\n"
    "[convolutional]\nname = conv\nfilters = $filters\nkernel_size = 1\n"
    "[activation]\nactivation = relu\n"
)
RESIDUAL = (
    "{Define residual}\n"
    "[convolutional]\nfilters = 3\nkernel_size = 1\n"
    "[combine_add]\ncombine_layers = -1, input\n"
)


def conv(filters: int = 3, name: str | None = None, **options: object) -> str:
    named = {"name": name} if name else {}
    values = {**named, "filters": filters, "kernel_size": 1, **options}
    return "[convolutional]\n" + "".join(f"{key.rstrip('_')} = {value}\n" for key, value in values.items())


def read_by(text: str, templates: str = "") -> list[str]:
    """What the last block of a network reads, by path."""
    graph = netcfg.load(templates + HEAD + text).networks["N"]
    return [graph.reference(signal) for signal in graph.nodes[-1].inputs]


def keys(text: str, templates: str = "") -> list[str]:
    return list(netcfg.build(netcfg.load(templates + HEAD + text))["N"].state_dict())


def codes(text: str, templates: str = "") -> list[str]:
    return [
        finding.code for finding in netcfg.check(templates + HEAD + text)[1] if finding.severity == "error"
    ]


# --- references

BLOCKS = conv(name="a") + conv(name="b") + conv()


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("a", "a"),
        ("0", "a"),
        ("-3", "a"),
        ("b", "b"),
        ("1", "b"),
        ("-2", "b"),
        ("2", "2"),
        ("-1", "2"),
        ("input", "input"),
        ("-4", "input"),
    ],
)
@pytest.mark.parametrize("block", ["[route]\nbranch_at_layer", "[route]\nfrom", "[identity]\nfrom"])
def test_a_reference_leads_to_a_block(reference: str, path: str, block: str) -> None:
    assert read_by(BLOCKS + f"{block} = {reference}\n") == [path]


def test_a_list_of_references_keeps_its_order() -> None:
    assert read_by(BLOCKS + "[combine_concat]\ncombine_layers = b, -1, input, 0\n") == [
        "b",
        "2",
        "input",
        "a",
    ]


def test_inputs_and_outputs_do_not_count() -> None:
    head = "{N}\n[net]\n[input]\nname = x\nchannels = 3\n[input]\nname = y\nchannels = 3\n"
    text = (
        conv(name="a", from_="x")
        + "[output]\nname = o\n"
        + conv(name="b")
        + "[combine_add]\ncombine_layers = 0, 1, -1, y\n[output]\nname = p\n"
    )
    graph = netcfg.load(head + text).networks["N"]
    assert [graph.reference(signal) for signal in graph.nodes[-1].inputs] == ["a", "b", "b", "y"]


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("4", "NC201"),
        ("3", "NC203"),
        ("-5", "NC201"),
        ("nobody", "NC201"),
        ("later", "NC202"),
        ("me", "NC203"),
        ("a.port", "NC204"),
    ],
)
def test_a_reference_that_leads_nowhere_is_one_finding(reference: str, code: str) -> None:
    text = BLOCKS + f"[route]\nname = me\nfrom = {reference}\n"
    assert codes(text if reference == "4" else text + conv(name="later")) == [code]


# --- templates


def test_a_template_counts_once() -> None:
    assert read_by("[unit]\n" + conv(name="b") + "[route]\nfrom = 0\n", UNIT) == ["0.1"]
    assert read_by("[unit]\n" + conv(name="b") + "[route]\nfrom = 1\n", UNIT) == ["b"]
    assert read_by(conv(name="b") + "[unit]\n[route]\nfrom = -2\n", UNIT) == ["b"]


def test_input_is_what_a_template_is_fed() -> None:
    assert read_by(conv(name="a") + conv(name="b") + "[residual]\nfrom = a\n", RESIDUAL) == ["2.0", "a"]


def test_offsets_in_a_template_end_at_its_input() -> None:
    template = "{Define t}\n[identity]\n[route]\nfrom = -2\n"
    assert read_by(conv(name="a") + "[t]\n", template) == ["a"]
    assert codes(conv(name="a") + "[t]\n", template.replace("-2", "-3")) == ["NC201"]


def test_names_in_a_template_are_its_own() -> None:
    assert keys(conv(name="conv") + "[unit]\nname = u\n", UNIT)[::2] == ["conv.weight", "u.conv.weight"]
    assert codes(conv(name="outer") + "[t]\n", "{Define t}\n[route]\nfrom = outer\n") == ["NC201"]


def test_a_block_inside_a_use_is_read_by_its_path() -> None:
    assert read_by("[unit]\nname = u\n[route]\nfrom = u.conv\n", UNIT) == ["u.conv"]
    assert read_by("[unit]\nname = u\n[route]\nfrom = u.0\n", UNIT) == ["u.conv"]
    assert read_by("[unit]\n[route]\nfrom = 0.conv\n", UNIT) == ["0.conv"]


def test_a_block_inside_nested_uses_is_read_by_its_path() -> None:
    nested = UNIT + "{Define outer}\n[unit]\nname = first\n[identity]\n"
    assert read_by("[outer]\nname = o\n[route]\nfrom = o.first.conv\n", nested) == ["o.first.conv"]


@pytest.mark.parametrize("path", ["u.nobody", "u.7", "u.conv.x", "nobody.conv"])
def test_a_path_that_leads_nowhere_is_one_finding(path: str) -> None:
    assert len(codes(f"[unit]\nname = u\n[route]\nfrom = {path}\n", UNIT)) == 1


def test_an_output_of_a_template_is_a_port() -> None:
    template = (
        "{Define t}\n"
        "[convolutional]\nname = c\nfilters = 5\nkernel_size = 1\n"
        "[output]\nname = early\n"
        "[identity]\n"
        "[maxpool]\npool_size = 2\nstride = 2\n"
        "[output]\nname = late\n"
    )
    assert read_by("[t]\nname = u\n[route]\nfrom = u.early\n", template) == ["u.c"]
    assert read_by("[t]\nname = u\n[route]\nfrom = u.late\n", template) == ["u.2"]
    assert codes("[t]\nname = u\n[route]\nfrom = u.erly\n", template) == ["NC204"]


def test_the_only_output_of_a_template_is_what_it_gives() -> None:
    template = (
        "{Define t}\n"
        "[convolutional]\nname = c\nfilters = 3\nkernel_size = 1\n"
        "[output]\nname = early\nfrom = c\n"
        "[identity]\n"
    )
    assert read_by("[t]\n[identity]\n", template) == ["0.c"]


TWO = (
    "{Define join}\n"
    "[input]\nname = left\n"
    "[input]\nname = right\n"
    "[convolutional]\nfrom = right\nfilters = 3\nkernel_size = 1\n"
    "[combine_add]\ncombine_layers = left, -1\n"
)


def test_a_template_with_several_inputs_takes_them_in_order() -> None:
    assert read_by(conv(name="a") + conv(name="b") + "[join]\nfrom = a, b\n", TWO) == ["a", "2.0"]


@pytest.mark.parametrize("given", ["a", "a, a, a"])
def test_a_template_refuses_more_or_fewer_inputs(given: str) -> None:
    assert codes(conv(name="a") + f"[join]\nfrom = {given}\n", TWO) == ["NC205"]


def test_a_template_with_several_inputs_must_say_which_it_reads_first() -> None:
    template = TWO.replace("from = right\n", "")
    assert codes(conv(name="a") + conv(name="b") + "[join]\nfrom = a, b\n", template) == ["NC205"]


def test_each_use_of_a_template_has_parameters_of_its_own() -> None:
    network = netcfg.build(netcfg.load(UNIT + HEAD + "[unit]\n[unit]\n"))["N"]
    assert len({id(value) for value in network.parameters()}) == 4


def test_an_error_in_a_template_shows_where_it_is_used() -> None:
    text = UNIT + HEAD + "[flatten]\n[unit]\nname = u\n"
    (finding,) = netcfg.check(text)[1]
    assert finding.code == "NC305"
    assert any(note.span.line == text.splitlines().index("[unit]") + 1 for note in finding.notes)


def test_a_mistake_in_a_template_is_reported_once() -> None:
    text = UNIT.replace("kernel_size = 1", "kernel_siz = 1") + HEAD + "[unit]\n[unit]\nrepeat = 3\n"
    with pytest.raises(netcfg.ProgramError) as raised:
        netcfg.load(text)
    assert [finding.code for finding in raised.value.findings] == ["NC103"]


def test_templates_may_not_use_each_other_in_a_circle() -> None:
    templates = "{Define a}\n[b]\n{Define b}\n[c]\n{Define c}\n[a]\n"
    assert codes("[a]\n", templates) == ["NC110"]


def test_templates_nested_without_end_are_refused() -> None:
    templates = (
        "".join(f"{{Define t{index}}}\n[t{index + 1}]\n" for index in range(300))
        + "{Define t300}\n[identity]\n"
    )
    assert codes("[t0]\n", templates) == ["NC304"]


def test_templates_that_double_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netcfg.passes.templates.MAX_BLOCKS", 1000)
    templates = "{Define t0}\n" + "".join(
        f"{{Define t{index + 1}}}\n[t{index}]\n[t{index}]\n" for index in range(40)
    )
    assert codes("[t40]\n", templates) == ["NC304"]


# --- repeats


def test_a_repeated_block_is_numbered() -> None:
    assert keys(conv(name="c", repeat=3))[::2] == ["c.0.weight", "c.1.weight", "c.2.weight"]
    assert keys(conv(repeat=2))[::2] == ["0.0.weight", "0.1.weight"]


def test_a_repeated_template_is_numbered() -> None:
    assert keys("[unit]\nname = layer\nrepeat = 2\n", UNIT)[::2] == [
        "layer.0.conv.weight",
        "layer.1.conv.weight",
    ]


def test_the_turns_of_a_repeat_stand_in_a_row() -> None:
    graph = netcfg.load(RESIDUAL + HEAD + "[residual]\nname = r\nrepeat = 2\n").networks["N"]
    reads = {node.path: [graph.reference(signal) for signal in node.inputs] for node in graph.blocks}
    assert reads == {
        "r.0.0": ["input"],
        "r.0.1": ["r.0.0", "input"],
        "r.1.0": ["r.0.1"],
        "r.1.1": ["r.1.0", "r.0.1"],
    }


def test_a_repeat_counts_once() -> None:
    assert read_by(conv(name="a", repeat=4) + conv(name="b") + "[route]\nfrom = 0\n") == ["a.3"]


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("layer.0.conv", "layer.0.conv"),
        ("layer.1", "layer.1.1"),
        ("layer.conv", "layer.2.conv"),
        ("layer", "layer.2.1"),
    ],
)
def test_a_turn_of_a_repeat_is_read_by_its_path(reference: str, path: str) -> None:
    assert read_by(f"[unit]\nname = layer\nrepeat = 3\n[route]\nfrom = {reference}\n", UNIT) == [path]


def test_a_turn_of_a_repeated_block_is_read_by_its_path() -> None:
    assert read_by(conv(name="c", repeat=3) + "[route]\nfrom = c.1\n") == ["c.1"]
    assert codes(conv(name="c", repeat=3) + "[route]\nfrom = c.3\n") == ["NC204"]


def test_a_repeat_must_fit_itself() -> None:
    assert codes("[maxpool]\npool_size = 2\nstride = 2\nrepeat = 4\n") == ["NC302"]


# --- names of parameters


def test_parameters_of_named_blocks_keep_their_names_when_others_are_inserted() -> None:
    blocks = [conv(name="stem"), "[unit]\nname = body\n", conv(name="head")]
    before = keys("".join(blocks), UNIT)
    after = keys("[identity]\n" + "[activation]\nactivation = relu\n".join(blocks) + "[identity]\n", UNIT)
    assert after == before


def test_parameters_of_unnamed_blocks_are_called_by_position() -> None:
    assert keys(conv() + "[identity]\n" + conv())[::2] == ["0.weight", "2.weight"]


@pytest.mark.parametrize("attribute", sorted(name for name in dir(nn.ModuleDict()) if name.isidentifier()))
def test_no_block_is_called_like_something_of_pytorchs(attribute: str) -> None:
    assert codes(conv(name=attribute)) == ["NC111"]


@pytest.mark.parametrize("name", ["keys", "train", "items", "N.v2", "__class__"])
def test_no_network_is_called_like_something_of_pytorchs(name: str) -> None:
    findings = netcfg.check(HEAD.replace("{N}", f"{{{name}}}") + conv())[1]
    assert [finding.code for finding in findings] == ["NC111"]


@pytest.mark.parametrize("name", ["N", "Image Discriminator", "R\u00e9seau", "3D", "a-b"])
def test_a_network_may_be_called_anything_else(name: str) -> None:
    assert list(netcfg.build(netcfg.load(HEAD.replace("{N}", f"{{{name}}}") + conv()))) == [name]


def test_a_name_may_be_computed() -> None:
    variables = "{General}\n[variables]\nn = 4\n"
    assert read_by(conv(name="c$n") + conv(name="c${n + 1}") + "[route]\nfrom = c4\n", variables) == ["c4"]


@pytest.mark.parametrize(
    ("name", "code"), [("a b", "NC111"), ("4", "NC111"), ("keys", "NC111"), ("taken", "NC107")]
)
def test_a_computed_name_is_checked_like_any_other(name: str, code: str) -> None:
    variables = f"{{General}}\n[variables]\nn = {name}\n"
    assert codes(conv(name="taken") + conv(name="$n"), variables) == [code]


# --- the field's own networks

BASIC = """
{Define basic}  # torchvision's BasicBlock, without a projection on the shortcut
[parameters]
filters
[convolutional]
name = conv1
filters = $filters
kernel_size = 3
pad = 1
use_bias = False
[batch_norm]
name = bn1
[activation]
activation = relu
[convolutional]
name = conv2
filters = $filters
kernel_size = 3
pad = 1
use_bias = False
[batch_norm]
name = bn2
[combine_add]
combine_layers = -1, input
[activation]
activation = relu

{Define projection}
[parameters]
filters
[convolutional]
filters = $filters
kernel_size = 1
stride = 2
use_bias = False
[batch_norm]

{Define basic_down}  # the same with half the pixels and a projection
[parameters]
filters
[convolutional]
name = conv1
filters = $filters
kernel_size = 3
stride = 2
pad = 1
use_bias = False
[batch_norm]
name = bn1
[activation]
activation = relu
[convolutional]
name = conv2
filters = $filters
kernel_size = 3
pad = 1
use_bias = False
[batch_norm]
name = bn2
[projection]
name = downsample
from = input
filters = $filters
[combine_add]
combine_layers = bn2, downsample
[activation]
activation = relu

{Define stage}
[parameters]
filters
[basic_down]
filters = $filters
[basic]
filters = $filters

{ResNet}
[net]
channels = 3
height = 64
width = 64
[convolutional]
name = conv1
filters = 64
kernel_size = 7
stride = 2
pad = 3
use_bias = False
[batch_norm]
name = bn1
[activation]
activation = relu
[maxpool]
pool_size = 3
stride = 2
pad = 1
[basic]
name = layer1
filters = 64
repeat = 2
[stage]
name = layer2
filters = 128
[stage]
name = layer3
filters = 256
[stage]
name = layer4
filters = 512
[global_avgpool]
[connected]
name = fc
output_features = 1000
"""


def test_a_resnet18_has_torchvisions_parameters_in_order() -> None:
    with torch.device("meta"):
        ours = netcfg.build(netcfg.load(BASIC))["ResNet"]
        theirs = torchvision.models.resnet18(weights=None)
    assert shapes(ours) == shapes(theirs)


@pytest.mark.parametrize("training", [False, True])
def test_a_resnet18_computes_what_torchvisions_does(training: bool) -> None:
    ours = netcfg.build(netcfg.load(BASIC))["ResNet"].train(training)
    theirs = torchvision.models.resnet18(weights=None).train(training)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)


def test_a_resnet18_has_torchvisions_gradients() -> None:
    ours = netcfg.build(netcfg.load(BASIC))["ResNet"].double()
    theirs = torchvision.models.resnet18(weights=None).double()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    for network in (ours, theirs):
        network(x).square().sum().backward()
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=1e-8, msg=name)


def vgg16_program() -> str:
    text = "{include blocks/vgg16.cfg}\n{VGG}\n[net]\nchannels = 3\nheight = 224\nwidth = 224\n"
    return text + "[vgg16_features]\nname = features\n[flatten]\n[vgg16_classifier]\nname = classifier\n"


def shapes(module: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(key, tuple(value.shape)) for key, value in module.state_dict().items()]


def test_vgg16_has_torchvisions_parameters() -> None:
    with torch.device("meta"):
        ours = netcfg.build(netcfg.load(vgg16_program()))["VGG"]
        theirs = torchvision.models.vgg16(weights=None)
    assert shapes(ours) == shapes(theirs)


def test_vgg16_counts_torchvisions_parameters() -> None:
    assert netcfg.load(vgg16_program()).networks["VGG"].parameters == 138_357_544


def test_a_network_with_an_input_called_input_must_say_which_it_reads_first() -> None:
    head = "{N}\n[net]\n[input]\nname = input\nchannels = 3\n[input]\nname = other\nchannels = 3\n"
    text = head + conv() + "[combine_add]\ncombine_layers = input, other\n"
    assert [finding.code for finding in netcfg.check(text)[1]] == ["NC205"]


def test_from_may_stand_for_a_blocks_own_option() -> None:
    assert read_by(conv(name="a") + "[combine_add]\ncombine_layers = None\nfrom = a, input\n") == [
        "a",
        "input",
    ]
    assert codes(conv(name="a") + "[combine_add]\ncombine_layers = a, a\nfrom = a, a\n") == ["NC105"]


def test_who_reads_a_formula_that_is_not_there_reads_its_first_name() -> None:
    assert read_by("[formula]\nname = changed\nif = False\nvalue = 2 * input\n" + conv(name="last")) == [
        "input"
    ]


USED = "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[stem]\n"
BLOCK = "[convolutional]\nfilters = 4\nkernel_size = 3\n"


@pytest.mark.parametrize(
    ("header", "code", "help"),
    [
        ("{Template stem}", "NC101", "a template is written `{Define stem}`"),
        ("{define stem}", "NC101", "a template is written `{Define stem}`"),
        ("{stem}", "NC112", "put `[net]` first; a template, used as `[stem]`, is `{Define stem}`"),
    ],
)
def test_a_template_by_another_word_is_one_finding(header: str, code: str, help: str) -> None:
    (finding,) = netcfg.check(f"{header}\n{BLOCK}{USED}")[1]
    assert (finding.code, finding.help) == (code, help)


def test_an_unknown_parameter_is_told_those_that_there_are() -> None:
    text = "{Define T}\n[parameters]\nplanes = 3\n[identity]\n{N}\n[net]\nchannels = 3\n[T]\nof_another_kind = 1\n"
    _, (finding,) = netcfg.check(text)
    assert (finding.code, finding.help) == ("NC103", "it has `planes`")


def test_an_input_of_a_network_may_be_there_or_not() -> None:
    text = """{General}
[variables]
told = %s
{N}
[net]
[input]
name = x
features = 3
[input]
name = y
if = $told
features = 5
[combine_concat]
if = $told
combine_layers = x, y
[connected]
output_features = 2
"""
    assert list(netcfg.load(text % "True").networks["N"].inputs) == ["x", "y"]
    without = netcfg.load(text % "False").networks["N"]
    assert list(without.inputs) == ["x"]
    assert without.parameters == 3 * 2 + 2


def test_an_input_of_a_template_has_a_name_and_no_other_option() -> None:
    text = "{Define t}\n[input]\nname = a\nif = False\n[flatten]\n{N}\n[net]\nchannels = 3\n"
    text += "height = 8\nwidth = 8\n[t]\n"
    with pytest.raises(ProgramError) as caught:
        netcfg.load(text)
    (finding,) = caught.value.findings
    assert (finding.code, finding.span.line) == ("NC103", 4)
    assert finding.message == "an [input] of a template has a `name` alone, and no `if`"
