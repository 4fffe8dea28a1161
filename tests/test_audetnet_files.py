"""The shipped AUDetNet files: their networks fit each other, and what their stems need is said at the right time."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.builder.weights import load_pretrained
from netcfg.passes.read import shipped_folder
from netcfg.source import ProgramError

FILES = ["audetnet", "audetnet_resnet50", "audetnet_vggface"]


@pytest.mark.parametrize("name", FILES)
def test_the_networks_fit_each_other(name: str) -> None:
    with torch.device("meta"), torch.no_grad():  # shapes alone: the numbers of the stems have golden values
        networks = netcfg.build(netcfg.load(shipped_folder() / f"{name}.cfg"))
        images = torch.zeros(2, 3, 64, 64)
        code = networks["Encoder"](images)
        assert code.shape == (2, 192, 1, 1)
        assert networks["AUPredictor"](code[:, :64]).shape == (2, 12, 1, 1)
        decoded = networks["Decoder"](code)
        assert decoded.shape == images.shape
        assert networks["Discriminator"](code).shape == (2, 1, 1, 1)
        assert networks["Image Discriminator"](decoded).shape == (2, 1, 1, 1)


@pytest.mark.parametrize(("name", "frozen"), [("audetnet_resnet50", 225_344), ("audetnet_vggface", 260_160)])
def test_only_the_first_layers_of_a_stem_are_frozen(name: str, frozen: int) -> None:
    program = netcfg.load(shipped_folder() / f"{name}.cfg")
    graph = program.networks["Encoder"]
    assert graph.parameters - graph.trainable == frozen
    with torch.device("meta"):
        encoder = netcfg.build(program)["Encoder"]
    assert sum(value.numel() for value in encoder.parameters() if not value.requires_grad) == frozen


def test_vgg_faces_weights_are_asked_for_when_it_trains() -> None:
    program = netcfg.load(shipped_folder() / "audetnet_vggface.cfg")
    with pytest.raises(ProgramError) as raised:
        load_pretrained(program, netcfg.build(program))
    (finding,) = raised.value.findings
    assert finding.code == "NC601"
    assert finding.span is not None
    assert finding.span.file.line(finding.span.line).startswith("[vgg-face]")
    assert "state_dict_filepath" in (finding.help or "")


def test_resnet50_starts_from_imagenet() -> None:
    graph = netcfg.load(shipped_folder() / "audetnet_resnet50.cfg").networks["Encoder"]
    assert [(request.path, request.source) for request in graph.weights] == [("0", "imagenet")]
