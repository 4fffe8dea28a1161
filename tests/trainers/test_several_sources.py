"""Programs that read several sources: joined in one batch, with gaps, and side by side."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console
from safetensors.torch import load_file
from test_distributed import in_team
from torch import Tensor, nn
from torch.nn import functional

import netcfg
import netcfg.compile
from netcfg.blocks.fields import LENGTHS
from netcfg.datasets.sources.example_folders import write_clip_folder
from netcfg.datasets.together import open_batches
from netcfg.program import Program
from netcfg.source import ProgramError
from netcfg.trainers.fit.trainer import Trainer
from netcfg.trainers.machine.distributed import ALONE, Team
from netcfg.trainers.runs.run_folder import RunFolder
from netcfg.trainers.step.phases import Phases, set_training

DATA = """{General}
[variables]
labelled = 2
other = 4
[training]
batch_size = ${labelled + other}
drop_last = True
max_epochs = 3
eval_batch_size = 5
{Data}
[synthetic_faces]
name = labelled
image_size = 16
subjects = 6
clips = 1
clip_length = 5
action_units = 6, 12
fields = image, labels
[synthetic_faces]
name = other
image_size = 16
subjects = 7
clips = 1
clip_length = 3
action_units = 6, 12
seed = 5
fields = image
"""
NET = """{Net}
[net]
inputs = data.image
[flatten]
name = flat
[connected]
name = answer
output_features = 2
[connected]
name = domain
from = flat
output_features = 2
[output]
name = answer
from = answer
[output]
name = domain
from = domain
"""
JOINED = (
    DATA
    + "[joined]\nrows = labelled: $labelled, other: $other\n"
    + NET
    + """{Loss}
[bce_with_logits]
name = detection
input = Net.answer
target = labels
[cross_entropy]
name = whose
input = Net.domain
target = source
[mean]
name = small
input = Net.domain ** 2
source = other
{Optimizer}
[adam]
networks = Net
minimise = detection + 2 * whose + 0.1 * small
learning_rate = 0.01
{Metric}
[f1]
input = Net.answer
target = labels
[accuracy]
input = Net.domain
target = source
"""
)


def trainer_in(
    path: Path, program: Program, resume: bool = False, team: Team = ALONE, kind: type[Trainer] = Trainer
) -> Trainer:
    if resume or not team.is_first:
        folder = RunFolder(path)
    else:
        folder = RunFolder.create(program, path)
        folder.write_json("run.json", {})
    trainer = kind(program, folder, console=Console(file=io.StringIO(), width=120), workers=0, team=team)
    trainer.setup(resume=resume)
    return trainer


def weights(path: Path) -> dict[str, Tensor]:
    return load_file(path / "checkpoints/last.safetensors")


def records(path: Path) -> list[dict[str, object]]:
    lines = (path / "metrics.jsonl").read_text().splitlines()
    kept = ("epoch", "step", "train", "validation", "best")
    return [{key: json.loads(line)[key] for key in kept} for line in lines]


def shown(program: Program, place: int, epoch: int = 0) -> Iterator[dict[str, np.ndarray]]:
    """A source's samples as training shows them, epoch after epoch."""
    part = program.data.parts[place]
    samples = part.source.open("train", part.used)
    while True:
        for index in np.random.default_rng((program.training.seed, epoch)).permutation(len(samples)):
            yield samples[int(index)]
        epoch += 1


def pictures(samples: list[dict[str, np.ndarray]]) -> Tensor:
    stacked = torch.from_numpy(np.stack([one["image"] for one in samples])).movedim(-1, 1)
    return stacked.float() / 255


