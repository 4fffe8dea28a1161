"""Programs of many parts, each with one mistake: one finding, which says what is wrong in the writer's words."""

from __future__ import annotations

import pytest

import netcfg
from netcfg.source import ProgramError

GENERAL = "{General}\n[training]\nbatch_size = 16\nmax_epochs = 2\n"
DATA = "{Data}\n[synthetic_faces]\nsubjects = 10\nimage_size = 16\n"
TWO = (
    "{Data}\n[synthetic_faces]\nname = a\nimage_size = 16\nfields = image, labels\n[synthetic_faces]\nname = b\n"
    "image_size = 16\nfields = image, labels\n[joined]\n"
)
NETWORKS = """{Online}
[net]
channels = 3
height = 16
width = 16
[flatten]
[connected]
output_features = 4
{Target}
[net]
same_as = Online
{Generator}
[net]
[input]
name = code
features = 4
[connected]
output_features = 8
"""
MODEL = (
    "{Model}\n[Online]\nname = seen\nfrom = image\n[Target]\nname = known\nfrom = image\n"
    "[Generator]\nname = more\nfrom = seen\n"
)
LOSS = "{Loss}\n[mse]\nname = told\ninput = seen\ntarget = known\n[mean]\nname = size\ninput = more\n"
STEPS = """{Optimizer}
[adam]
name = main
networks = Online, Generator
minimise = told + size
[moving_average]
networks = Target
of = Online
momentum = 0.99
"""
GENERATION = "{Generation}\n[random]\nname = start\nshape = 4\naxes = features\n"
TEXT = GENERAL + DATA + NETWORKS + MODEL + LOSS + STEPS
SCHEDULE = "{Optimizer}\n[schedule]\nname = rising\nend = 4\nepochs = 2\n"
SLOPE = "[gradient]\nname = slope\nof = top\nby = image\n"


def with_model(blocks: str, loss: str = "", text: str = TEXT) -> str:
    """The program with more blocks, and with a loss that reads what they make."""
    more = f"[mean]\nname = more_loss\ninput = {loss}\n" if loss else ""
    text = text.replace("{Loss}\n", f"{blocks}{{Loss}}\n{more}")
    return text.replace("told + size", "told + size + more_loss") if loss else text


CIRCLES = {
    "queue": (
        "[formula]\nname = mix\nvalue = seen + sum(bank)\n[queue]\nname = bank\nfrom = mix\nsize = 16\n",
        "`mix` reads `bank`, which reads `mix`: a circle",
    ),
    "running mean": (
        "[running_mean]\nname = centre\nfrom = off\nmomentum = 0.9\n[formula]\nname = off\nvalue = known - centre\n",
        "`centre` reads `off`, which reads `centre`: a circle",
    ),
    "by way of the block before": (
        "[formula]\nname = mix\nvalue = seen + sum(bank)\n[l2_norm]\n[queue]\nname = bank\nsize = 16\n",
        "`mix` reads `bank`, which reads [l2_norm], which reads `mix`: a circle",
    ),
}


@pytest.mark.parametrize("name", CIRCLES)
def test_a_state_that_is_made_of_what_it_gives(name: str) -> None:
    blocks, message = CIRCLES[name]
    finding = only(with_model(blocks, "seen"))
    assert (finding.code, finding.message) == ("NC202", message)
    assert "remembers is not made of what it gives" in (finding.help or "")


def test_what_only_comes_later_is_no_circle() -> None:
    finding = only(
        with_model("[identity]\nname = mix\nfrom = bank\n[queue]\nname = bank\nfrom = seen\nsize = 16\n")
    )
    assert finding.message.startswith("`bank` only comes later")


