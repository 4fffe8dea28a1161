"""The trainer: sets up what a program describes, and runs its epochs.

One phase (optimizer) per program. A run can be stopped at any batch and continued exactly: `Position` says
where it stands, and everything else that matters is in `last`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from math import inf
from typing import Any, Literal

import torch
from rich.console import Console
from torch import nn

from netcfg.blocks.kinds import Split
from netcfg.datasets.pipeline import Batch, Pipeline
from netcfg.program import Data, Phase, Program
from netcfg.source import Finding, NetcfgError, ProgramError, did_you_mean
from netcfg.trainers.curves import draw_curves
from netcfg.trainers.devices import default_workers, usable_cores, use_channels_last
from netcfg.trainers.estimate import Estimate, estimate, estimate_lines
from netcfg.trainers.evaluation import Sums, evaluate
from netcfg.trainers.interrupt import Interrupt, Interrupted
from netcfg.trainers.progress import Stretch, clock, epoch_line, open_display
from netcfg.trainers.report import result_tables
from netcfg.trainers.run_folder import RunFolder, environment
from netcfg.trainers.step import Losses, Step, refuse_non_finite, weighted_sum
from netcfg.trainers.tensorboard import Events

Outcome = Literal["finished", "interrupted"]

CHECKPOINT_SECONDS = 600.0  # within an epoch; at its end there always is one
_CURVES_SECONDS = 30.0
_LOSS = "loss"


@dataclass
class Position:
    """Where a run stands: whole epochs finished, and batches finished in the one after them.

    `sums` are the losses of the unfinished epoch, `stale` the epochs since the best one.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    best: float | None = None
    best_epoch: int = 0
    stale: int = 0
    sums: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Times:
    """Seconds of an epoch: its training, waiting for data in it, preparing data (over all workers)."""

    train: float = 0.0
    waiting: float = 0.0
    preparing: float = 0.0
    validation: float = 0.0
    samples: int = 0


