"""Weights from and to files: what is loaded, adapted, refused, and that nothing in a file is ever run."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import netcfg
from netcfg.builder.weights import (
    Loaded,
    adapt,
    frozen_at_random,
    load_pretrained,
    load_state,
    read_state,
    save_state,
)
from netcfg.source import Finding, NetcfgError, ProgramError

HEAD = "{N}\n[net]\nchannels = 3\nheight = 4\nwidth = 4\n"
BLOCKS = (
    "[convolutional]\nname = stem\nfilters = 2\nkernel_size = 3\npad = 1\nbatch_normalise = 1\n"
    "[flatten]\n"
    "[connected]\nname = head\noutput_features = 5\n"
)


def build(text: str = HEAD + BLOCKS) -> nn.Module:
    return netcfg.build(netcfg.load(text))["N"]


def same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return list(first) == list(second) and all(torch.equal(first[key], second[key]) for key in first)


# --- our own files


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    network, twin = build(), build()
    save_state(tmp_path / "w.safetensors", network)
    assert not same(network, twin)
    load_state(tmp_path / "w.safetensors", twin)
    assert same(network, twin)


def test_channels_last_weights_are_saved(tmp_path: Path) -> None:
    network, twin = build().to(memory_format=torch.channels_last), build()
    save_state(tmp_path / "w.safetensors", network)
    load_state(tmp_path / "w.safetensors", twin)
    assert same(network, twin)


def test_saving_leaves_nothing_else_behind(tmp_path: Path) -> None:
    save_state(tmp_path / "w.safetensors", build())
    assert os.listdir(tmp_path) == ["w.safetensors"]


def test_saving_into_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NetcfgError, match="there is no folder"):
        save_state(tmp_path / "none" / "w.safetensors", build())


@pytest.mark.parametrize(
    ("other", "rows"),
    [
        (BLOCKS.replace("stem", "root"), ["root.weight: not in the file", "more"]),
        (
            BLOCKS.replace("= 5", "= 6"),
            ["head.weight: 5×32 in the file, 6×32 in the network", "head.bias: 5 in the file"],
        ),
        (
            BLOCKS.replace("batch_normalise = 1", ""),
            ["stem.bias: not in the file", "stem.batch_norm.weight: only in"],
        ),
    ],
)
def test_another_networks_file_names_what_differs(tmp_path: Path, other: str, rows: list[str]) -> None:
    save_state(tmp_path / "w.safetensors", build())
    network = build(HEAD + other)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(NetcfgError) as raised:
        load_state(tmp_path / "w.safetensors", network)
    assert [row for row in rows if row not in str(raised.value)] == []
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_many_differences_are_cut_short(tmp_path: Path) -> None:
    save_state(tmp_path / "w.safetensors", build(HEAD + BLOCKS.split("[flatten]")[0] + "repeat = 1\n"))
    with pytest.raises(NetcfgError, match=r"… and \d+ more"):
        load_state(tmp_path / "w.safetensors", build())


# --- others' files


def test_a_pytorch_state_dict_is_read(tmp_path: Path) -> None:
    torch.save(build().state_dict(), tmp_path / "w.pth")
    assert list(read_state(tmp_path / "w.pth")) == list(build().state_dict())


def test_a_state_dict_inside_a_checkpoint_is_read(tmp_path: Path) -> None:
    torch.save({"state_dict": build().state_dict(), "epoch": 3}, tmp_path / "w.pth")
    assert "stem.weight" in read_state(tmp_path / "w.pth")


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("by_torch", [True, False])
def test_nothing_in_a_file_is_run(tmp_path: Path, by_torch: bool) -> None:
    state = {"stem.weight": Bomb(tmp_path / "ran")}
    path = tmp_path / "w.pth"
    torch.save(state, path) if by_torch else path.write_bytes(pickle.dumps(state))
    with pytest.raises(NetcfgError):
        read_state(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "w.pt", "w"])
@pytest.mark.parametrize("data", [b"", b"no weights", b"\0" * 100, b"PK\x03\x04" + b"\0" * 50, b"\xff" * 16])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(NetcfgError, match=name):
        read_state(tmp_path / name)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_file_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save_state(path, build()) if name.endswith("safetensors") else torch.save(build().state_dict(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(NetcfgError, match="damaged"):
        read_state(path)


@pytest.mark.parametrize("held", [[torch.zeros(2)], {"a": 1}, torch.zeros(2), {"state_dict": {"a": "b"}}])
def test_a_file_of_anything_but_tensors_by_name_is_refused(tmp_path: Path, held: object) -> None:
    torch.save(held, tmp_path / "w.pth")
    with pytest.raises(NetcfgError, match="holds no state dict"):
        read_state(tmp_path / "w.pth")


# --- fitting another shape


def linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs)


def state(inputs: int, outputs: int) -> dict[str, Tensor]:
    return {
        "weight": torch.arange(float(inputs * outputs)).reshape(outputs, inputs),
        "bias": torch.arange(float(outputs)),
    }


@pytest.mark.parametrize("how", ["strict", "tile", "skip"])
def test_equal_shapes_are_loaded_whatever_is_asked(how: str) -> None:
    module = linear(4, 2)
    report = adapt(state(4, 2), module, how)
    assert report.loaded == ["weight", "bias"]
    assert torch.equal(module.weight, state(4, 2)["weight"])


def test_strict_refuses_other_shapes() -> None:
    with pytest.raises(NetcfgError, match="weight: 2×4 in the file, 2×8 in the network"):
        adapt(state(4, 2), linear(8, 2), "strict")


def test_tile_repeats_along_the_inputs() -> None:
    module = linear(8, 2)
    report = adapt(state(4, 2), module, "tile")
    assert (report.loaded, report.adapted) == (["bias"], ["weight"])
    assert torch.equal(module.weight, torch.cat([state(4, 2)["weight"]] * 2, 1))


@pytest.mark.parametrize("inputs", [6, 2])
def test_tile_refuses_what_is_no_whole_number_of_times_as_wide(inputs: int) -> None:
    with pytest.raises(NetcfgError, match="differ"):
        adapt(state(4, 2), linear(inputs, 2), "tile")


def test_skip_leaves_other_shapes_as_they_are() -> None:
    module = linear(8, 2)
    before = module.weight.detach().clone()
    report = adapt(state(4, 2), module, "skip")
    assert (report.loaded, report.left_out) == (["bias"], ["weight"])
    assert torch.equal(module.weight, before)


@pytest.mark.parametrize("row", [0, 1, 3])
def test_an_output_row_takes_the_rows_from_there_on(row: int) -> None:
    module = linear(4, 2)
    report = adapt(state(4, 5), module, "tile", output_row=row)
    assert report.adapted == ["weight", "bias"]
    assert module.bias.tolist() == [float(row), float(row + 1)]


def test_an_output_row_past_the_end_is_refused() -> None:
    with pytest.raises(NetcfgError, match="differ"):
        adapt(state(4, 5), linear(4, 2), "tile", output_row=4)


def test_what_the_file_has_too_much_is_reported() -> None:
    report = adapt({**state(4, 2), "extra": torch.zeros(1)}, linear(4, 2), "strict")
    assert report.left_over == ["extra"]
    assert "1 of the file not used" in str(report)


# --- as a program asks


def loaded(text: str) -> tuple[nn.Module, list[Loaded]]:
    program = netcfg.load(text)
    networks = netcfg.build(program)
    return next(iter(networks.values())), load_pretrained(program, networks)


def finding_of(text: str) -> Finding:
    with pytest.raises(ProgramError) as raised:
        loaded(text)
    (finding,) = raised.value.findings
    return finding


def test_a_network_starts_from_its_file(tmp_path: Path) -> None:
    network = build()
    save_state(tmp_path / "w.safetensors", network)
    other, reports = loaded(HEAD + f"weights = {tmp_path / 'w.safetensors'}\n" + BLOCKS)
    assert same(other, network)
    assert [len(report.loaded) for report in reports] == [len(network.state_dict())]


def test_a_block_starts_from_its_file(tmp_path: Path) -> None:
    network = build()
    torch.save(network.get_submodule("head").state_dict(), tmp_path / "w.pth")
    other, _ = loaded(HEAD + BLOCKS + f"weights = {tmp_path / 'w.pth'}\n")
    assert torch.equal(other.get_parameter("head.weight"), network.get_parameter("head.weight"))
    assert not torch.equal(other.get_parameter("stem.weight"), network.get_parameter("stem.weight"))


def test_a_use_of_a_template_starts_from_its_file(tmp_path: Path) -> None:
    network = build()
    save_state(tmp_path / "w.safetensors", network)
    use = "[t]\nname = u\nweights = " + str(tmp_path / "w.safetensors") + "\n"
    other, _ = loaded("{Define t}\n" + BLOCKS + HEAD + use)
    assert torch.equal(other.get_parameter("u.head.weight"), network.get_parameter("head.weight"))


@pytest.mark.parametrize("place", ["net", "block"])
def test_a_missing_file_is_found_where_it_is_asked_for(place: str) -> None:
    line = "weights = nowhere.pth\n"
    text = HEAD + (line + BLOCKS if place == "net" else BLOCKS + line)
    finding = finding_of(text)
    assert finding.code == "NC601"
    assert finding.span is not None
    assert (finding.span.line, finding.span.column) == (text.splitlines().index(line.strip()) + 1, 11)


def test_another_networks_file_is_found_where_it_is_asked_for(tmp_path: Path) -> None:
    save_state(tmp_path / "w.safetensors", build())
    text = HEAD + f"weights = {tmp_path / 'w.safetensors'}\n" + BLOCKS.replace("= 5", "= 6")
    assert finding_of(text).code == "NC602"


def test_a_damaged_file_is_found_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"no weights")
    assert finding_of(HEAD + f"weights = {tmp_path / 'w.pth'}\n" + BLOCKS).code == "NC603"


def test_a_block_without_parameters_has_none_to_load(tmp_path: Path) -> None:
    torch.save({}, tmp_path / "w.pth")
    finding = finding_of(HEAD + BLOCKS + f"[identity]\nname = i\nweights = {tmp_path / 'w.pth'}\n")
    assert "`i` has no parameters" in finding.message


def test_vgg_face_asks_for_its_file() -> None:
    text = HEAD.replace("= 4", "= 32") + "[vgg-face]\nstate_dict_filepath = nowhere.pth\n"
    finding = finding_of(text)
    assert (finding.code, finding.span and finding.span.line) == ("NC601", 6)


def test_vgg_face_starts_from_random_ones_by_none() -> None:
    _, reports = loaded(
        HEAD.replace("= 4", "= 32") + "[vgg-face]\nstate_dict_filepath = x.pth\nweights = None\n"
    )
    assert reports == []


STACK = (
    "{Define pile}\n[connected]\noutput_features = 4\n[connected]\nweights_from = 7\noutput_features = 4\n"
)
TWO = STACK + "{N}\n[net]\nADDED[input]\nname = x\nfeatures = 4\n"
USES = "".join(f"[pile]\nname = {name}\nweights_from = body\n" for name in ("one", "other"))


def body(shape: tuple[int, int] = (4, 4)) -> dict[str, Tensor]:
    """A file whose `body` has its second layer at position 7."""
    return {
        key: torch.randn(*shape) if key.endswith("weight") else torch.randn(shape[0])
        for key in ("body.0.weight", "body.0.bias", "body.7.weight", "body.7.bias")
    }


def test_a_part_of_a_file_goes_to_all_that_name_it(tmp_path: Path) -> None:
    state = body()
    torch.save(state, tmp_path / "w.pth")
    network, (report,) = loaded(TWO.replace("ADDED", f"weights = {tmp_path / 'w.pth'}\n") + USES)
    for name in ("one", "other"):
        assert torch.equal(network.get_parameter(f"{name}.0.weight"), state["body.0.weight"])
        assert torch.equal(network.get_parameter(f"{name}.1.bias"), state["body.7.bias"])
    assert (len(report.loaded), report.left_over) == (8, [])


def test_a_block_takes_a_part_of_its_own_file(tmp_path: Path) -> None:
    state = body()
    torch.save({**state, "head.weight": torch.zeros(1)}, tmp_path / "w.pth")
    asked = f"[pile]\nname = one\nweights = {tmp_path / 'w.pth'}\nweights_from = body\n"
    network, (report,) = loaded(TWO.replace("ADDED", "") + asked)
    assert torch.equal(network.get_parameter("one.1.weight"), state["body.7.weight"])
    assert report.left_over == ["head.weight"]


def test_a_single_layer_takes_a_layer_of_another_name(tmp_path: Path) -> None:
    state = body()
    torch.save(state, tmp_path / "w.pth")
    asked = f"[connected]\noutput_features = 4\nweights = {tmp_path / 'w.pth'}\nweights_from = body.7\n"
    network, _ = loaded(TWO.replace("ADDED", "") + asked)
    assert torch.equal(network.get_parameter("0.weight"), state["body.7.weight"])


def test_a_part_that_the_file_has_not_is_named(tmp_path: Path) -> None:
    torch.save({key: value for key, value in body().items() if "7" not in key}, tmp_path / "w.pth")
    message = finding_of(TWO.replace("ADDED", f"weights = {tmp_path / 'w.pth'}\n") + USES).message
    assert "one.1.weight (`body.7.weight` in the file): not in the file" in message


def test_a_repeat_starts_from_the_repeat_of_another_name(tmp_path: Path) -> None:
    shapes = {"weight": (4, 4), "bias": (4,)}
    state = {f"body.{turn}.{key}": torch.randn(size) for turn in (0, 1) for key, size in shapes.items()}
    torch.save(state, tmp_path / "w.pth")
    asked = "[connected]\nname = x1\nrepeat = 2\noutput_features = 4\nweights_from = body\n"
    network, _ = loaded(TWO.replace("ADDED", f"weights = {tmp_path / 'w.pth'}\n") + asked)
    assert torch.equal(network.get_parameter("x1.1.weight"), state["body.1.weight"])


MAPPED = (
    "{N}\n[net]\nADDEDchannels = 2\nheight = HEIGHT\nwidth = WIDTH\n[flatten]\n"
    "[connected]\nname = fc\noutput_features = 3\n"
)


@pytest.mark.parametrize(("height", "width"), [(1, 2), (2, 1), (2, 2), (4, 4), (1, 1)])
def test_tile_map_gives_every_copy_of_a_place_its_weights(height: int, width: int, tmp_path: Path) -> None:
    """A larger map that repeats a small one sums as many times what the small one gives."""
    small = {"fc.weight": torch.randn(3, 2), "fc.bias": torch.zeros(3)}
    torch.save(small, tmp_path / "w.pth")
    text = MAPPED.replace("HEIGHT", str(height)).replace("WIDTH", str(width))
    network, _ = loaded(text.replace("ADDED", f"weights = {tmp_path / 'w.pth'}\nadapt = tile_map\n"))
    x = torch.randn(1, 2, 1, 1)
    found = network(x.expand(1, 2, height, width))
    torch.testing.assert_close(found, height * width * (x.flatten(1) @ small["fc.weight"].T))


def test_tile_map_takes_the_squarest_map_and_keeps_rows_apart(tmp_path: Path) -> None:
    """2×4 from four places is 2×2 twice, side by side."""
    weight = torch.arange(8.0).reshape(1, 8)
    torch.save({"fc.weight": weight, "fc.bias": torch.zeros(1)}, tmp_path / "w.pth")
    text = MAPPED.replace("HEIGHT", "2").replace("WIDTH", "4").replace("= 3", "= 1")
    network, _ = loaded(text.replace("ADDED", f"weights = {tmp_path / 'w.pth'}\nadapt = tile_map\n"))
    expected = [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7]
    assert network.get_parameter("fc.weight").flatten().tolist() == expected


def test_a_fresh_output_row_is_for_the_output_alone(tmp_path: Path) -> None:
    torch.save({"fc.weight": torch.randn(5, 2), "fc.bias": torch.randn(5)}, tmp_path / "w.pth")
    text = MAPPED.replace("HEIGHT", "1").replace("WIDTH", "1")
    added = f"weights = {tmp_path / 'w.pth'}\noutput_row = fresh\n"
    _, (report,) = loaded(text.replace("ADDED", added))
    assert report.left_out == ["fc.weight", "fc.bias"]
    behind = (
        text.replace("ADDED", added + "adapt = strict\n") + "[connected]\nname = last\noutput_features = 3\n"
    )
    assert "fc.weight: 5×2 in the file, 3×2 in the network" in finding_of(behind).message


def test_frozen_blocks_that_no_file_reaches_are_told(tmp_path: Path) -> None:
    save_state(tmp_path / "stem.safetensors", build().get_submodule("stem"))
    text = HEAD + "freeze = True\n" + BLOCKS
    stem = BLOCKS.replace("name = stem\n", f"name = stem\nweights = {tmp_path / 'stem.safetensors'}\n")
    told = []
    for program in map(netcfg.load, (text, HEAD + "freeze = True\n" + stem, HEAD + BLOCKS)):
        reports = load_pretrained(program, netcfg.build(program))
        told.append([line.partition(" stay")[0] for line in frozen_at_random(program, reports)])
    assert told == [["N: `stem`, `head`"], ["N: `head`"], []]


# --- one network of a program's file

OTHER = HEAD.replace("{N}", "{Image Discriminator}") + BLOCKS.replace("= 5", "= 3")


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, nn.Module]:
    """A file of two networks, as a run leaves it."""
    networks = netcfg.build(netcfg.load(HEAD + BLOCKS + OTHER))
    save_state(tmp_path / "best.safetensors", networks)
    return tmp_path / "best.safetensors", networks


def test_a_network_takes_its_own_part_of_a_programs_file(whole: tuple[Path, nn.Module]) -> None:
    path, networks = whole
    other, (report,) = loaded(HEAD + f"weights = {path}\n" + BLOCKS)
    assert same(other, networks.get_submodule("N"))
    assert (report.source, report.left_over) == (f"{path} (N)", [])


def test_a_name_with_a_space_is_found_in_a_programs_file(whole: tuple[Path, nn.Module]) -> None:
    path, networks = whole
    other, _ = loaded(OTHER.replace("[net]\n", f"[net]\nweights = {path}\n"))
    assert same(other, networks.get_submodule("Image Discriminator"))


def test_a_file_without_the_network_tells_what_it_holds(whole: tuple[Path, nn.Module]) -> None:
    text = HEAD.replace("{N}", "{Image Discriminato}") + f"weights = {whole[0]}\n" + BLOCKS
    finding = finding_of(text)
    assert finding.code == "NC602"
    assert (
        "holds no parameters of `Image Discriminato`: it holds `Image Discriminator.…`, `N.…`"
        in finding.message
    )
    assert finding.help == "give the network the name in the file, `Image Discriminator`"


def test_a_block_named_as_its_network_is_no_other_network(tmp_path: Path) -> None:
    text = HEAD + BLOCKS.replace("stem", "N")
    network = netcfg.build(netcfg.load(text))["N"]
    save_state(tmp_path / "bare.safetensors", network)
    other, _ = loaded(text.replace("[net]\n", f"[net]\nweights = {tmp_path / 'bare.safetensors'}\n"))
    assert same(other, network)


def test_a_shorter_network_leaves_over_what_it_does_not_have(whole: tuple[Path, nn.Module]) -> None:
    body = BLOCKS.partition("[flatten]")[0]
    _, (report,) = loaded(HEAD + f"weights = {whole[0]}\n" + body)
    assert sorted(report.left_over) == ["head.bias", "head.weight"]


def test_what_a_network_asks_for_wins_over_what_a_block_starts_from(tmp_path: Path) -> None:
    body = "[vgg-face]\nname = v\nstate_dict_filepath = nowhere.pth\n"
    head = HEAD.replace("= 4", "= 32")
    save_state(tmp_path / "w.safetensors", build(head + body))
    _, (report,) = loaded(head + f"weights = {tmp_path / 'w.safetensors'}\n" + body)
    assert len(report.loaded) == 26


def test_a_path_is_seen_from_the_cfg_before_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = build(), build()
    (tmp_path / "cfg").mkdir()
    save_state(tmp_path / "w.safetensors", here)
    save_state(tmp_path / "cfg" / "w.safetensors", there)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "cfg" / "n.cfg"
    path.write_text(HEAD + "weights = w.safetensors\n" + BLOCKS)
    for wanted in (there, here):
        program = netcfg.load(path)
        networks = netcfg.build(program)
        load_pretrained(program, networks)
        assert same(networks["N"], wanted)
        (tmp_path / "cfg" / "w.safetensors").unlink(missing_ok=True)


# --- in the layout of lists


def test_a_list_of_state_dicts_is_read_by_position(tmp_path: Path) -> None:
    network = build()
    state = network.state_dict()
    norm = {f"1.{key[16:]}": value for key, value in state.items() if key.startswith("stem.batch_norm.")}
    head = {"0.weight": state["head.weight"], "0.bias": state["head.bias"]}
    torch.save([{"0.weight": state["stem.weight"], **norm}, {}, head], tmp_path / "w.pth")
    asked = f"weights = {tmp_path / 'w.pth'}\nlayout = audetnet\n"
    assert same(loaded(HEAD + asked + BLOCKS)[0], network)
    assert "one of whole networks" in finding_of(HEAD + BLOCKS + asked).message


def test_no_weights_are_asked_for_by_none() -> None:
    _, reports = loaded(HEAD + "weights = None\n" + BLOCKS)
    assert reports == []