def test_joined_sources_with_gaps_are_a_plain_loop() -> None:
    program = netcfg.load(JOINED)
    torch.manual_seed(0)
    networks = netcfg.build(program)
    plain = nn.ModuleDict({"answer": nn.Linear(768, 2), "domain": nn.Linear(768, 2)})
    plain.load_state_dict(networks["Net"].state_dict())
    optimizer = torch.optim.Adam(plain.parameters(), lr=0.01)
    other = shown(program, 1)
    set_training(program, networks, True)
    phases = Phases(program, networks, torch.device("cpu"))
    pipeline = open_batches(program.data, "train", 6, shuffle="epoch", drop_last=True)
    done = 0
    for epoch in range(3):
        labelled = shown(program, 0, epoch)  # whose epochs count: what does not fill a batch is left out
        for batch, made in enumerate(pipeline.epoch(epoch)):
            phases.step(pipeline.finish(made), batch)
            ours, theirs = [next(labelled) for _ in range(2)], [next(other) for _ in range(4)]
            images = pictures([*ours, *theirs]).flatten(1)
            labels = torch.from_numpy(np.stack([one["labels"] for one in ours]))
            domain = plain["domain"](images)
            loss = functional.binary_cross_entropy_with_logits(plain["answer"](images[:2]), labels)
            loss = loss + 2 * functional.cross_entropy(domain, torch.tensor([0, 0, 1, 1, 1, 1]))
            loss = loss + 0.1 * (domain[2:] ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            done += 1
    assert done >= 10
    for name, found in networks["Net"].state_dict().items():
        torch.testing.assert_close(found, plain.state_dict()[name], rtol=1e-6, atol=1e-6, msg=name)


def test_each_split_is_judged_whole_and_source_by_source(tmp_path: Path) -> None:
    program = netcfg.load(JOINED)
    trainer = trainer_in(tmp_path / "run", program)
    trainer.fit()
    network = trainer.networks["Net"].eval()
    answers, right, samples = [], {}, {}
    for place, part in enumerate(program.data.parts):
        opened = part.source.open("test", part.used)
        samples[place] = [opened[index] for index in range(len(opened))]
        with torch.no_grad():
            answers.append(network(pictures(samples[place])))
        right[place] = (answers[place]["domain"].argmax(1) == place).float()
    result = json.loads((tmp_path / "run" / "result.json").read_text())["test"]
    labels = torch.from_numpy(np.stack([one["labels"] for one in samples[0]]))
    detection = functional.binary_cross_entropy_with_logits(answers[0]["answer"], labels)
    assert result["losses"]["detection"] == pytest.approx(detection.item(), rel=1e-5)
    whose = torch.cat(
        [
            functional.cross_entropy(
                one["domain"], torch.full((len(one["domain"]),), place), reduction="none"
            )
            for place, one in enumerate(answers)
        ]
    )
    assert result["losses"]["whose"] == pytest.approx(whose.mean().item(), rel=1e-5)
    small = (answers[1]["domain"] ** 2).mean()
    total = detection + 2 * whose.mean() + 0.1 * small
    assert result["losses"]["loss"] == pytest.approx(total.item(), rel=1e-5)
    both = torch.cat([right[0], right[1]]).mean().item()
    assert result["metrics"]["accuracy"]["accuracy"] == pytest.approx(both)
    for place, name in enumerate(("labelled", "other")):
        found = result["metrics"][f"accuracy_{name}"]
        assert found[f"accuracy_{name}"] == pytest.approx(right[place].mean().item())


class Stopping(Trainer):
    """Stops in the middle of its second epoch."""

    def _train_batch(self, batch):  # type: ignore[no-untyped-def]
        self.interrupt.requested = self.position.epoch == 1 and self.position.batch == 2
        return super()._train_batch(batch)


def test_a_run_that_was_stopped_goes_on_to_the_bit(tmp_path: Path) -> None:
    program = netcfg.load(JOINED)
    trainer_in(tmp_path / "whole", program).fit()
    assert trainer_in(tmp_path / "stopped", program, kind=Stopping).fit() == "interrupted"
    trainer_in(tmp_path / "stopped", program, resume=True).fit()
    expected = weights(tmp_path / "whole")
    assert all(torch.equal(found, expected[name]) for name, found in weights(tmp_path / "stopped").items())
    assert records(tmp_path / "stopped") == records(tmp_path / "whole")


def test_two_processes_are_one_of_the_double_batch(tmp_path: Path) -> None:
    one = netcfg.load(JOINED, labelled=4, other=8)
    two = netcfg.load(JOINED, labelled=2, other=4)
    trainer_in(tmp_path / "one", one).fit()
    in_team(lambda team: trainer_in(tmp_path / "two", two, team=team).fit())
    expected = weights(tmp_path / "one")
    for name, found in weights(tmp_path / "two").items():
        torch.testing.assert_close(found, expected[name], rtol=1e-5, atol=1e-6, msg=name)
    for ours, theirs in zip(records(tmp_path / "two"), records(tmp_path / "one"), strict=True):
        assert ours["train"] == pytest.approx(theirs["train"], rel=1e-5)
        assert ours["validation"]["losses"] == pytest.approx(theirs["validation"]["losses"], rel=1e-5)
        assert ours["validation"]["metrics"] == theirs["validation"]["metrics"]


# --- side by side

BESIDE = (
    DATA.replace("batch_size = ${labelled + other}", "batch_size = 4").replace("drop_last = True\n", "")
    + """{Net}
[net]
inputs = data.other.image
[flatten]
[connected]
output_features = 2
{Model}
[Net]
name = own
from = labelled.image
[Net]
name = strange
from = other.image
{Loss}
[bce_with_logits]
name = detection
input = own
target = labels
[mse]
name = alike
input = own
target = strange
{Optimizer}
[sgd]
networks = Net
minimise = detection + alike
{Metric}
[f1]
input = own
target = labels
[mse]
name = apart
input = own
target = strange
"""
)


def test_side_by_side_the_other_source_goes_on_in_its_own_order() -> None:
    program = netcfg.load(BESIDE)
    pipeline = open_batches(program.data, "train", 4, shuffle="epoch")
    other = shown(program, 1)
    sizes = []
    for epoch in range(3):
        own = shown(program, 0, epoch)
        for made in pipeline.epoch(epoch):
            fields = pipeline.finish(made)
            count = len(fields["labels"])
            ours, theirs = [next(own) for _ in range(count)], [next(other) for _ in range(count)]
            assert torch.equal(fields["labelled.image"], pictures(ours))
            assert torch.equal(fields["other.image"], pictures(theirs))
            sizes.append(count)
    assert sizes[0] == 4
    assert sum(sizes) == 3 * pipeline.samples
    # In the middle of an epoch, and by workers, the same.
    whole = [pipeline.finish(made)["other.image"] for made in pipeline.epoch(2)]
    skipped = [pipeline.finish(made)["other.image"] for made in pipeline.epoch(2, skip=1)]
    assert all(torch.equal(one, other) for one, other in zip(whole[1:], skipped, strict=True))


def test_side_by_side_programs_train_and_are_judged(tmp_path: Path) -> None:
    program = netcfg.load(BESIDE)
    trainer_in(tmp_path / "run", program).fit()
    result = json.loads((tmp_path / "run" / "result.json").read_text())["test"]
    assert set(result["metrics"]) == {"f1", "apart"}
    assert set(result["losses"]) == {"detection", "alike", "loss"}


def without_a_split(text: str, tmp_path: Path) -> str:
    """The other source in a folder whose pictures are all to train on."""
    for number in range(9):
        folder = tmp_path / "pictures" / ("rose" if number % 2 else "tulip")
        folder.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 255, (16, 16, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    start, end = text.index("[synthetic_faces]\nname = other"), text.index("seed = 5\nfields = image\n")
    folder = f"[image_folder]\nname = other\npath = {tmp_path / 'pictures'}\nimage_size = 16\n"
    folder += "validation_share = 0\ntest_share = 0\nsplits = train\n"
    return text[:start] + folder + text[end + len("seed = 5\nfields = image\n") :]


def test_what_a_source_lacks_in_a_split_is_not_judged_there(tmp_path: Path) -> None:
    beside = netcfg.load(without_a_split(BESIDE, tmp_path))
    trainer_in(tmp_path / "beside", beside).fit()
    result = json.loads((tmp_path / "beside" / "result.json").read_text())["test"]
    assert set(result["metrics"]) == {"f1"}
    assert set(result["losses"]) == {"detection"}
    text = without_a_split(JOINED, tmp_path).replace("[joined]", "[leave_out]\nfields = class\n[joined]")
    joined = netcfg.load(text.replace("fields = class\n", "fields = class\nsource = other\n"))
    trainer_in(tmp_path / "joined", joined).fit()
    result = json.loads((tmp_path / "joined" / "result.json").read_text())["test"]
    assert set(result["metrics"]) == {"f1", "accuracy"}  # of one source, so no figure for each
    assert set(result["losses"]) == {"detection", "whose"}


def test_a_folder_takes_the_place_of_one_of_several_sources(tmp_path: Path) -> None:
    without_a_split(JOINED, tmp_path)
    folder = tmp_path / "pictures"
    program, findings = netcfg.compile.check(JOINED, data=f"other={folder}")
    assert program is not None, findings
    assert [part.source.type_name for part in program.data.parts] == ["synthetic_faces", "image_folder"]
    assert [part.name for part in program.data.parts] == ["labelled", "other"]
    again = netcfg.load(program.resolved)
    assert again.data.parts[0].source == program.data.parts[0].source
    assert again.data.parts[1].source.classes == ("rose", "tulip")  # settled by the folder
    assert again.data.fields == program.data.fields
    _, findings = netcfg.compile.check(JOINED, data=str(folder))
    assert "`--data other=" in str(findings[0].help)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("name = other\nimage", "image", "NC111", "has no name"),
        ("name = other\nimage", "name = labelled\nimage", "NC107", "two sources called `labelled`"),
        ("other: $other", "others: $other", "NC501", "there is no source `others`"),
        (", other: $other", "", "NC502", "`rows` says nothing of the source `other`"),
        ("labelled: $labelled", "labelled: 0", "NC105", "a number of samples for each source"),
        ("${labelled + other}", "7", "NC502", "`rows` are 6 samples, and `batch_size` of [training] is 7"),
        ("source = other", "source = odd", "NC501", "there is no source `odd`"),
        ("target = labels\n[cross", "target = labels\nsource = other\n[cross", "NC509", "no sample has all"),
        ("seed = 5\nfields = image", "seed = 5\nfields = labels", "NC509", "a gap in samples of `other`"),
        ("name = other\nimage", "name = other\nsplits = test\nimage", "NC105", "has no `train` split"),
        ("[joined]", "[horizontal_flip]\nsource = odd\n[joined]", "NC501", "there is no source `odd`"),
        ("12\nseed = 5\nfields = image", "4\nseed = 5", "NC502", "`labels` is vector 2 of AU6, AU12 in `lab"),
        (
            "[joined]",
            "[resize]\nsize = 32\nsource = other\n[joined]",
            "NC502",
            "[resize] with `source = other`",
        ),
    ],
)
def test_what_does_not_fit_is_said_once(old: str, new: str, code: str, said: str) -> None:
    assert old in JOINED
    with pytest.raises(ProgramError) as raised:
        netcfg.load(JOINED.replace(old, new))
    findings = raised.value.findings
    assert [finding.code for finding in findings if finding.severity == "error"] == [code] * len(findings)
    assert said in f"{findings[0].message} {findings[0].help}"