@pytest.mark.parametrize(
    "value",
    [
        "argmax(seen)",
        "sum(floor(seen))",
        "sum(sign(seen))",
        "sum(1 * (seen > 0))",
        "where(sum(seen) > 0, 1, 2)",
    ],
)
def test_a_formula_that_moves_by_steps_has_no_gradient(value: str) -> None:
    step = f"[formula]\nname = top\nvalue = {value}\n"
    finding = only(with_model(step + SLOPE, "slope"))
    assert finding.code == "NC421"
    assert "no gradient passes this [formula]" in finding.notes[0].message
    finding = only(with_model(step, "top"))
    assert finding.code == "NC407"
    assert "`more_loss` reaches no parameter at all" in finding.message


def test_a_formula_passes_the_gradients_of_the_rest() -> None:
    block = "[formula]\nname = top\nvalue = sum(seen * floor(known)) + where(sum(known) > 0, sum(seen), 1)\n"
    netcfg.load(with_model(block + SLOPE, "slope"))
    finding = only(with_model(block + SLOPE.replace("by = image", "by = known"), "slope"))
    assert finding.code == "NC421"


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (
            TWO.replace("16", "32", 1).replace("image, labels", "image, labels, flow"),
            "NC502",
            "`image` is image 3×32×32 in `a`, and image 3×16×16 in `b`; `flow` differs, too",
        ),
        (
            TWO.replace("name = b\n", "name = b\naction_units = 1, 2\n"),
            "NC502",
            "`labels` is vector 12",
        ),
        (
            TWO.replace("fields = image, labels\n", "").replace("[joined]", "splits = train, test\n[joined]\n")
            + "[leave_out]\nfields = image\nsource = b\n",
            "NC509",
            "`Online` reads `image`, which is a gap in samples of `b`, in the splits `train`, `test`",
        ),
    ],
)  # fmt: skip
def test_joined_sources_that_do_not_fit_are_one_finding(data: str, code: str, message: str) -> None:
    finding = only(GENERAL + data + NETWORKS + MODEL + LOSS + STEPS)
    assert finding.code == code
    assert finding.message.startswith(message)


def test_a_source_beside_others_has_no_such_field() -> None:
    data = TWO.replace("[joined]\n", "")
    text = GENERAL + data.rpartition("image, ")[0] + "labels\n" + NETWORKS + MODEL + LOSS + STEPS
    finding = only(text.replace("name = seen\nfrom = image", "name = seen\nfrom = b.image"))
    assert finding.message == "the source `b` has no field `image`, in any split"


@pytest.mark.parametrize(
    ("training", "step", "message"),
    [
        ("batches_per_epoch = 5\n", "every = 7\n", "`main` runs on every 7th batch, and an epoch has only 5"),
        ("max_steps = 5\n", "every = 7\n", "`main` runs on every 7th batch, and the run has only 5"),
        ("batches_per_epoch = 5\n", "every = 11\nevery_of = run\n", "`main` runs on every 11th batch, and the run"),
        ("", "from_epoch = 3\n", "`main` begins in epoch 3, and training has 2"),
        ("", "from_epoch = 2\nuntil_epoch = 1\n", "it runs from epoch 2 until epoch 1, which is never"),
        (
            "batches_per_epoch = 5\nmax_steps = 5\n",
            "from_epoch = 2\n",
            "`main` begins in epoch 2, and `max_steps = 5` ends training in epoch 1",
        ),
    ],
)  # fmt: skip
def test_a_phase_that_never_comes_about(training: str, step: str, message: str) -> None:
    text = TEXT.replace("max_epochs = 2\n", f"max_epochs = 2\n{training}")
    finding = only(text.replace("told + size\n", f"told + size\n{step}"))
    assert finding.code == "NC411"
    assert finding.message.startswith(message)


def test_a_phase_that_comes_about_once_is_none() -> None:
    text = TEXT.replace("max_epochs = 2\n", "max_epochs = 2\nbatches_per_epoch = 5\n")
    netcfg.load(text.replace("told + size\n", "told + size\nevery = 10\nevery_of = run\n"))


