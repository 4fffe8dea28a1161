"""`[disfa]` and `[clips]`: videos and folders of frames, labels, splits by subject; `--data` knows its folders."""

import cv2
import face_trees as trees
import numpy as np
import pytest

import netcfg
from netcfg.blocks.sources.clips import Clips
from netcfg.blocks.sources.disfa import Disfa
from netcfg.cli.main import main
from netcfg.datasets.pictures import notes, unpacked_videos
from netcfg.datasets.pipeline import open_samples
from netcfg.datasets.samples.subject_folds import DISFA_FOLDS
from netcfg.source import NetcfgError

# of fold 0: tested; and five others, of which those at places 2 and 3 are for validation
PEOPLE = (DISFA_FOLDS[0][0], "SN003", "SN004", "SN005", "SN006", "SN007")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    notes._SAID.clear()
    monkeypatch.setenv("NETCFG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "frames"


@pytest.fixture
def disfa(tmp_path):
    trees.write_disfa(tmp_path / "disfa", PEOPLE)
    return tmp_path / "disfa"


def opened(root, split="train", fields=("image", "labels", "subject", "clip"), **options):
    return Disfa(path=str(root), image_size=32, validation_subjects=2, **options).open(split, fields)


def level_of(sample):
    return round(float(sample["image"].mean()))


def test_frames_of_a_video_have_their_labels(disfa):
    samples = opened(disfa)
    assert len(samples) == 18  # SN003, SN004, SN007
    assert {name[:5] for name in samples.table.ids} == {"SN003", "SN004", "SN007"}
    for index in (5, 0, 3):  # in any order
        sample = samples[index]
        assert abs(level_of(sample) - (20 + 4 * index)) <= 2
        assert sample["labels"].tolist() == [float(index >= 2)] * 12
    assert {name[:5] for name in opened(disfa, "validation").table.ids} == {"SN005", "SN006"}
    assert {name[:5] for name in opened(disfa, "test").table.ids} == {"SN001"}


def test_intensities_and_eight_units(disfa):
    samples = opened(disfa, fields=("labels", "intensities"), action_units=("disfa8",), intensities=True)
    assert samples[4]["labels"].tolist() == pytest.approx([0.8] * 8)
    assert samples[4]["intensities"].tolist() == [4] * 8
    assert Disfa(intensities=True).active_above == pytest.approx(0.3)


def test_a_threshold_says_what_is_present(disfa):
    samples = opened(disfa, fields=("labels",), occurrence_threshold=4)
    assert [float(samples[index]["labels"][0]) for index in range(6)] == [0, 0, 0, 0, 1, 1]


def test_labels_alone_unpack_no_video(disfa, cache):
    assert len(opened(disfa, fields=("labels",))) == 18
    assert not cache.exists()


def test_flow_alone_unpacks_videos(disfa):
    """A network that sees no image still needs the frames between which motion is found."""
    text = (
        f"{{Data}}\n[disfa]\npath = {disfa}\nimage_size = 32\naction_units = 12\n[optical_flow]\ncache = None\n"
        "{N}\n[net]\n[input]\nname = flow\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n[connected]\n"
        "output_features = 1\n{Metric}\n[f1]\ninput = N\ntarget = labels\n"
    )
    samples = open_samples(netcfg.load(text).data, "train")
    assert set(samples[0]) == {"flow", "labels"}
    assert samples[0]["flow"].shape == (32, 32, 3)


def test_videos_are_unpacked_once_beside_the_data(disfa, cache, monkeypatch):
    before = sorted(disfa.rglob("*"))
    opened(disfa)
    assert len(list(cache.iterdir())) == 3
    assert sorted(disfa.rglob("*")) == before
    monkeypatch.setattr(
        unpacked_videos, "_unpack_one", None
    )  # would be called for a video that is not there yet
    assert len(opened(disfa)) == 18


def test_unpacking_that_was_interrupted_leaves_nothing_half(disfa, cache, monkeypatch):
    written = unpacked_videos._write_frame

    def interrupted(path, image):
        if path.stem == "000003":
            raise KeyboardInterrupt
        written(path, image)

    with monkeypatch.context() as patch:
        patch.setattr(unpacked_videos, "_write_frame", interrupted)
        with pytest.raises(KeyboardInterrupt):
            opened(disfa)
    assert not list(cache.iterdir())
    assert level_of(opened(disfa)[0]) == pytest.approx(20, abs=2)


def test_a_full_disk_is_said(disfa, monkeypatch):
    def full(path, image):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpacked_videos, "_write_frame", full)
    with pytest.raises(NetcfgError, match="cannot unpack .*No space left on device\nhelp: `cache = DIR`"):
        opened(disfa)


