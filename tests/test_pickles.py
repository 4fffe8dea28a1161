"""Pickles are read as plain data, whoever wrote them, and never run."""

import collections
import os
import pickle

import numpy as np
import pytest

from netcfg.datasets.samples.pickles import read_pickle
from netcfg.source import NetcfgError

PLAIN = {
    "row": np.arange(12.0),
    "float32": np.float32(2.5),
    "columns": [1, (2, np.array([[1, 2], [3, 4]], order="F"))],
    np.str_("text"): np.array(["u", "vv"]),
    "big endian": np.arange(3, dtype=">f4"),
    "no axes": np.array(5.0),
    "empty": np.zeros((0, 3)),
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"ab"),
    "complex": 1 + 2j,
    "ordered": collections.OrderedDict(a=1),
    "default": collections.defaultdict(list, a=[1]),
}
# What Python 2 with an old numpy wrote for {'SN001_1': array([1.5, 2.])}, protocol 0 and 2.
PYTHON_2 = [
    b"(dp0\nS'SN001_1'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n(I0\ntp4\nS'b'\np5\ntp6\n"
    b"Rp7\n(I1\n(I2\ntp8\ncnumpy\ndtype\np9\n(S'f8'\np10\nI0\nI1\ntp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\n"
    b"bI00\nS'\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?\\x00\\x00\\x00\\x00\\x00\\x00\\x00@'\np15\ntp16\nbs.",
    b"\x80\x02}q\x00U\x07SN001_1q\x01cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85q\x04U\x01"
    b"b\x87q\x05Rq\x06(K\x01K\x02\x85q\x07cnumpy\ndtype\nq\x08U\x02f8K\x00K\x01\x87q\tRq\n(K\x03U\x01<NNNJ\xff\xff\xff\xff"
    b"J\xff\xff\xff\xffK\x00tb\x89U\x10\x00\x00\x00\x00\x00\x00\xf8?\x00\x00\x00\x00\x00\x00\x00@tbs.",
]


class Harmful:
    def __reduce__(self):
        return os.system, ("touch harmed",)


def written(folder, data):
    path = folder / "labels.pkl"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_come_back(protocol, tmp_path):
    found = read_pickle(written(tmp_path, pickle.dumps(PLAIN, protocol)))
    assert list(found) == [str(key) for key in PLAIN]
    for key, value in PLAIN.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(found[key], value)
        elif key != "columns":
            assert found[key] == value
    np.testing.assert_array_equal(found["columns"][1][1], [[1, 2], [3, 4]])


@pytest.mark.parametrize("data", PYTHON_2)
def test_python_2_pickles_come_back(data, tmp_path):
    found = read_pickle(written(tmp_path, data))
    np.testing.assert_array_equal(found["SN001_1"], [1.5, 2.0])


def test_names_of_numpy_1_and_2_are_the_same(tmp_path):
    data = pickle.dumps(np.arange(3), 2)
    other = (
        data.replace(b"numpy._core.", b"numpy.core.")
        if b"numpy._core" in data
        else data.replace(b"numpy.core.", b"numpy._core.")
    )
    assert other != data
    np.testing.assert_array_equal(read_pickle(written(tmp_path, other)), [0, 1, 2])


def test_a_list_in_itself_ends(tmp_path):
    loop = []
    loop.append(loop)
    found = read_pickle(written(tmp_path, pickle.dumps(loop)))
    assert found[0] is found


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_named_and_not_run(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path, pickle.dumps({"a": Harmful()}, protocol))
    with pytest.raises(NetcfgError, match=r"would run `\w+\.system`.*nothing of it was run\nhelp: "):
        read_pickle(path)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(np.array([1, None], object)), "`O8`, not of numbers"),
        (pickle.dumps(np.zeros(2, [("a", "f4")])), "not of numbers"),
        (pickle.dumps(len), "would run `builtins.len`"),
        (pickle.dumps(np.ndarray), "a function or a class"),
        # changes a function of the reader, were it allowed to
        (b"\x80\x02c_codecs\nencode\nN}X\x0c\x00\x00\x00__defaults__Ns\x86b.", "sets attributes"),
        (b"\x80\x02\x82\x01.", "registry of extensions"),
        (b"P1\n.", "objects outside it"),
    ],
)
def test_what_is_not_plain_data_is_refused(data, message, tmp_path):
    with pytest.raises(NetcfgError, match=message):
        read_pickle(written(tmp_path, data))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (pickle.dumps(PLAIN)[:200], "is cut short"),
        (b"hello world", "is not a pickle"),
        (b"\x80\x05\x96" + (2**50).to_bytes(8, "little") + b".", "not a pickle|cut short"),
        (PYTHON_2[0].replace(b"(I2\nt", b"(I2000000000\nt"), "16000000000 bytes with 16 bytes"),
    ],
)
def test_broken_files_are_one_clear_error(data, message, tmp_path):
    with pytest.raises(NetcfgError, match=message) as refusal:
        read_pickle(written(tmp_path, data))
    assert "help: " in str(refusal.value)


def test_a_large_memo_takes_no_memory(tmp_path):
    assert read_pickle(written(tmp_path, b"\x80\x02]r\xff\xff\xff\x7f.")) == []