def test_splits_that_the_first_source_lacks_are_said_and_not_judged(tmp_path: Path) -> None:
    """And a run that has trained is not refused at its end."""
    for splits, lacking in (("train", "validation and test splits"), ("train, validation", "test split")):
        program = netcfg.load(BESIDE.replace("name = labelled\n", f"name = labelled\nsplits = {splits}\n", 1))
        (said,) = program.findings
        assert (said.code, said.severity) == ("NC506", "warning")
        assert said.message == (
            f"nothing is judged on the {lacking}: side by side the samples are those of the first source, and "
            "`labelled` has none there, as `other` has"
        )
        assert said.span is not None
        assert said.span.text == splits
    trainer_in(tmp_path / "run", program).fit()
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["validation"]["metrics"]
    assert result["test"] is None


def test_a_loss_of_one_source_needs_joined_ones() -> None:
    with pytest.raises(ProgramError) as raised:
        netcfg.load(BESIDE.replace("target = strange\n", "target = strange\nsource = other\n", 1))
    assert "no sources are joined" in str(raised.value)


CLIPS = """
{{General}}
[training]
batch_size = 5
{{Data}}
[clip_folder]
name = one
path = {one}
image_size = 16
[clip_folder]
name = two
path = {two}
image_size = 16
[leave_out]
fields = class
source = two
[joined]
rows = one: 3, two: 2
{{N}}
[net]
[input]
name = clip
frames = T
channels = 3
height = 16
width = 16
[flatten]
over = frames
[frame_mean]
[connected]
output_features = 2
{{Model}}
[N]
from = clip
{{Loss}}
[cross_entropy]
input = N
target = class
"""