def test_a_video_that_is_none_is_named(disfa):
    (disfa / "Videos_LeftCamera/LeftVideoSN003_comp.avi").write_bytes(b"nothing")
    with pytest.raises(NetcfgError, match=r"LeftVideoSN003_comp.avi cannot be read as a video"):
        opened(disfa)


def test_a_video_that_ends_before_its_labels(disfa):
    for unit in trees.DISFA_AUS:
        with (disfa / f"ActionUnit_Labels/SN003/SN003_au{unit}.txt").open("a") as file:
            file.write("7,0\n8,0\n")
    with pytest.raises(
        NetcfgError, match="without a picture: 2 of 20 frames, `SN003_7`, `SN003_8`\nhelp: `missing"
    ):
        opened(disfa)
    assert len(opened(disfa, missing="skip")) == 18
    assert not opened(disfa, missing="black")[7]["image"].any()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7,9", None),
        ("7,6", "SN003_au1.txt:7: an intensity of 6"),
        ("seven", "SN003_au1.txt:7: `seven` is not"),
    ],
)
def test_intensities_that_are_none(disfa, line, message):
    for unit in trees.DISFA_AUS:
        with (disfa / f"ActionUnit_Labels/SN003/SN003_au{unit}.txt").open("a") as file:
            file.write(f"{line}\n" if unit == 1 else "7,0\n")
    if message is None:
        assert len(opened(disfa)) == 18
    else:
        with pytest.raises(NetcfgError, match=message):
            opened(disfa)


def test_an_empty_file_of_labels_is_named(disfa):
    (disfa / "ActionUnit_Labels/SN003/SN003_au1.txt").write_text("")
    with pytest.raises(NetcfgError, match="SN003_au1.txt holds no lines `frame,intensity`"):
        opened(disfa)


# --- clips


@pytest.fixture
def recordings(tmp_path):
    """Three people: folders of frames of two, videos of one, labels of AU6 and AU12."""
    root = tmp_path / "recordings"
    lines = ["clip,frame,AU12,AU6"]
    for place, name in enumerate(("anna/smile", "anna/frown", "berta/smile")):
        for frame in range(1, 4):
            level = 40 * (place + 1) + frame * 4
            trees.write(root / name / f"f{frame:02d}.png", np.full((40, 50, 3), level, np.uint8))
            lines.append(f"{name},{frame},{frame % 2},1")
    video = cv2.VideoWriter(str(root / "carl_smile.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 20, (50, 40))
    for frame in range(3):
        video.write(np.full((40, 50, 3), 200 + 4 * frame, np.uint8))
        lines.append(f"carl_smile,{frame + 1},1,0")
    video.release()
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


def clips_of(root, split="train", fields=("image", "labels", "subject", "clip"), **options):
    given = {"labels": str(root / "labels.csv"), "action_units": ("6", "12"), "image_size": 32}
    return Clips(path=str(root), **{**given, **options}).open(split, fields)


def test_each_subject_is_in_one_split(recordings):
    names = {
        split: {name.rpartition("_")[0] for name in clips_of(recordings, split).table.ids}
        for split in ("train", "validation", "test")
    }
    assert names == {
        "train": {"berta/smile"},
        "validation": {"carl_smile"},
        "test": {"anna/frown", "anna/smile"},
    }


def test_a_frame_has_its_labels_and_its_clip(recordings):
    samples = clips_of(recordings, "test")
    assert [level_of(samples[index]) for index in range(6)] == [84, 88, 92, 44, 48, 52]
    assert [samples[index]["labels"].tolist() for index in (0, 1)] == [[1, 1], [1, 0]]
    assert len({int(samples[index]["clip"]) for index in range(6)}) == 2
    assert level_of(clips_of(recordings, "validation")[2]) == pytest.approx(208, abs=2)


def test_clips_without_labels_are_all_frames(recordings):
    source = Clips(path=str(recordings), image_size=32)
    assert "labels" not in source.fields()
    assert len(source.open("test", ("image", "clip"))) == 6


def test_splits_may_be_lists_of_clips(recordings):
    for name, clips in (("a", "anna/smile\nanna/frown"), ("b", "carl_smile"), ("c", "berta/smile")):
        (recordings / f"{name}.txt").write_text(clips)
    lists = {f"{split}_clips": str(recordings / f"{name}.txt") for split, name in
             (("train", "a"), ("validation", "b"), ("test", "c"))}  # fmt: skip
    assert len(clips_of(recordings, **lists)) == 6
    (recordings / "c.txt").write_text("anna/smile")
    with pytest.raises(NetcfgError, match="1 subject in both train and test: `anna`"):
        clips_of(recordings, **lists)
    (recordings / "c.txt").write_text("berta/smil")
    with pytest.raises(
        NetcfgError, match=r"c.txt:1: there is no clip `berta/smil`\nhelp: did you mean `berta/smile`"
    ):
        clips_of(recordings, **lists)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("clip,frame,AU1\n", r"labels.csv:1: there are no labels of AU6; there are AU1"),
        ("id,AU6,AU12\n", r"labels.csv:1: the header is `id,AU6,AU12`\nhelp: `clip,frame"),
        ("clip,frame,AU6,AU12\nanna/smile,one,0,1\n", r"labels.csv:2: `anna/smile,one,0,1` is not"),
        ("clip,frame,AU6,AU12\nanna/smile,1,0,3\n", r"labels.csv:2: a label of 3.*\nhelp: `intensities"),
        ("clip,frame,AU6,AU12\nanna/smile,1,0,1\nanna/smile,1,0,1\n", r"labels.csv:3: frame 1 .* twice"),
        (
            "clip,frame,AU6,AU12\nana/smile,1,0,1\n",
            r"has labels of `ana/smile`.*\nhelp: did you mean `anna/smile`",
        ),
        ("clip,frame,AU6,AU12\nanna/smile,1,0,9\n", r"labels.csv has no labels"),
    ],
)
def test_labels_that_are_wrong_are_named_with_their_line(recordings, written, message):
    (recordings / "labels.csv").write_text(written)
    with pytest.raises(NetcfgError, match=message):
        clips_of(recordings)