@pytest.mark.parametrize(
    ("blocks", "message", "help"),
    [
        ("[Online]\nfrom = image\n", "`image` is a field of the data", "`like = data.image`"),
        ("[formula]\nvalue = start + emotion\n", "`emotion` is a field of the data", "`classes = 7`"),
        ("[Online]\nfrom = data.image\n", "`image` is a field of the data", "`[random]`"),
        ("[formula]\nvalue = seen * sum(start)\n", "`seen` is made in {Model} of data", "use the network"),
    ],
)  # fmt: skip
def test_a_generation_that_needs_data(blocks: str, message: str, help: str) -> None:
    finding = only(TEXT + GENERATION + blocks)
    assert finding.code == "NC201"
    assert finding.message.startswith(message)
    assert help in (finding.help or "")


@pytest.mark.parametrize(
    ("turn", "message"),
    [
        ("[Generator]\nfrom = x\n", "a turn of `go` is fed 4 and gives 8"),
        (
            "[reduce]\nfrom = x\ndimension = tokens\n[Generator]\n[permute]\nfrom = x\norder = features, tokens\n",
            "a turn of `go` is fed tokens×features and gives features×tokens",
        ),
    ],
)
def test_a_loop_whose_turn_gives_what_it_cannot_take(turn: str, message: str) -> None:
    text = TEXT.replace("{Model}", f"{{Define go}}\n[input]\nname = x\n{turn}{{Model}}") + GENERATION
    if "permute" in turn:
        text = text.replace("shape = 4\naxes = features", "shape = 4, 4\naxes = tokens, features")
    finding = only(text + "[go]\nrepeat = 9\nfrom = start\n")
    assert finding.code == "NC301"
    assert finding.message.startswith(message)


def test_an_option_by_a_variable_that_may_not_change() -> None:
    text = "{General}\n[variables]\nmany = rising\n" + TEXT.replace(
        "output_features = 8", "output_features = $many"
    )
    finding = only(text.replace("{Optimizer}\n", SCHEDULE))
    assert (
        finding.message
        == "`output_features` may not change while the program trains, and `rising` is a [schedule]"
    )


def test_a_program_without_data_says_so_once() -> None:
    network = "{N}\n[net]\ninputs = data.image, data.flow\n[flatten]\n[connected]\n"
    finding = only(f"{network}output_features = $data.label.classes\n")
    assert (finding.code, finding.message) == (
        "NC501",
        "fields of the data are read, and the program has no {Data}",
    )
    assert finding.help == "add a group {Data} with a source"
    assert [note.span.line for note in finding.notes if note.span is not None] == [3, 6]


def test_blocks_whose_sizes_hang_on_wrong_data_are_not_missed() -> None:
    source = "{Data}\n[synthetic_faces]\nimage_size = no\n{N}\n[net]\ninputs = data.image\n[convolutional]\n"
    finding = only(f"{source}filters = $data.emotion.classes\nkernel_size = 1\n")
    assert (finding.code, finding.span.line if finding.span else 0) == ("NC105", 3)


def test_a_network_called_data_is_not_the_data() -> None:
    text = "{data}\n[net]\ninputs = data.image\n[flatten]\n{Data}\n[synthetic_faces]\n"
    finding = only(text)
    assert finding.code == "NC203"
    assert finding.help == "give the network another name: by `data.FIELD` the data are read"


def test_what_is_no_expression_is_quoted_inside_the_sentence() -> None:
    text = "{General}\n[variables]\na = ${1 +}\n{N}\n[net]\nchannels = 3\nheight = 8\nwidth = 8\n[flatten]\n"
    assert only(text).message.startswith("`a` holds `1 +`, which is no expression of numbers")


def only(text: str) -> netcfg.source.Finding:
    """The one error that a program has."""
    with pytest.raises(ProgramError) as raised:
        netcfg.load(text)
    (finding,) = [one for one in raised.value.findings if one.severity == "error"]
    return finding
