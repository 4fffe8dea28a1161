"""A PyTorch file is judged by its directory before anything of it is unpacked."""

import io
import zipfile

import pytest
import torch

from netcfg.builder import archives
from netcfg.builder.weights import read_state
from netcfg.source import NetcfgError


def repacked(path, extra=()):
    """A file of `torch.save`, compressed, with more entries."""
    plain = io.BytesIO()
    torch.save({"weight": torch.zeros(4)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
        for name, content in extra:
            target.writestr(name, content)
    return path


def test_one_that_unpacks_to_much_more_is_not_opened(tmp_path, monkeypatch):
    path = repacked(tmp_path / "bomb.pth", [("archive/data/9", bytes(64 << 20))])
    monkeypatch.setattr(torch, "load", lambda *args, **options: pytest.fail("opened"))
    with pytest.raises(NetcfgError, match=r"bomb.pth is not opened: its [\d,]+ bytes would unpack to 67,1"):
        read_state(path)


def test_one_of_too_many_entries_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_ENTRIES", 20)
    path = repacked(tmp_path / "many.pth", [(f"archive/data/{number}", b"1") for number in range(30)])
    with pytest.raises(NetcfgError, match="many.pth is not opened: it holds 3. entries, and at most 20"):
        read_state(path)


def test_one_whose_tensors_repeat_a_few_numbers_is_not_taken(tmp_path):
    torch.save({"weight": torch.zeros(1).expand(1_000_000)}, tmp_path / "wide.pth")
    with pytest.raises(NetcfgError, match="a tensor of 1,000,000 numbers has but 1 of them in the file"):
        read_state(tmp_path / "wide.pth")


def test_one_of_containers_in_containers_is_not_taken(tmp_path):
    value = {}
    for _ in range(100):
        value = {"state_dict": value}
    torch.save(value, tmp_path / "deep.pth")
    with pytest.raises(NetcfgError, match="more than 64 deep"):
        read_state(tmp_path / "deep.pth")


def test_plain_ones_are_read_packed_or_not(tmp_path):
    torch.save({"weight": torch.arange(1000.0)[::2]}, tmp_path / "plain.pth")
    assert read_state(tmp_path / "plain.pth")["weight"].shape == (500,)
    assert read_state(repacked(tmp_path / "packed.pth"))["weight"].tolist() == [0.0] * 4