def test_too_few_subjects_are_said(recordings, tmp_path):
    with pytest.raises(NetcfgError, match="the clips show 2 subjects .*too few"):
        Clips(path=str(recordings / "anna")).open("train", ("image",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NetcfgError, match="holds no clips"):
        Clips(path=str(tmp_path / "empty")).open("train", ("image",))


# --- --data


TEXT = (
    "{Data}\n[synthetic_faces]\nimage_size = 32\naction_units = 12\nfold = 1\n"
    "{N}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n[flatten]\n[connected]\noutput_features = 1\n"
    "{Metric}\n[f1]\ninput = N\ntarget = labels\n"
)


def source_for(folder, text=TEXT):
    program, findings = netcfg.check(text, data=str(folder))
    assert program is not None, findings
    return program.data.source


def test_a_folder_is_known_by_what_lies_in_it(tmp_path, disfa):
    trees.write_bp4d(tmp_path / "bp4d", ("F001",))
    trees.write_lists(tmp_path / "lists", {"train": trees.crop_lines(("F001",))})
    (tmp_path / "audetnet/imgs").mkdir(parents=True)
    known = {"bp4d": ("bp4d", "path"), "lists": ("bp4d", "lists"), "disfa": ("disfa", "path")}
    for name, (kind, option) in known.items():
        source = source_for(tmp_path / name)
        assert source.type_name == kind
        assert getattr(source, option) == str(tmp_path / name)
        assert (source.fold, source.image_size, source.units) == (1, 32, (12,))
        resized = source_for(tmp_path / name, TEXT.replace("{N}", "[resize]\nsize = 32\n{N}"))
        assert resized.image_size == 256  # as the original cuts faces out, before it resizes them
    assert source_for(tmp_path / "audetnet").type_name == "audetnet_folder"


def test_labels_beside_ones_own_clips_are_found(recordings):
    source = source_for(recordings)
    assert (source.type_name, source.labels, source.units) == ("clips", str(recordings / "labels.csv"), (12,))
    assert source.open("test", ("labels",))[0]["labels"].tolist() == [1]


@pytest.mark.parametrize(("name", "unit"), [("bp4d", "AU24"), ("disfa", "AU26"), ("recordings", "AU6")])
def test_show_tells_of_folders(name, unit, disfa, recordings, tmp_path, capsys):
    trees.write_bp4d(tmp_path / "bp4d")
    assert main(["data", "show", str(tmp_path / name)]) == 0
    assert unit in capsys.readouterr().out


def test_a_source_of_that_kind_keeps_its_options(tmp_path):
    trees.write_bp4d(tmp_path / "bp4d", ("F001",))
    text = TEXT.replace("[synthetic_faces]", "[bp4d]\nlists = elsewhere\nmissing = skip")
    source = source_for(tmp_path / "bp4d", text)
    assert (source.path, source.lists, source.missing) == (str(tmp_path / "bp4d"), None, "skip")


def test_a_folder_of_nothing_known_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("")
    _, (finding,) = netcfg.check(TEXT, data=str(tmp_path))
    assert (finding.code, "looks like the folder of no source" in finding.message) == ("NC502", True)
    assert "[bp4d] `AUCoding`" in finding.help


def test_show_tells_of_programs_with_databases(disfa, tmp_path, capsys):
    file = tmp_path / "net.cfg"
    file.write_text(TEXT.replace("fold = 1", "fold = 0"))
    assert main(["data", "show", str(file), "--data", str(disfa), "-o", str(tmp_path / "sheet.png")]) == 0
    out = capsys.readouterr().out
    assert "[disfa]" in out
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None
