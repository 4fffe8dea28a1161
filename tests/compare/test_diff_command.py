"""`netcfg diff`: exit codes, the page, the data, the picture."""

import json

import pytest

from netcfg.cli.main import main

GOOD = (
    "{General}\n[variables]\nwidth = 4\n[preset demo]\nwidth = 2\n"
    "{Net}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n"
    "[convolutional]\nname = stem\nfilters = $width\nkernel_size = 3\n"
    "[flatten]\n[connected]\nname = head\noutput_features = 5\n"
)
OTHER = GOOD.replace("[flatten]\n", "[activation]\nactivation = relu\n[flatten]\n").replace("= 5", "= 6")
BROKEN = GOOD.replace("kernel_size = 3", "kernel_siz = 3")


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("other", OTHER), ("broken", BROKEN)):
        (tmp_path / f"{name}.cfg").write_text(text)

    def command(*arguments):
        try:
            code = main(["diff", *arguments])
        except SystemExit as exit:
            code = exit.code
        return code, *capsys.readouterr()

    return command


def test_the_same_is_0(run):
    assert run("good.cfg", "good.cfg") == (0, "good.cfg → good.cfg: the same\n", "")


def test_a_difference_is_1_and_read_line_by_line(run):
    code, out, _ = run("good.cfg", "other.cfg")
    assert code == 1
    assert out.splitlines() == [
        "good.cfg → other.cfg",
        "",
        "Net: parameters 837 → 982 (+145), MACs 4.61 k → 4.75 k (+144)",
        "  + 1       activation relu; 4×6×6; reads stem  other.cfg:15",
        "  ~ head    connected: output_features 5 → 6; shape 5 → 6; parameters 725 → 870; MACs 720 → 864  other.cfg:18",
        "  ~ output  head (5) → head (6)",
    ]


def test_whole_networks_are_counted(run, tmp_path):
    (tmp_path / "more.cfg").write_text(
        GOOD + "{B}\n[net]\nchannels = 4\nheight = 8\nwidth = 8\n[global_avgpool]\n"
    )
    assert run("good.cfg", "more.cfg")[1].splitlines()[2:] == ["+ B: 1 block, 0 parameters, 0 MACs"]
    assert run("more.cfg", "good.cfg")[1].splitlines()[2:] == ["− B: 1 block, 0 parameters, 0 MACs"]


def test_presets_and_variables_of_one_side(run):
    code, out, _ = run("good.cfg", "good.cfg", "--preset-b", "demo")
    assert code == 1
    assert "good.cfg → good.cfg (preset demo)" in out
    assert "filters 4 → 2" in out
    assert run("good.cfg", "good.cfg", "--preset-b", "demo", "--set-a", "width=2")[0] == 0
    assert run("good.cfg", "good.cfg", "--preset", "demo", "--set", "width=9")[0] == 0


def test_broken_files_are_2_with_all_their_findings(run):
    code, out, err = run("broken.cfg", "good.cfg")
    assert (code, out) == (2, "")
    assert "broken.cfg:14:1: error[NC103 unknown-option]" in err
    assert run("good.cfg", "broken.cfg")[0] == 2
    code, _, err = run("broken.cfg", "missing.cfg")
    assert code == 2
    assert "NC103" in err
    assert "NC004" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["good.cfg"],
        ["good.cfg", "other.cfg", "--format", "xml"],
        ["good.cfg", "other.cfg", "--preset", "nope"],
        ["good.cfg", "other.cfg", "--set", "width"],
        ["good.cfg", "other.cfg", "-o", "out.gif"],
        ["good.cfg", "other.cfg", "-o", "out.png", "--scale", "0"],
    ],
)
def test_wrong_usage_is_2(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err


def test_the_picture_never_replaces_a_file_that_it_compares(run, tmp_path):
    other = (tmp_path / "other.cfg").rename(tmp_path / "other.svg")
    text = other.read_text()
    code, _, err = run("good.cfg", "other.svg", "-o", "other.svg")
    assert code == 2
    assert "would take the place" in err
    assert other.read_text() == text


def test_the_data_say_the_same(run):
    code, out, _ = run("good.cfg", "other.cfg", "--format", "json")
    data = json.loads(out)
    assert code == 1
    assert (data["format"], data["version"], data["equal"]) == ("netcfg-diff", 1, False)
    (network,) = data["networks"]
    assert network["status"] == "changed"
    assert network["parameters"] == {"before": 837, "after": 982}
    assert [block["status"] for block in network["blocks"]] == ["added", "changed"]
    added, changed = network["blocks"]
    assert added["before"] is None
    assert (added["after"]["type"], added["after"]["line"]) == ("activation", 15)
    assert changed["changes"] == [{"what": "output_features", "before": "5", "after": "6"}]
    assert json.loads(run("good.cfg", "good.cfg", "--format", "json")[1])["equal"] is True


@pytest.mark.parametrize("ending", ["svg", "png", "json", "dot", "html"])
def test_the_picture_marks_the_difference(run, tmp_path, ending):
    assert run("good.cfg", "other.cfg", "-o", f"out.{ending}")[0] == 1
    drawn = (tmp_path / f"out.{ending}").read_bytes()
    if ending == "json":
        nodes = {node["name"] or node["text"][0]: node for node in json.loads(drawn)["diagrams"][0]["nodes"]}
        assert nodes["relu"]["mark"] == "added"
        assert nodes["head"]["message"] == "output_features 5 → 6\nshape 5 → 6"
    assert drawn


def test_what_there_was_not_is_a_word_in_a_picture(run, tmp_path):
    text = (tmp_path / "good.cfg").read_text()
    (tmp_path / "bare.cfg").write_text(text.replace("name = head\n", "", 1))
    assert run("bare.cfg", "good.cfg", "-o", "out.json")[0] == 1
    drawn = json.loads((tmp_path / "out.json").read_text())
    assert "name none → head" in [node.get("message") for node in drawn["diagrams"][0]["nodes"]]


def test_colours_are_for_terminals(run, monkeypatch):
    assert "\x1b" not in run("good.cfg", "other.cfg")[1]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[32m" in run("good.cfg", "other.cfg")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("good.cfg", "other.cfg")[1]
