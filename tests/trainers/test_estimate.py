import io
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from three_phases import three_phases
from tiny import tiny_program

from netcfg.trainers.reporting import estimate as module
from netcfg.trainers.reporting.estimate import Estimate, Work, estimate, estimate_lines, measure_rate, si
from netcfg.trainers.reporting.progress import BarDisplay, PlainDisplay, Stretch, clock, open_display

CPU = torch.device("cpu")
LARGE = Estimate(
    parameters=200_000_000, macs=30_000_000_000, step=Work(90e9, 1000, 5.6e9), evaluation_macs=30e9,
    kept_bytes=200_000_000 * 16, batch_size=10, train_samples=1000, validation_samples=300,
    epochs=10, activation_bytes=10**9, rate=2e11, device=CPU,
)  # fmt: skip


def test_time_is_operations_over_the_rate():
    seconds = 2 * 30e9 * (3 * 1000 + 300) * 10 / 2e11 + 10 * 100 * (5.6e9 / 1e10 + 1000 * 2e-5)
    assert abs(LARGE.seconds - seconds) < 1e-6
    assert LARGE.memory == 200_000_000 * 16 + 10**9


def test_a_long_training_hints_at_the_demo():
    program = replace(tiny_program(), presets=("demo",))
    assert "--preset demo" in estimate_lines(LARGE, program)[-1]
    assert "--preset demo" not in "".join(estimate_lines(LARGE, replace(program, preset="demo")))
    assert "--preset demo" not in "".join(estimate_lines(replace(LARGE, epochs=1, train_samples=10), program))


def test_too_little_memory_is_told(monkeypatch):
    monkeypatch.setattr(module, "available_memory", lambda device: 2 * 10**9)
    lines = estimate_lines(LARGE, tiny_program())
    assert "warning: only 2.0 GB of memory are free" in lines[2]


def test_a_program_is_estimated_from_its_graph():
    program = tiny_program()
    found = estimate(program, 18, 8, 4, CPU)
    assert found.macs == sum(graph.macs for graph in program.networks.values())
    assert found.step.macs == 3 * found.macs
    assert found.evaluation_macs == found.macs
    assert found.kept_bytes == 16 * found.parameters  # weight, gradient, Adam's moments
    assert found.activation_bytes > 0


def test_what_phases_compute_is_counted_by_the_plan():
    program = three_phases(accumulate="1")
    found = estimate(program, 18, 8, 4, CPU)
    encoder, predictor, decoder, critic, judge = (graph.macs for graph in program.networks.values())
    # Critic and Judge each score twice with history and pay a penalty on every batch; on every second batch
    # Encoder, Predictor, Decoder train through both, on the others their codes and pictures have no history.
    critics = (2 * 3 + 4) * (critic + judge)
    main = (3 * (encoder + predictor + decoder) + 2 * (critic + judge) + encoder + decoder) / 2
    assert found.step.macs == pytest.approx(critics + main)
    sizes = {name: graph.trainable for name, graph in program.networks.items()}
    trained = sizes["Encoder"] + sizes["Predictor"] + sizes["Decoder"]
    updates = 28 * sizes["Critic"] + 28 * sizes["Judge"] + 20 * trained / 2 + 12 * sum(sizes.values())
    assert found.step.update_bytes == pytest.approx(updates)


def test_of_several_phases_the_sums_are_shown():
    console = Console(file=io.StringIO(), width=100)
    display = PlainDisplay(console)
    display.interval = 0.0
    display.start(Stretch("epoch 1/2", batches=10, batch_size=4))
    display.advance(3, lambda: {"real": 1.0, "critic.loss": 0.5, "l1": 2.0, "main.loss": 0.25})
    assert "critic.loss 0.5000  main.loss 0.2500" in console.file.getvalue()
    assert "real" not in console.file.getvalue()


def test_measuring_leaves_the_random_state():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    assert measure_rate(CPU) > 1e8
    assert torch.equal(torch.rand(2), expected)


def test_numbers_and_durations_are_short():
    assert [si(number) for number in (237_025_089, 15.5e9, 12)] == ["237.0 M", "15.5 G", "12 "]
    assert [clock(seconds) for seconds in (12.3, 200, 33_000, 200_000)] == [
        "12 s", "3 min 20 s", "9 h 10 min", "2 days 7 h"
    ]  # fmt: skip


def display_on(terminal):
    console = Console(file=io.StringIO(), width=100, force_terminal=terminal)
    display = open_display(console)
    display.interval = 0.0
    display.start(Stretch("epoch 1/2", batches=10, batch_size=4, epochs_left=1, best="best f1 0.500"))
    display.advance(3, lambda: {"loss": 0.25})
    display.close()
    return display, console.file.getvalue()


def test_off_a_terminal_there_are_plain_lines():
    display, text = display_on(False)
    assert isinstance(display, PlainDisplay)
    assert text.startswith("epoch 1/2  3/10  ")
    assert "samples/s" in text
    assert "loss 0.2500  best f1 0.500" in text
    assert "\x1b" not in text


def test_on_a_terminal_there_is_a_bar():
    display, text = display_on(True)
    assert isinstance(display, BarDisplay)
    assert "\x1b" in text
    assert "3/10" in text


def test_losses_are_only_read_when_shown():
    display = PlainDisplay(Console(file=io.StringIO()))
    display.start(Stretch("epoch", 10, 4))

    def read():
        raise AssertionError

    display.advance(1, read)
