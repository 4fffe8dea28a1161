"""The plan of the training step: what each phase computes, reuses, cuts and updates, and how it is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import netcfg
from netcfg.cli.main import main
from netcfg.codes import CODES
from netcfg.explained import EXPLANATIONS
from netcfg.passes.plan import Pattern, PhasePlan, Plan, network_of, plan
from netcfg.plan_text import plan_data, plan_text
from netcfg.source import ProgramError
from netcfg.words import ordinal

ROOT = Path(__file__).resolve().parent.parent
AUDETNET = ROOT / "cfg" / "audetnet.cfg"
DATA = "{Data}\n[synthetic_faces]\nimage_size = 16\naction_units = 6, 12\n"


def network(name: str, body: str = "", net: str = "") -> str:
    """A network from 3×16×16 to 3×16×16."""
    start = f"{{{name}}}\n[net]\nchannels = 3\nheight = 16\nwidth = 16\n{net}"
    return start + "[convolutional]\nfilters = 3\nkernel_size = 3\npad = 1\nstride = 1\n" + body


def block(kind: str, name: str, *sources: str, options: str = "") -> str:
    """A block of {Model}; a concatenation names its sources by another option."""
    key = "combine_layers" if kind.startswith("combine") else "from"
    return f"[{kind}]\nname = {name}\n{key} = {', '.join(sources)}\n{options}"


def mean(*signals: str) -> str:
    """For each signal a loss, its mean, called as the signal with `_loss` behind."""
    return "".join(f"[mean]\nname = {signal}_loss\ninput = {signal}\n" for signal in signals)


def phase(name: str, networks: str, minimise: str, every: int = 1, options: str = "") -> str:
    """An optimizer."""
    return f"[sgd]\nname = {name}\nnetworks = {networks}\nminimise = {minimise}\nevery = {every}\n{options}"


def planned(model: str, losses: str, phases: str, networks: str = "ABC", **nets: str) -> Plan:
    """The plan of a program of networks A, B, C."""
    text = "".join(network(name, net=nets.get(name, "")) for name in networks)
    wiring = f"{{Model}}\n{model}" if model else ""
    return plan(netcfg.load(f"{DATA}{text}{wiring}{{Loss}}\n{losses}{{Optimizer}}\n{phases}"))


def names(plan: Plan, nodes: Iterator[int] | tuple[int, ...]) -> list[str]:
    return [plan.model.nodes[index].path for index in nodes]


def computed(plan: Plan, step: PhasePlan) -> dict[str, str | None]:
    """What a phase computes, and for which phase it keeps history."""
    return {plan.model.nodes[compute.node].path: compute.history for compute in step.computes}


def again(plan: Plan, step: PhasePlan) -> dict[str, tuple[str, ...]]:
    return {plan.model.nodes[one.node].path: one.again for one in step.computes if one.again}


def only(plan: Plan) -> Pattern:
    (pattern,) = plan.patterns
    return pattern


GAN_MODEL = block("A", "fake", "image") + block("B", "fake_score", "fake") + block("B", "real_score", "image")
GAN_LOSSES = mean("fake_score", "real_score")
CRITIC = phase("critic", "B", "fake_score_loss - real_score_loss")
MAKER = phase("maker", "A", "-fake_score_loss")


# --- examples


@pytest.fixture(scope="module")
def audetnet() -> Plan:
    return plan(netcfg.load(AUDETNET))


def test_audetnet_has_two_kinds_of_batches(audetnet: Plan) -> None:
    kinds = [
        (pattern.batches, pattern.period, [step.phase.name for step in pattern.step.phases])
        for pattern in audetnet.patterns
    ]
    assert kinds == [
        (4, 5, ["image_critic", "pair_critic"]),
        (1, 5, ["image_critic", "pair_critic", "main"]),
    ]


def test_critic_only_batches_compute_what_critics_read_without_history(audetnet: Plan) -> None:
    images, pairs = audetnet.patterns[0].step.phases
    assert computed(audetnet, images) == {
        "code": None,
        "reconstruction": None,
        "image_score": "image_critic",
        "reconstruction_score": "image_critic",
    }
    assert names(audetnet, pairs.reused) == ["code"]
    assert "action_units" not in computed(audetnet, pairs)
    assert not images.cuts + pairs.cuts, "there is no history to cut"


def test_the_encoder_runs_once_where_all_phases_do(audetnet: Plan) -> None:
    images, pairs, main = audetnet.patterns[1].step.phases
    assert computed(audetnet, images)["code"] == computed(audetnet, pairs)["z1"] == "main"
    assert names(audetnet, images.cuts) == ["reconstruction"]
    assert names(audetnet, pairs.cuts) == ["code"]
    assert names(audetnet, main.reused) == ["code", "z1", "reconstruction"]
    assert again(audetnet, main) == {
        "reconstruction_score": ("Image Discriminator",),
        "pair_score": ("Discriminator",),
    }
    assert main.passed == ("Discriminator", "Image Discriminator")


def test_a_single_network_is_a_forward_and_an_update() -> None:
    made = planned("", mean("A"), phase("p", "A", "A_loss"), "A")
    (step,) = only(made).step.phases
    assert computed(made, step) == {"A": "p"}
    assert (step.reused, step.cuts, step.passed, names(made, step.released)) == ((), (), (), ["A"])


def test_a_critic_reads_what_the_other_phase_trains_without_its_history() -> None:
    made = planned(GAN_MODEL, GAN_LOSSES, CRITIC + MAKER, "AB")
    critic, maker = only(made).step.phases
    assert computed(made, critic) == {"fake": "maker", "fake_score": "critic", "real_score": "critic"}
    assert names(made, critic.cuts) == ["fake"]
    assert computed(made, maker) == {"fake_score": "maker"}
    assert again(made, maker) == {"fake_score": ("B",)}
    assert (names(made, maker.reused), maker.passed) == (["fake"], ("B",))


def test_in_the_other_order_what_was_made_is_stale_for_the_critic() -> None:
    made = planned(GAN_MODEL, GAN_LOSSES, MAKER + CRITIC, "AB")
    maker, critic = only(made).step.phases
    assert computed(made, maker) == {"fake": "maker", "fake_score": "maker"}
    assert computed(made, critic) == {"fake": None, "fake_score": "critic", "real_score": "critic"}
    assert again(made, critic) == {"fake": ("A",), "fake_score": ("A",)}


def test_gradients_pass_a_frozen_critic() -> None:
    made = planned(GAN_MODEL, mean("fake_score"), MAKER, "AB", B="freeze = True\n")
    (maker,) = only(made).step.phases
    assert computed(made, maker) == {"fake": "maker", "fake_score": "maker"}
    assert maker.passed == ("B",)


CHAIN = block("A", "a", "image") + block("B", "b", "a") + block("C", "c", "b")


def test_three_chained_phases_each_find_their_history_waiting() -> None:
    phases = phase("last", "C", "c_loss") + phase("middle", "B", "b_loss") + phase("first", "A", "a_loss")
    made = planned(CHAIN, mean("a", "b", "c"), phases)
    last, middle, first = only(made).step.phases
    assert computed(made, last) == {"a": "first", "b": "middle", "c": "last"}
    assert (computed(made, middle), computed(made, first)) == ({}, {})
    assert [names(made, step.cuts) for step in (last, middle, first)] == [["a", "b"], [], []]
    assert [names(made, step.released) for step in (last, middle, first)] == [["c"], ["b"], ["a"]]


def test_down_a_chain_every_step_makes_what_is_below_stale() -> None:
    phases = phase("first", "A", "c_loss") + phase("middle", "B", "c_loss") + phase("last", "C", "c_loss")
    made = planned(CHAIN, mean("c"), phases)
    first, middle, last = only(made).step.phases
    assert computed(made, first) == {"a": "first", "b": "first", "c": "first"}
    assert computed(made, middle) == {"a": None, "b": "middle", "c": "middle"}
    assert computed(made, last) == {"b": None, "c": "last"}
    assert again(made, last) == {"b": ("B",), "c": ("B",)}
    assert names(made, middle.released) == ["b", "c"]
    assert names(made, last.reused) == ["a"]


def test_a_network_used_twice_is_computed_twice_and_trained_through_both() -> None:
    made = planned(block("A", "once", "image") + block("A", "twice", "once"), mean("twice"),
                   phase("p", "A", "twice_loss"), "A")  # fmt: skip
    (step,) = only(made).step.phases
    assert computed(made, step) == {"once": "p", "twice": "p"}


@pytest.mark.parametrize(("kind", "options"), [("detach", ""), ("shuffle_batch", "mode = shift\n")])
def test_what_stops_gradients_needs_no_history_above_it(kind: str, options: str) -> None:
    model = block("A", "a", "image") + block(kind, "still", "a", options=options) + block("B", "b", "still")
    made = planned(model, mean("a", "b"), phase("p", "B", "b_loss") + phase("q", "A", "a_loss", 2), "AB")
    (step,) = made.patterns[0].step.phases
    assert computed(made, step) == {"a": None, "still": None, "b": "p"}


def test_a_gradient_penalty_keeps_no_history_of_its_signals() -> None:
    penalty = "[gradient_penalty]\nname = penalty\nnetwork = B\nreal = image\nfake = fake\n"
    made = planned(GAN_MODEL, GAN_LOSSES + penalty, phase("critic", "B", "penalty"), "AB")
    (critic,) = only(made).step.phases
    assert computed(made, critic) == {"fake": None}


def test_a_detached_output_of_a_network_leads_nowhere() -> None:
    outputs = (
        "[detach]\nname = still\n[output]\nname = live\nfrom = 0\n[output]\nname = fixed\nfrom = still\n"
    )
    wiring = "{Model}\n[A]\nname = a\nfrom = image\n[B]\nname = b\nfrom = a.fixed\n"
    text = DATA + network("A", outputs) + network("B") + wiring + "{Loss}\n" + mean("b")
    with pytest.raises(ProgramError, match="`p` trains `A`, and none of its losses reaches it"):
        netcfg.load(text + "{Optimizer}\n" + phase("p", "A, B", "b_loss"))
    netcfg.load(text.replace("a.fixed", "a.live") + "{Optimizer}\n" + phase("p", "A, B", "b_loss"))


# --- batches


def test_nothing_is_computed_for_phases_that_do_not_run() -> None:
    made = planned(CHAIN, mean("a", "c"), phase("p", "A", "a_loss") + phase("q", "B, C", "c_loss", 3))
    usual, both = made.patterns
    assert [list(computed(made, step)) for step in usual.step.phases] == [["a"]]
    assert (usual.batches, both.batches, both.period) == (2, 1, 3)


@pytest.mark.parametrize(
    ("first", "second", "counts"),
    [(1, 1, [1]), (2, 3, [2, 1, 1]), (2, 4, [1, 1]), (9973, 9967, [9972, 9966, 1])],
)
def test_kinds_of_batches_are_counted_however_long_it_takes(
    first: int, second: int, counts: list[int]
) -> None:
    made = planned(GAN_MODEL, GAN_LOSSES, CRITIC.replace("every = 1", f"every = {first}") +
                   MAKER.replace("every = 1", f"every = {second}"), "AB")  # fmt: skip
    assert sorted((pattern.batches for pattern in made.patterns), reverse=True) == sorted(
        counts, reverse=True
    )


def test_the_pattern_of_a_batch_is_the_one_that_runs(audetnet: Plan) -> None:
    running = [audetnet.running(batch) for batch in range(6)]
    assert running == [(0, 1)] * 4 + [(0, 1, 2), (0, 1)]
    assert audetnet.step(running[4]) is audetnet.patterns[1].step


# --- no graph where no gradient goes


def test_critic_only_batches_build_no_graph_of_the_maker() -> None:
    import torch

    from netcfg.trainers.step.phases import Phases

    made = planned(GAN_MODEL, GAN_LOSSES, CRITIC + MAKER.replace("every = 1", "every = 2"), "AB")
    networks = netcfg.build(made.program)
    phases, outputs = Phases(made.program, networks, torch.device("cpu")), list[torch.Tensor]()
    networks["A"].register_forward_hook(lambda module, inputs, output: outputs.append(output))
    fields = {"image": torch.randn(2, 3, 16, 16)}
    phases.step(fields, 0)
    assert [output.grad_fn for output in outputs] == [None]
    assert all(weight.grad is None for weight in networks["A"].parameters())
    phases.step(fields, 1)
    assert outputs[1].grad_fn is not None
    assert all(weight.grad is not None for weight in networks["A"].parameters())


def test_a_network_that_gradients_pass_gets_none() -> None:
    import torch

    from netcfg.trainers.step.phases import Phases

    made = planned(GAN_MODEL, GAN_LOSSES, MAKER, "AB")
    networks = netcfg.build(made.program)
    Phases(made.program, networks, torch.device("cpu")).step({"image": torch.randn(2, 3, 16, 16)}, 0)
    assert all(weight.grad is None for weight in networks["B"].parameters())
    assert all(weight.grad is not None for weight in networks["A"].parameters())


# --- as text and data


def test_the_page_of_audetnet_fits_on_a_screen(audetnet: Plan) -> None:
    lines = plan_text(audetnet).splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize(
    "line",
    [
        "On 4 of 5 batches",
        "On every 5th batch",
        "  main: trains Encoder, AUPredictor, Decoder",
        "    reuse     code, z1, reconstruction",
        "              reconstruction_score = Image Discriminator(reconstruction)  same pass",
        "    compute   code = Encoder(noisy_image)                                 gradients for main",
        "              pair_score = Discriminator(detach(code))",
        "    cut       code (gradients are kept for main)",
        "    through   Discriminator, Image Discriminator (stay as they are)",
    ],
)
def test_the_page_says(audetnet: Plan, line: str) -> None:
    assert line in plan_text(audetnet).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "maker   every 3rd batch  A               84  sgd        0.001 (default)",
        "    minimise  fake_score_loss - 2 * real_score_loss",
        "    minimise  -fake_score_loss",
    ],
)
def test_the_page_has_the_numbers_of_the_file(line: str) -> None:
    critic = CRITIC.replace("- real", "- 2 * real")
    made = planned(GAN_MODEL, GAN_LOSSES, critic + MAKER.replace("every = 1", "every = 3"), "AB")
    assert line in plan_text(made).splitlines()


@pytest.mark.parametrize(
    ("net", "options", "expected"),
    [
        ("", "", (1e-3, "default")),
        ("learning_rate = 0.5\n", "", (0.5, "net")),
        ("learning_rate = 0.5\n", "learning_rate = 0.25\n", (0.25, "optimizer")),
    ],
)
def test_a_learning_rate_has_a_source(net: str, options: str, expected: tuple[float, str]) -> None:
    made = planned("", mean("A"), phase("p", "A", "A_loss", options=options), "A", A=net)
    (trained,) = plan_data(made)["phases"][0]["networks"]
    assert (trained["learning_rate"], trained["learning_rate_from"]) == expected


def test_the_data_name_every_action(audetnet: Plan) -> None:
    data = json.loads(json.dumps(plan_data(audetnet)))
    images, pairs, main = data["patterns"][1]["phases"]
    assert data["version"] == 1
    assert images["computes"][3] == {
        "signal": "reconstruction_score",
        "type": "Image Discriminator",
        "network": "Image Discriminator",
        "reads": [{"signal": "reconstruction", "cut": True}],
        "history": "image_critic",
        "again": [],
        "checkpoint": False,
        "without": [],
        "pass": 2,
    }
    assert (pairs["reused"], pairs["cut"]) == (["code"], ["code"])
    assert main["losses"][0] == {
        "name": "detection",
        "type": "bce_with_logits",
        "factor": 1.0,
        "reads": [{"signal": "action_units", "cut": False}, {"signal": "labels", "cut": False}],
        "networks": [],
        "of": [],
        "parameters": 0,
    }
    assert main["passes_through"] == ["Discriminator", "Image Discriminator"]
    assert main["updates"] == ["Encoder", "AUPredictor", "Decoder"]


def test_all_computed_signals_are_named_by_what_makes_them(audetnet: Plan) -> None:
    for pattern in audetnet.patterns:
        for step in pattern.step.phases:
            for compute in step.computes:
                path, made_by = (
                    audetnet.model.nodes[compute.node].path,
                    network_of(audetnet.model, compute.node),
                )
                assert f"{path} = {made_by or ''}" in plan_text(audetnet)


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1st"), (2, "2nd"), (11, "11th"), (13, "13th"), (23, "23rd"), (100, "100th")]
)
def test_ordinals(number: int, text: str) -> None:
    assert ordinal(number) == text


# --- the command


def test_the_command_prints_the_page(capsys: pytest.CaptureFixture[str], audetnet: Plan) -> None:
    assert main(["plan", str(AUDETNET)]) == 0
    assert capsys.readouterr().out == plan_text(audetnet) + "\n"


def test_a_setting_changes_the_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    variables = "{General}\n[variables]\nn = 2\n"
    (tmp_path / "a.cfg").write_text(
        variables + DATA + network("A") + "{Loss}\n" + mean("A") + "{Optimizer}\n"
        + phase("p", "A", "A_loss").replace("every = 1", "every = $n")
    )  # fmt: skip
    assert main(["plan", str(tmp_path / "a.cfg"), "--set", "n=7", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["patterns"][0]["period"] == 7


@pytest.mark.parametrize(
    ("text", "lacks"),
    [(network("A"), "{Data}"), (DATA + network("A") + network("B"), "{Model}")],
    ids=["one network", "two networks"],
)
def test_what_trains_nothing_has_no_plan(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, lacks: str
) -> None:
    (tmp_path / "a.cfg").write_text(text)
    assert main(["plan", str(tmp_path / "a.cfg")]) == 1
    error = capsys.readouterr().err
    assert "NC403" in error
    assert lacks in error
    assert "{Optimizer}" in error


def test_planning_leaves_torch_unloaded() -> None:
    code = (
        "import sys; from netcfg.cli.main import main; main(sys.argv[1:]); "
        "sys.exit(bool({'torch', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "plan", str(AUDETNET)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("command", ["summary", "graph"])
def test_a_file_with_a_model_is_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    text = DATA + network("A") + network("B") + "{Model}\n" + GAN_MODEL
    (tmp_path / "a.cfg").write_text(text + "{Loss}\n" + GAN_LOSSES + "{Optimizer}\n" + CRITIC + MAKER)
    output = ["-o", str(tmp_path / "a.svg")] if command == "graph" else []
    assert main([command, str(tmp_path / "a.cfg"), *output]) == 0
    shown = (tmp_path / "a.svg").read_text() if command == "graph" else capsys.readouterr().out
    assert all(name in shown for name in ("A", "B"))


@pytest.mark.parametrize(
    "code", ["NC209", "NC210", "NC211", "NC212", "NC407", "NC408", "NC409", "NC410", "NC412"]
)
def test_the_codes_are_explained(capsys: pytest.CaptureFixture[str], code: str) -> None:
    assert main(["explain", code]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{code} {CODES[code].name}: {CODES[code].meaning}\n")
    assert EXPLANATIONS[code].remedy in said


TEMPLATE = "{Define twice}\n[formula]\nvalue = 2 * input\n[formula]\nvalue = input + in\n"


def test_a_use_of_a_template_is_one_text_of_the_plan_and_one_card_of_the_diagram() -> None:
    from netcfg.draw.training.picture import training_picture

    model = block("twice", "t", "image") + block("A", "a", "t") + block("twice", "u", "a")
    training = f"{{Loss}}\n{mean('u')}{{Optimizer}}\n{phase('p', 'A', 'u_loss')}"
    made = plan(netcfg.load(f"{DATA}{TEMPLATE}{network('A')}{{Model}}\n{model}{training}"))
    page = plan_text(made)
    assert "t = twice(image)" in page
    assert "a = A(t)" in page
    assert "u = twice(a)" in page
    shown = training_picture(made.program).training
    assert shown is not None
    assert [card.box.name for card in shown.cards if card.kind == "block"] == ["t", "u"]
    flows = [(shown.cards[one.source].box.name, shown.cards[one.target].box.name) for one in shown.flows]
    assert ("t", "A") in flows
    assert ("A", "u") in flows
    assert ("u", "u_loss") in flows