class Trainer:
    """Trains a program into a run folder.

    `build` makes the networks by name, `netcfg.build` by default. Errors: `NetcfgError` and `ProgramError`
    from `setup` and `fit`, each with a remedy; what is on disk then can be resumed.
    """

    def __init__(
        self,
        program: Program,
        run: RunFolder,
        *,
        device: torch.device | str = "cpu",
        workers: int | None = None,
        limit_batches: int | None = None,
        build: Callable[[Program], nn.ModuleDict] | None = None,
        console: Console | None = None,
    ) -> None:
        self.program = program
        self.training = program.training
        self.run = run
        self.device = torch.device(device)
        configured = program.training.workers if workers is None else workers
        self.workers = default_workers() if configured is None else configured
        self.limit_batches = limit_batches
        self.console = console or Console()
        self.position = Position()
        self.records: list[dict[str, Any]] = []
        self.loaded: list[Any] = []
        self.estimate: Estimate | None = None
        self._build = build
        self._times = _Times()
        self._saved = self._drawn = time.monotonic()

    # --- setting up -------------------------------------------------------------------------------

    def setup(self, resume: bool = False) -> None:
        """Make everything; with `resume`, take up the run where `last` left it."""
        self.phase = _only_phase(self.program)
        self.data = _data(self.program)
        self.monitor = _monitor(self.program)
        self.setup_networks(fresh=not resume)
        self.setup_optimizer()
        self.setup_data()
        if resume:
            self.restore()
        self.events = Events(self.run.path / "tensorboard", self.position.epoch + 1)
        self.run.write_json("environment.json", environment(self.device, self.workers))

    def setup_networks(self, fresh: bool = True) -> None:
        """Build the networks from the seed; fresh ones take the weights their files ask for."""
        torch.manual_seed(self.training.seed)
        self.networks = self._built()
        if fresh and self._build is None:
            from netcfg.builder import weights

            self.loaded = list(weights.load_pretrained(self.program, self.networks))
        self.networks.to(self.device)
        for name, graph in self.program.networks.items():
            if any(len(signal.shape) >= 3 for signal in graph.inputs.values()):
                use_channels_last(self.networks[name])

    def _built(self) -> nn.ModuleDict:
        if self._build is not None:
            return self._build(self.program)
        import netcfg

        return netcfg.build(self.program)

    def setup_optimizer(self) -> None:
        """One parameter group per network; frozen parameters stay out."""
        section = self.phase.optimizer
        groups = [self._parameter_group(name) for name in section.networks]
        self.optimizer = section.lower([group for group in groups if group["params"]])
        for group in self.optimizer.param_groups:
            group["initial_lr"] = group["lr"]
        self.losses = Losses(self.program.losses)
        self.step = Step(self.program, self.phase, self.networks, self.losses, self.optimizer)

    def _parameter_group(self, name: str) -> dict[str, Any]:
        options = self.program.networks[name].options
        group: dict[str, Any] = {
            "params": [weight for weight in self.networks[name].parameters() if weight.requires_grad],
            "network": name,
        }
        if getattr(options, "learning_rate", None) is not None:
            group["lr"] = options.learning_rate
        betas = (getattr(options, "beta1", None), getattr(options, "beta2", None))
        if betas != (None, None):
            group["betas"] = (0.9 if betas[0] is None else betas[0], 0.999 if betas[1] is None else betas[1])
        return group

    def setup_data(self) -> None:
        """Open the training and the validation split."""
        self.train_data = self._pipeline("train")
        self.validation_data = self._pipeline("validation")
        if not len(self.train_data):
            raise _empty_split("training", self.training.drop_last)

    def _pipeline(self, split: Split) -> Pipeline:
        training = split == "train"
        return Pipeline(
            self.data,
            split,
            self.training.batch_size,
            seed=self.training.seed,
            shuffle=self.training.shuffle if training else "never",
            drop_last=training and self.training.drop_last,
            workers=self.workers,
            device=self.device,
            limit_batches=self.limit_batches,
        )

    def announce(self) -> None:
        """Say what the run will take on this machine, and where it goes."""
        for report in self.loaded:
            self._say(str(report))
        if self.is_complete:
            self._say(f"this run is complete ({self.position.epoch} epochs); `--epochs` adds more")
            return
        epochs = self.training.max_epochs - self.position.epoch
        self.estimate = estimate(
            self.program, self.train_data.samples, self.validation_data.samples, epochs, self.device
        )
        for line in estimate_lines(self.estimate, self.program) if self.estimate else []:
            self._say(line)
        where = (
            f", epoch {self.position.epoch + 1}, batch {self.position.batch + 1}"
            if self.position.step
            else ""
        )
        self._say(f"run folder: {self.run}{where}")

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    # --- running ----------------------------------------------------------------------------------

    def fit(self) -> Outcome:
        """Train to the end, or until interrupted. Afterwards the networks hold the best weights."""
        self.display = open_display(self.console)
        try:
            with Interrupt() as self.interrupt:
                self.prepare_data()
                while not self.is_complete:
                    self.run_epoch()
                self.finish()
        except Interrupted:
            self.display.close()
            return self._stop()
        except OSError as error:
            raise NetcfgError(f"cannot write to {self.run}: {error.strerror or error}") from None
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise self._worker_lost(error) from None
        finally:
            self.display.close()
            self.events.close()
            for pipeline in (self.train_data, self.validation_data):
                pipeline.close()
        return "finished"

    def _worker_lost(self, error: RuntimeError) -> NetcfgError:
        """A process that prepares data has been killed from outside: by a signal, or for its memory."""
        reason = str(error).strip().partition("\n")[0]
        return NetcfgError(
            f"a process that prepares data was lost: {reason}\n"
            f"help: `netcfg train --resume {self.run}` continues from the last checkpoint; "
            "`--workers 0` prepares data without other processes"
        )

    def prepare_data(self) -> None:
        """Make all samples once, where they fit into memory and every epoch will use them all."""
        if self.limit_batches is not None or self.is_complete:
            return
        for pipeline in (self.train_data, self.validation_data):
            self.display.start(Stretch(f"preparing {pipeline.split} data", pipeline.samples, 1))
            for done in pipeline.prepare(
                usable_cores(), self.estimate.step_seconds if self.estimate else 0.0
            ):
                self.display.advance(done, dict)
                if self.interrupt.requested:
                    self.save()
                    self.interrupt.check()

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are done, or the monitored figure has stopped improving."""
        patience = self.training.patience
        stalled = patience is not None and 0 < self.position.stale >= patience
        return self.position.epoch >= self.training.max_epochs or stalled

    def run_epoch(self) -> None:
        """Train one epoch (its rest, where it was interrupted), validate, keep what is worth keeping."""
        self._times = _Times()
        self._set_learning_rates()
        self.train_epoch()
        evaluation = self.validate()
        self._end_epoch(evaluation)

    def _set_learning_rates(self) -> None:
        factor = self.phase.optimizer.rate_factor(self.position.epoch, self.training.max_epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = group["initial_lr"] * factor

    def train_epoch(self) -> None:
        """The batches of the epoch that are not done yet."""
        position, sums = self.position, Sums(**self.position.sums)
        self.networks.train(not (self.training.first_epoch_in_eval_mode and position.epoch == 0))
        self._start_display(
            f"epoch {position.epoch + 1}/{self.training.max_epochs}", self.train_data, position.batch
        )
        started = time.perf_counter()
        for batch in self._timed(self.train_data.epoch(position.epoch, position.batch)):
            values = self.step(self.train_data.finish(batch))
            sums.add({**values, _LOSS: weighted_sum(values, self.phase.weights)}, batch.size)
            position.batch += 1
            position.step += 1
            self.display.advance(position.batch, lambda: self._finite(sums))
            self._pause(sums)
        self._finite(sums)
        self._times.train = time.perf_counter() - started
        position.sums = sums.state()

    def _pause(self, sums: Sums) -> None:
        """Between two batches: stop where asked to; save now and then in long epochs."""
        if self.interrupt.requested or time.monotonic() - self._saved > CHECKPOINT_SECONDS:
            self._finite(sums)
            self.position.sums = sums.state()
            self.save()
            self.interrupt.check()

    def _timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The batches, and on the way how long they were waited for."""
        iterator = iter(batches)
        while True:
            started = time.perf_counter()
            batch = next(iterator, None)
            if batch is None:
                return
            self._times.waiting += time.perf_counter() - started
            self._times.preparing += batch.seconds
            self._times.samples += batch.size
            yield batch

    def _finite(self, sums: Sums) -> dict[str, float]:
        """The mean losses so far. Raises `NotFinite` where one is none."""
        means = sums.means()
        if not all(-inf < value < inf for value in means.values()):
            place = f" in epoch {self.position.epoch + 1}, by batch {self.position.batch}"
            refuse_non_finite(
                {name: value for name, value in means.items() if name != _LOSS}, self.phase, place
            )
        return means

    def validate(self) -> dict[str, dict[str, Any]]:
        """Losses and metrics on the validation split; empty where it is."""
        if not len(self.validation_data):
            return {}
        started = time.perf_counter()
        evaluation = self._evaluate("validation", self.validation_data)
        self._times.validation = time.perf_counter() - started
        return evaluation

    def _evaluate(self, title: str, pipeline: Pipeline) -> dict[str, dict[str, Any]]:
        self._start_display(title, pipeline)

        def on_batch(done: int, sums: Sums) -> None:
            self.display.advance(done, sums.means)
            if self.interrupt.requested:
                self._stop_evaluating()

        return evaluate(self.program, self.networks, self.losses, pipeline, on_batch)

    def _stop_evaluating(self) -> None:
        """The epoch's training is done, its validation is not: a resumed run starts with that."""
        if not self.is_complete:
            self.save()
        self.interrupt.check()

    def _end_epoch(self, evaluation: dict[str, dict[str, Any]]) -> None:
        position = self.position
        figure, higher_is_better = self.monitor.figure(evaluation, Sums(**position.sums).means())
        is_best = position.best is None or (
            figure > position.best if higher_is_better else figure < position.best
        )
        train_losses = Sums(**position.sums).means()
        position.epoch, position.batch, position.sums = position.epoch + 1, 0, {}
        position.stale = 0 if is_best else position.stale + 1
        if is_best:
            position.best, position.best_epoch = figure, position.epoch
            self.run.checkpoints.save_best(
                self.networks, {"epoch": str(position.epoch), self.monitor.name: repr(figure)}
            )
        record = self._record(train_losses, evaluation, is_best)
        self.records.append(record)
        self.run.append_record(record)
        self.save()
        self.events.write(record)
        if time.monotonic() - self._drawn > _CURVES_SECONDS:
            self._draw()
        self.display.say(epoch_line(record, self.training.max_epochs))

    def _record(
        self, train_losses: dict[str, float], evaluation: dict[str, dict[str, Any]], is_best: bool
    ) -> dict[str, Any]:
        """The epoch's line in `metrics.jsonl`. The data's rate is what the workers could have given."""
        times = self._times
        busy = max(1e-9, times.train - times.waiting)
        return {
            "epoch": self.position.epoch,
            "step": self.position.step,
            "train": train_losses,
            "validation": evaluation,
            "best": is_best,
            "learning_rate": {group["network"]: group["lr"] for group in self.optimizer.param_groups},
            "seconds": {"train": times.train, "waiting": times.waiting, "validation": times.validation},
            "rates": {
                "step_samples_per_second": times.samples / busy,
                "data_samples_per_second": times.samples * max(1, self.workers) / max(1e-9, times.preparing),
                "waiting_share": times.waiting / max(1e-9, times.train),
            },
        }

    def _draw(self) -> None:
        draw_curves(self.records, self.run.path / "curves.png")
        self._drawn = time.monotonic()

    def _start_display(self, title: str, pipeline: Pipeline, done: int = 0) -> None:
        position = self.position
        best = "" if position.best is None else f"best {self.monitor.name} {position.best:.3f}"
        left = self.training.max_epochs - position.epoch - 1 if pipeline is self.train_data else 0
        self.display.start(Stretch(title, len(pipeline), self.training.batch_size, done, left, best))

    # --- ending -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Bring back the best weights, test them, write `result.json`, print the tables."""
        self.run.checkpoints.load_best(self.networks)
        best = self.records[self.position.best_epoch - 1]
        result = {
            "best_epoch": self.position.best_epoch,
            "epochs": self.position.epoch,
            "monitor": {"name": self.monitor.name, "value": self.position.best},
            "validation": best["validation"],
            "test": self._test(),
        }
        self.run.write_json("result.json", result)
        self._draw()
        self.display.close()
        if self.position.epoch < self.training.max_epochs:
            self._say(
                f"stopped after epoch {self.position.epoch}: `{self.monitor.name}` has not improved since "
                f"epoch {self.position.best_epoch} (patience {self.training.patience})"
            )
        for table in result_tables(result):
            self.console.print(table)
        self._say(f"run folder: {self.run} (best weights: {self.run}/checkpoints/best.safetensors)")

    def _test(self) -> dict[str, dict[str, Any]] | None:
        pipeline = self._pipeline("test")
        try:
            return self._evaluate("test", pipeline) if len(pipeline) else None
        finally:
            pipeline.close()

    def _stop(self) -> Outcome:
        position = self.position
        if self.records:
            self._draw()
        where = f"after epoch {position.epoch}" if not position.batch else (
            f"in epoch {position.epoch + 1}, after batch {position.batch} of {len(self.train_data)}"
        )  # fmt: skip
        self._say(f"stopped {where}\ncontinue with: netcfg train --resume {self.run}")
        return "interrupted"

    # --- checkpoints ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write `last`: all that is needed to continue exactly."""
        state = {
            "position": asdict(self.position),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }
        self.run.checkpoints.save_last(self.networks, state)
        self._saved = time.monotonic()

    def restore(self) -> None:
        """Take up `last`. Raises `ProgramError` (NC406) where it cannot be."""
        state = self.run.checkpoints.load_last(self.networks)
        self.position = Position(**state["position"])
        rates = [group["initial_lr"] for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["initial_lr"] = rate
        torch.set_rng_state(state["random"])
        if self.device.type == "cuda" and len(state["random_cuda"]) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self.records = self.run.records(self.position.epoch)


@dataclass(frozen=True)
class Monitor:
    """What picks the best epoch: a metric's main figure, or (`metric` None) a loss: less is better."""

    name: str
    metric: str | None
    higher_is_better: bool

    def figure(
        self, evaluation: dict[str, dict[str, Any]], train_losses: dict[str, float]
    ) -> tuple[float, bool]:
        """Its value, and whether more is better; from the training losses where there was no validation."""
        if self.metric is not None and evaluation:
            return next(iter(evaluation["metrics"][self.metric].values())), self.higher_is_better
        losses = evaluation.get("losses", train_losses)
        return losses[_LOSS if self.metric is not None else self.name], False


def _monitor(program: Program) -> Monitor:
    """The monitor `[training]` names: by default the first metric, without any the loss."""
    name = program.training.monitor or next(iter(program.metrics), _LOSS)
    if name in program.metrics:
        return Monitor(name, name, program.metrics[name].higher_is_better)
    if name == _LOSS or name in program.losses:
        return Monitor(name, None, False)
    known = [*program.metrics, *program.losses, _LOSS]
    raise ProgramError(
        [
            Finding(
                "NC401",
                f"`monitor` names `{name}`, which is no metric or loss",
                help=did_you_mean(name, known),
            )
        ]
    )


def _only_phase(program: Program) -> Phase:
    """The one optimizer of a program of one network; anything else is refused at its place."""
    finding = None
    if len(program.networks) > 1:
        second = list(program.networks.values())[1]
        message = f"netcfg trains one network, and {program.name} has {len(program.networks)}"
        help = "programs of several networks are checked, summarised, drawn and built today"
        finding = Finding("NC404", message, second.span, help=help)
    elif not program.phases:
        help = "add a group {Optimizer} with an [adam]"
        finding = Finding("NC403", f"{program.name} has no optimizer", help=help)
    elif len(program.phases) > 1:
        message = f"netcfg trains with one optimizer, and {program.name} has {len(program.phases)}"
        finding = Finding("NC404", message, program.phases[1].span, help="give one optimizer all networks")
    if finding is not None:
        raise ProgramError([finding])
    return program.phases[0]


def _data(program: Program) -> Data:
    if program.data is None:
        raise ProgramError(
            [Finding("NC403", f"{program.name} has no data", help="add a group {Data} with a source")]
        )
    return program.data


def _empty_split(split: str, drop_last: bool) -> NetcfgError:
    remedy = "a smaller batch_size, or `drop_last = False`" if drop_last else "more subjects"
    return NetcfgError(f"the {split} split holds not even one batch\nhelp: {remedy}")


def override(program: Program, *, epochs: int | None = None, seed: int | None = None) -> Program:
    """The program with `max_epochs` and `seed` from the command line in place of its own."""
    changes = {"max_epochs": epochs, "seed": seed}
    chosen = {key: value for key, value in changes.items() if value is not None}
    return replace(program, training=program.training.model_copy(update=chosen)) if chosen else program


__all__ = ["CHECKPOINT_SECONDS", "Monitor", "Outcome", "Position", "Trainer", "clock", "override"]