def test_clips_of_other_lengths_are_joined_and_padded_to_the_longest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_clip_folder(tmp_path / name, ("happy", "sad"))
    program = netcfg.load(CLIPS.format(one=tmp_path / "one", two=tmp_path / "two"))
    networks = netcfg.build(program)
    opened = [part.source.open("train", ("clip",)) for part in program.data.parts]
    pipeline = open_batches(program.data, "train", 5, shuffle="epoch", drop_last=True)
    seen = set()
    for made in pipeline.epoch(0):
        fields = pipeline.finish(made)
        lengths = fields[f"{LENGTHS}frames"].tolist()
        seen.add(tuple(lengths))
        assert fields["clip"].shape[:2] == (5, max(lengths))
        answers = networks["N"](clip=fields["clip"], lengths={"T": fields[f"{LENGTHS}frames"]})
        for row, (length, number) in enumerate(zip(lengths, made.numbers, strict=True)):
            place, own = (1, number - len(opened[0])) if number >= len(opened[0]) else (0, number)
            whole = opened[place][own]["clip"]
            clip = torch.from_numpy(whole).movedim(-1, -3).float() / 255
            assert torch.equal(fields["clip"][row, :length], clip)
            alone = networks["N"](clip=clip[None])
            torch.testing.assert_close(answers[row], alone[0])
    assert any(len(set(lengths)) > 1 for lengths in seen)
