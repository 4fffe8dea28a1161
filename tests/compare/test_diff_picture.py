"""What the picture of a difference tells: the sums of the new version, marks in words, each change once."""

import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.compare.picture import difference_picture
from netcfg.compare.programs import compare
from netcfg.draw.ids import parts_below
from netcfg.draw.model import Box
from netcfg.draw.scene import Text, groups_of

CONV = "[convolutional]\nfilters = {}\nkernel_size = 3\npad = True\n"
NET = "{Net}\n[net]\nchannels = 3\nheight = 32\nwidth = 32\n"
PAIR = (
    "{Define pair}\n[parameters]\nwidth = 8\n"
    + 2 * CONV.format("$width")
    + "[activation]\nactivation = relu\n"
)
USES = "".join(
    f"[pair]\nname = {name}\n[maxpool]\npool_size = 2\nstride = 2\n" for name in ("one", "two", "three")
)


def drawn(before, after):
    return difference_picture(compare(netcfg.load(before), netcfg.load(after)))


def boxes(picture):
    return [part for part in parts_below(picture.diagrams[0].frame) if isinstance(part, Box)]


def words(picture):
    """All texts of the picture."""
    groups = groups_of(picture.scene.shapes)
    return [shape.text for group in groups for shape in group.shapes if isinstance(shape, Text)]


@pytest.mark.parametrize(
    ("before", "after"), [((4, 8, 8), (4, 8)), ((4,), (4, 8)), ((4, 8), (6, 8, 8)), ((8,), (4,))]
)
def test_the_sums_are_those_of_the_new_version_beside_those_it_had(before, after):
    one, other = (NET + "".join(map(CONV.format, sizes)) for sizes in (before, after))
    frame = drawn(one, other).diagrams[0].frame
    (old,), (new,) = netcfg.load(one).networks.values(), netcfg.load(other).networks.values()
    facts = frame.entries[0].facts
    for name in ("parameters", "trainable", "macs"):
        assert facts[name] == getattr(new, name)
        assert facts[f"{name} before"] == getattr(old, name)
    assert f"{new.parameters:,} parameters" in frame.details


def test_what_did_not_change_is_told_once():
    one, other = NET + CONV.format(4) + "[dropout]\n", NET + CONV.format(4)
    assert "parameters before" not in drawn(one, other).diagrams[0].frame.entries[0].facts


def test_marks_are_words_where_details_are():
    one = (
        PAIR.replace("{Define pair}", "{Define gone}")
        + NET
        + CONV.format(4)
        + "[dropout]\n[gone]\nname = g\n"
    )
    other = NET + CONV.format(6) + "[maxpool]\npool_size = 2\nstride = 2\n"
    picture = drawn(one, other)
    parts = [part for part in parts_below(picture.diagrams[0].frame) if part.mark]
    assert {part.mark for part in parts} == {"added", "removed", "changed"}
    for part in parts:
        assert part.details.splitlines()[-1].startswith(part.mark), part.details
    assert any("changed: filters 4 → 6" in part.details for part in parts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width = 8", "width = 16"),
        ("kernel_size = 3", "kernel_size = 5"),
        ("filters = $width", "filters = 12"),
    ],
)
def test_a_change_in_a_template_is_drawn_and_written_once(tmp_path, capsys, old, new):
    first, second = PAIR + NET + USES, PAIR.replace(old, new) + NET + USES
    picture = drawn(first, second)
    said = [
        text for text in words(picture) if " -> " in text and "×" not in text and "parameters" not in text
    ]
    assert len(said) == 1, said
    assert sum(text == "as one.0" for text in words(picture)) == 2  # equal boxes in a row are one
    messages = [box.message for box in boxes(picture) if box.kind == "convolution"]
    assert len(messages) == 3
    assert len({message.splitlines()[0] for message in messages}) == 1  # each box still knows what it is
    for name, text in (("a", first), ("b", second)):
        (tmp_path / f"{name}.cfg").write_text(text)
    assert main(["diff", str(tmp_path / "a.cfg"), str(tmp_path / "b.cfg")]) == 1
    rows = [row for row in capsys.readouterr().out.splitlines() if row.startswith("  ~ one")]
    assert len(rows) == 1
    assert "one.0 and 5 more" in rows[0]


def test_the_turns_of_a_repeat_that_changed_alike_stay_one():
    uses = "[pair]\nname = once\n[pair]\nname = often\nrepeat = 3\n"
    picture = drawn(
        PAIR + NET + CONV.format(8) + uses, PAIR.replace("= 3", "= 5") + NET + CONV.format(8) + uses
    )
    often = next(part for part in parts_below(picture.diagrams[0].frame) if part.path == "often")
    assert often.count == 3


def test_what_stands_between_does_not_make_it_two_changes(tmp_path, capsys):
    (tmp_path / "a.cfg").write_text(PAIR + NET + USES)
    (tmp_path / "b.cfg").write_text(
        PAIR.replace("= 8", "= 9") + NET + USES.replace("[maxpool]", "[dropout]\n[maxpool]")
    )
    main(["diff", str(tmp_path / "a.cfg"), str(tmp_path / "b.cfg")])
    assert capsys.readouterr().out.count("filters 8 → 9") == 1


@pytest.mark.parametrize(("sign", "swapped"), [("+", False), ("−", True)])
def test_a_block_that_a_template_gains_or_loses_is_written_once(tmp_path, capsys, sign, swapped):
    texts = [PAIR + NET + USES, PAIR.replace("[activation]", "[batch_norm]\n[activation]") + NET + USES]
    for name, text in zip("ab", reversed(texts) if swapped else texts, strict=True):
        (tmp_path / f"{name}.cfg").write_text(text)
    main(["diff", str(tmp_path / "a.cfg"), str(tmp_path / "b.cfg")])
    rows = [row for row in capsys.readouterr().out.splitlines() if "batch_norm" in row]
    assert len(rows) == 1
    assert rows[0].startswith(f"  {sign} one.2 and 2 more  ")
