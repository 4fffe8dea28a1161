"""Half precision and generated code, for programs of several phases."""

import shutil

import pytest
import torch
from three_phases import three_phases

from netcfg.source import NetcfgError
from netcfg.trainers.machine import compilation
from netcfg.trainers.machine.compilation import compile_error, compile_line, not_compiled


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_as_single_does(make_trainer, precision):
    def trained(precision):
        program = three_phases(precision=precision, epochs="6", dropout="0.0")
        trainer = make_trainer(precision, program=program, limit_batches=4)
        trainer.fit()
        assert all(weight.dtype == torch.float32 for weight in trainer.networks.parameters())
        return [record.train["reconstruction"] for record in trainer.ledger.epochs]

    single, half = trained("f32"), trained(precision)
    assert half == pytest.approx(single, rel=0.02)
    assert min(half) < 0.93 * half[0]


def test_sgd_whose_first_update_overflows_begins_later(make_trainer):
    trainer = make_trainer(program=three_phases(precision="fp16"))
    main = trainer.phases.steppers["main"]
    for weight in main.parameters:
        weight.grad = torch.full_like(weight, torch.inf)
    main.backward(sum(weight.sum() for weight in main.parameters))
    main.finish()
    assert not main.optimizer.state


def test_networks_of_a_penalty_are_not_compiled():
    program = three_phases(compile="True")
    assert tuple(not_compiled(program)) == ("Critic", "Judge")
    assert compile_line(program).startswith("compiling `Encoder`, `Predictor`, `Decoder`")
    assert "not `Critic`, `Judge`: gradient penalties" in compile_line(program)


def test_a_machine_without_a_compiler_refuses(make_trainer, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(NetcfgError, match=r"(?s)needs a C\+\+ compiler.*leave out `compile`"):
        make_trainer(program=three_phases(compile="True"))


def test_what_the_compiler_refuses_is_told():
    from torch._dynamo.exc import Unsupported

    told = compile_error(Unsupported("cannot trace this\nmore", case_name="test"))
    assert told is not None
    assert str(told).startswith("the networks cannot be compiled: cannot trace this\nhelp:")
    assert compile_error(RuntimeError("another")) is None


def test_networks_are_compiled_in_place(make_trainer, monkeypatch):
    monkeypatch.setattr(compilation, "_finds_compiler", lambda: True)
    trainer = make_trainer(program=three_phases(compile="True"))
    compiled = {name for name, network in trainer.networks.items() if network._compiled_call_impl is not None}
    assert compiled == {"Encoder", "Predictor", "Decoder"}
