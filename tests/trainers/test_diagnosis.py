"""The guard: which loss stopped being a number, and the block where it began, at its line."""

import math

import pytest
import torch
from three_phases import TEXT, three_phases
from tiny import tiny_program

from netcfg.trainers.step.step import NotFinite, Reported


def line_of(text, wanted):
    return text[: text.index(wanted)].count("\n") + 1


def finding(trainer):
    with pytest.raises(NotFinite) as caught:
        trainer.fit()
    (found,) = caught.value.findings
    assert found.code == "NC405"
    return found


def note(found):
    (only,) = found.notes
    return only.span.line, only.message


def after_batches(trainer, batches, change):
    """Change something before the batch after so many."""
    finish = trainer.train_data.finish

    def changed(batch):
        fields = finish(batch)
        if trainer.position.step == batches:
            change(fields)
        return fields

    trainer.train_data.finish = changed


@pytest.fixture
def trainer(make_trainer):
    return make_trainer(program=three_phases(dropout="0.0"))


def test_data_that_are_no_numbers_are_named(trainer):
    after_batches(trainer, 2, lambda fields: fields["image"].fill_(math.nan))
    found = finding(trainer)
    assert note(found) == (line_of(TEXT, "{Data}"), "the data field `image` holds NaN")
    assert "the loss `critic_fake` became nan" in found.message
    assert "netcfg data show" in found.help


def test_weights_that_an_update_broke_are_named(trainer):
    stem = trainer.networks["Encoder"]["stem"]

    def ruin(fields):
        with torch.no_grad():
            next(stem.parameters())[0, 1, 2, 0] = math.inf

    after_batches(trainer, 1, ruin)
    line, message = note(finding(trainer))
    assert line == line_of(TEXT, "[convolutional]\nname = stem")
    assert message.startswith("`Encoder.stem.")
    assert message.endswith("holds infinity since an earlier update")


def test_the_first_block_that_overflows_is_named(trainer):
    code = trainer.networks["Encoder"]["code"]

    def enlarge(fields):
        with torch.no_grad():
            code.weight.fill_(3e38)

    after_batches(trainer, 1, enlarge)
    line, message = note(finding(trainer))
    assert line == line_of(TEXT, "[connected]\nname = code")
    assert message.startswith("`Encoder.code` [connected] is the first block that gives ")


def test_a_critic_inside_a_penalty_is_looked_into(make_trainer):
    text = TEXT.replace("minimise = critic_fake - critic_real + 10 * critic_gp", "minimise = critic_gp")
    trainer = make_trainer(program=tiny_program(text))
    hidden = trainer.networks["Critic"]["hidden"]

    def enlarge(fields):
        with torch.no_grad():
            hidden.weight.fill_(3e38)
            hidden.bias.fill_(3e38)

    after_batches(trainer, 1, enlarge)
    found = finding(trainer)
    assert "the loss `critic_gp` became" in found.message
    assert note(found)[0] == line_of(text, "[connected]\nname = hidden")


def test_a_loss_that_overflows_by_itself_says_that_no_block_did(trainer):
    step = trainer.phases.step
    step.losses.modules["detection"].forward = lambda logits, labels: logits.sum() * math.inf
    found = finding(trainer)
    assert found.notes == ()
    assert "`detection` became" in found.message


def test_a_normal_step_diagnoses_nothing(trainer, monkeypatch):
    monkeypatch.setattr(trainer.phases.step, "diagnosis", None)
    assert trainer.fit() == "finished"


def test_sums_that_are_found_broken_later_are_explained(trainer):
    """As on a GPU, where losses are read only now and then."""
    step = trainer.phases.step

    def late(fields, *further):
        fields["image"].fill_(math.nan)
        return Reported({"main.loss": torch.tensor(math.nan), "detection": torch.tensor(math.nan)})

    late.explain = step.explain
    trainer.phases.step = late
    trainer.train_data.finish = lambda batch, finish=trainer.train_data.finish: {
        **finish(batch), "image": torch.full((4, 3, 16, 16), math.nan)
    }  # fmt: skip
    found = finding(trainer)
    assert "the loss `detection` became nan in epoch 1, by batch 5" in found.message
    assert note(found)[1] == "the data field `image` holds NaN"
