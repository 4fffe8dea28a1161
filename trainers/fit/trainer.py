"""The trainer: sets up what a program describes, and runs its epochs.

A run can be stopped at any batch and continued exactly: `Position` says
where it stands, and everything else that matters is in `last`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from math import isfinite, isnan, nan
from typing import Any, Literal

import torch
from rich.console import Console
from torch import nn

from netcfg.blocks.fields import Split
from netcfg.datasets.pipeline import Batch, Pipeline
from netcfg.faults import told
from netcfg.program import Program
from netcfg.results import Epoch, Evaluation, Figure, Rates, Result, Seconds
from netcfg.source import Finding, NetcfgError, ProgramError
from netcfg.trainers.fit.before import expect_room, expect_statistics, lacking_labels, too_small_batch
from netcfg.trainers.judging.evaluation import Sums, evaluate, expect_validation
from netcfg.trainers.judging.monitor import monitor_of
from netcfg.trainers.machine.compilation import compile_error, compile_line, compile_networks
from netcfg.trainers.machine.devices import (
    default_workers,
    peak_memory,
    usable_cores,
    use_channels_last,
    use_deterministic,
)
from netcfg.trainers.machine.distributed import ALONE, Team, lost_peer
from netcfg.trainers.machine.interrupt import Interrupt, Interrupted
from netcfg.trainers.reporting.curves import draw_curves, loss_groups
from netcfg.trainers.reporting.epochs import EpochLines, ending, width_of
from netcfg.trainers.reporting.estimate import Estimate, estimate, estimate_lines
from netcfg.trainers.reporting.first_batches import FirstBatches
from netcfg.trainers.reporting.gallery import Gallery
from netcfg.trainers.reporting.progress import Stretch, clock, open_display
from netcfg.trainers.reporting.report import notes, result_tables
from netcfg.trainers.reporting.tensorboard import Events
from netcfg.trainers.runs.checkpoints import STATE_REMEDY, cannot_resume
from netcfg.trainers.runs.ledger import Ledger, Standing
from netcfg.trainers.runs.run_folder import RunFolder, environment
from netcfg.trainers.step.averaging import Averages
from netcfg.trainers.step.phases import Phases, check_trainable, set_training
from netcfg.trainers.step.step import NotFinite

Outcome = Literal["finished", "interrupted"]

CHECKPOINT_SECONDS = 600.0  # within an epoch; at its end there always is one
_CURVES_SECONDS = 30.0
_SEED_STRIDE = 1_000_003  # between the random numbers of processes


@dataclass
class Position:
    """Where a run stands: whole epochs finished, and batches finished in the one after them.

    `sums` are the losses of the unfinished epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
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
    from `setup` and `fit`, each with a remedy; what is on disk then can be resumed. Within an epoch there is a
    checkpoint every `checkpoint_seconds`. In a `team` every process runs a trainer, and only the first one's writes.
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
        team: Team = ALONE,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.program = program
        self.training = program.training
        self.run = run
        self.device = torch.device(device)
        configured = program.training.workers if workers is None else workers
        self.workers = default_workers() if configured is None else configured
        self.limit_batches = limit_batches
        self.team = team
        self.checkpoint_seconds = checkpoint_seconds
        self.console = (console or Console()) if team.is_first else Console(quiet=True)
        self.position = Position()
        self.ledger = Ledger()
        self.loaded: list[Any] = []
        self.estimate: Estimate | None = None
        self._build = build
        self._batch: Batch | None = None
        self._times = _Times()
        self._saved = self._drawn = time.monotonic()

    # --- setting up -------------------------------------------------------------------------------

    def setup(self, resume: bool = False) -> None:
        """Make everything; with `resume`, take up the run where `last` left it."""
        with told():
            self._setup(resume)

    def _setup(self, resume: bool) -> None:
        check_trainable(self.program)
        self.monitor = monitor_of(self.program)
        self.ledger = Ledger(
            self.training.patience, self.training.patience_above, keeps_last=self.monitor.name is None
        )
        if self.training.deterministic:
            use_deterministic()
        with self.team.together():
            self.setup_networks(fresh=not resume)
            self.setup_data()
        self.setup_phases()
        self.phases.check_length(len(self.train_data))
        expect_statistics(self.program, self.networks, self.train_data.sampler)
        with self.team.together():
            if resume:
                self.restore()
            self.events = Events(self.run.path / "tensorboard", self.position.epoch + 1, self.say)
            self.gallery = Gallery(self.program, self.run.path, self.phases, self.events, self.say)
            if self.team.is_first:
                expect_room(self.run.path, self.networks, self.phases.kept_numbers())
                self.run.write_json("environment.json", environment(self.device, self.workers))

    def setup_networks(self, fresh: bool = True) -> None:
        """Build the networks from the seed; fresh ones take the weights their files ask for."""
        torch.manual_seed(self.training.seed)
        self.networks = self._built()
        if fresh and self._build is None:
            from netcfg.builder import weights

            reports = weights.load_pretrained(self.program, self.networks)
            self.loaded = [*reports, *weights.frozen_at_random(self.program, reports)]
        self.networks.to(self.device)
        for name, graph in self.program.networks.items():
            if any(len(signal.shape) >= 3 for signal in graph.inputs.values()):
                use_channels_last(self.networks[name])
        if self.training.compile:
            compile_networks(self.program, self.networks, self.device)
        if self.team.rank:  # its dropout and random mixes are its own
            torch.manual_seed(self.training.seed + self.team.rank * _SEED_STRIDE)

    def _built(self) -> nn.ModuleDict:
        if self._build is not None:
            return self._build(self.program)
        import netcfg

        return netcfg.build(self.program)

    def setup_phases(self) -> None:
        """An optimizer for each phase, and the step they share."""
        self.team.copy_first([*self.networks.parameters(), *self.networks.buffers()])
        self.phases = Phases(self.program, self.networks, self.device, team=self.team)
        ema = self.training.ema
        self.averages = Averages(self.networks, ema) if ema is not None else None

    def setup_data(self) -> None:
        """Open the training and the validation split."""
        self.train_data = self._pipeline("train")
        self.validation_data = self._pipeline("validation")
        if not len(self.train_data):
            raise _empty_split("training", self.training.drop_last)
        if not len(self.validation_data):
            expect_validation(self.program)

    def begin_epoch_anew(self) -> None:
        """Forget the batches of an unfinished epoch, whose batches would now be others."""
        self.position.batch, self.position.sums = 0, {}

    def choose_best_anew(self) -> None:
        """Forget the best epoch, whose figure those from now on cannot be compared with."""
        self.ledger.standing = Standing()
        self.phases.forget_best()

    @property
    def place(self) -> tuple[int, int]:
        """The epoch and the batch that come next, both from 1."""
        position = self.position
        is_over = position.batch >= len(self.train_data)  # it only lacks its validation
        return (position.epoch + 2, 1) if is_over else (position.epoch + 1, position.batch + 1)

    def rate_jumps(self, epochs_before: int) -> list[str]:
        """A line for each network whose learning rate is another one, as there are so many epochs now."""
        epoch, batch = self.place
        length, epochs = len(self.train_data), self.training.max_epochs
        now = self.phases.rates_at(epoch - 1, batch - 1, length, epochs)
        kept = self.phases.rates_at(epoch - 1, batch - 1, length, epochs_before)
        if not self.position.step or now == kept:
            return []
        before = self.ledger.epochs[-1].learning_rate if batch == 1 and self.ledger.epochs else kept
        return [
            f"learning rate of {name}: {before.get(name, kept[name]):.3g} until now, {rate:.3g} from epoch {epoch} "
            f"on, as its schedule counts {epochs} epochs in all, not {epochs_before}"
            for name, rate in now.items()
            if rate != kept[name]
        ]

    def _pipeline(self, split: Split) -> Pipeline:
        training = split == "train"
        assert self.program.data is not None
        return Pipeline(
            self.program.data,
            split,
            self.training.batch_size,
            seed=self.training.seed,
            shuffle=self.training.shuffle if training else "never",
            drop_last=training and self.training.drop_last,
            workers=self.workers,
            device=self.device,
            limit_batches=self.limit_batches,
            share=(self.team.rank, self.team.size),
        )

    def announce(self) -> None:
        """Say what the run will take on this machine, and where it goes."""
        if not self.team.is_first:
            return
        for report in self.loaded:
            self.say(str(report))
        if self.is_complete:
            self.say(f"this run is complete ({self.position.epoch} epochs); `--epochs` adds more")
            return
        epochs = self.training.max_epochs - self.position.epoch
        self.estimate = estimate(
            self.program,
            -(-self.train_data.samples // self.team.size),
            -(-self.validation_data.samples // self.team.size),
            epochs,
            self.device,
        )
        for line in estimate_lines(self.estimate, self.program) if self.estimate else []:
            self.say(line)
        for note in lacking_labels(self.program):
            self.say(note)
        if self.training.compile:
            self.say(compile_line(self.program))
        where = (
            f", epoch {self.position.epoch + 1}, batch {self.position.batch + 1}"
            if self.position.step
            else ""
        )
        self.say(f"run folder: {self.run}{where}")

    def say(self, line: str) -> None:
        """A line on the console, in the team's first process."""
        self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    # --- running ----------------------------------------------------------------------------------

    def fit(self) -> Outcome:
        """Train to the end, or until interrupted. Afterwards the networks hold the best weights."""
        self.display = open_display(self.console)
        self.epoch_lines = EpochLines(self.training.max_epochs, width_of(self.console))
        self._first_batches = self._watch_first()
        try:
            return self._fit()
        except NetcfgError as error:
            self.team.refuse(error)
            raise
        finally:
            self.display.close()
            self.events.close()
            for pipeline in (self.train_data, self.validation_data):
                pipeline.close()

    def _watch_first(self) -> FirstBatches:
        """What will say how long training takes with its data, as the estimate cannot."""
        found = self.estimate
        if found is None or not found.step.macs:
            return FirstBatches(self.device)
        return FirstBatches(self.device, found.evaluation_macs / found.step.macs)

    def _fit(self) -> Outcome:
        try:
            with Interrupt(self.team.is_first) as self.interrupt:
                if not self.position.step:
                    self.save()  # from here on, a run killed at any moment can be continued
                with told():
                    self.prepare_data()
                    while not self.is_complete:
                        self.run_epoch()
                    self.finish()
        except Interrupted:
            self.display.close()
            return self._stop()
        except (ProgramError, ValueError) as error:
            # A block that fails is told as such; what was the batch's fault lies behind that, or bare in compiled code.
            known = too_small_batch(error.__cause__ or error)
            if known is None:
                raise
            raise known from None
        except OSError as error:
            raise NetcfgError(f"cannot write to {self.run}: {error.strerror or error}") from None
        except RuntimeError as error:
            known = compile_error(error) or lost_peer(error)
            if known is None and "DataLoader worker" in str(error):
                known = self._worker_lost(error)
            if known is None:
                raise
            raise known from None
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
        if self.limit_batches is not None or self.is_complete or self.team.size > 1:
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
        return self.position.epoch >= self.training.max_epochs or self.ledger.is_stalled

    def run_epoch(self) -> None:
        """Train one epoch (its rest, where it was interrupted), validate, keep what is worth keeping."""
        self._times = _Times()
        self.train_epoch()
        try:
            with self._averaged():
                evaluation = self.validate()
                self._end_epoch(evaluation)
        except Interrupted:  # a resumed run starts with the validation
            self.save()
            raise
        self.save()

    def _averaged(self) -> AbstractContextManager[None]:
        """Inside, the networks hold the averaged weights, where the program asks for them."""
        return self.averages.swap() if self.averages is not None else nullcontext()

    def train_epoch(self) -> None:
        """The batches of the epoch that are not done yet."""
        position = self.position
        sums = Sums(**position.sums)
        in_eval_mode = self.training.first_epoch_in_eval_mode and position.epoch == 0
        set_training(self.program, self.networks, not in_eval_mode)
        self._start_display(
            f"epoch {position.epoch + 1}/{self.training.max_epochs}", self.train_data, position.batch
        )
        started = time.perf_counter()
        for batch in self._timed(self.train_data.epoch(position.epoch, position.batch)):
            if self.team.size > 1:
                self.team.check()
            self._batch = batch
            sums.add(self._train_batch(batch), batch.size)
            position.batch += 1
            position.step += 1
            self.display.advance(position.batch, lambda: self._finite(sums))
            if self._first_batches.batch(self._times.waiting):
                self._say_measured()
            self._pause(sums)
        self.phases.flush()
        self._finite(sums)
        self._say_measured()
        self._batch = None
        self._times.train = time.perf_counter() - started
        self.team.check()
        position.sums = sums.over(self.team).state()
        self.team.copy_first(list(self.networks.buffers()))

    def _say_measured(self) -> None:
        """How long the rest will take, as the first batches were measured; once."""
        position, epochs = self.position, self.training.max_epochs
        left = (epochs - position.epoch) * len(self.train_data) - position.batch
        judged = (epochs - position.epoch) * len(self.validation_data)
        line = self._first_batches.line(self._times.waiting, left, judged)
        if line is not None:
            self.display.say(line)

    def _train_batch(self, batch: Batch) -> dict[str, torch.Tensor]:
        position = self.position
        self.phases.set_rates(position.epoch, position.batch, len(self.train_data))
        self.phases.chance.train(position.epoch, position.batch)
        if self.team.is_first:
            self.gallery.watch(position.batch, len(self.train_data))
        values = self.phases.step(self.train_data.finish(batch), position.batch)
        if self.averages is not None:
            self.averages.update()
        return values

    def _pause(self, sums: Sums) -> None:
        """Between two batches: stop where asked to; save now and then in long epochs."""
        is_due = time.monotonic() - self._saved > self.checkpoint_seconds
        agreed = self.team.check(stop=self.interrupt.requested, save=is_due and self.team.is_first)
        if agreed.stop or agreed.save:
            self._finite(sums)
            self.team.check()
            self.position.sums = sums.over(self.team).state()
            self.save()
        if agreed.stop:
            raise Interrupted

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
        """The mean losses so far. Raises `NotFinite` where one is none; where it began is looked for in this batch."""
        means = sums.means()
        if all(isfinite(value) for value in means.values()):
            return means
        fields = None if self._batch is None else self.train_data.finish(self._batch)
        place = f" in epoch {self.position.epoch + 1}, by batch {self.position.batch}"
        raise NotFinite([self.phases.step.explain(means, fields, place)])

    def validate(self) -> Evaluation:
        """Losses and metrics on the validation split; empty where it is."""
        if not len(self.validation_data):
            return Evaluation()
        started = time.perf_counter()
        evaluation = self._evaluate("validation", self.validation_data)
        self._times.validation = time.perf_counter() - started
        return evaluation

    def _evaluate(
        self, title: str, pipeline: Pipeline, thresholds: Mapping[str, Sequence[float]] | None = None
    ) -> Evaluation:
        self._start_display(title, pipeline)

        def on_batch(done: int, sums: Sums) -> None:
            self.display.advance(done, sums.means)
            if (
                done <= pipeline.sampler.common_batches
                and self.team.check(stop=self.interrupt.requested).stop
            ):
                raise Interrupted

        limit = self.training.max_validation_batches if pipeline is self.validation_data else None
        return evaluate(
            self.phases.model, self.phases.losses, pipeline, on_batch, limit, self.team, thresholds
        )

    def _end_epoch(self, evaluation: Evaluation) -> None:
        position = self.position
        figure, higher_is_better = self.monitor.figure(evaluation, Sums(**position.sums).means())
        self.team.check()
        figure = self._agreed(figure)
        train_losses = Sums(**position.sums).means()
        position.epoch, position.batch, position.sums = position.epoch + 1, 0, {}
        is_best = self.ledger.judge(position.epoch, figure, higher_is_better)
        record = self._record(train_losses, evaluation, is_best)
        self.ledger.add(record)
        self.phases.end_epoch(figure, higher_is_better)
        if self.team.is_first:
            self._write_epoch(record, figure)

    def _agreed(self, figure: Figure) -> Figure:
        """The first process's figure."""
        told = self.team.first(nan if figure is None else figure)
        return None if isnan(told) else told

    def _write_epoch(self, record: Epoch, figure: Figure) -> None:
        """Keep what an epoch has given."""
        if record.best:
            monitored = {} if self.monitor.name is None else {self.monitor.name: repr(figure)}
            self.run.checkpoints.save_best(self.networks, {"epoch": str(record.epoch), **monitored})
        self.run.append_record(record)
        self.events.write(record)
        if time.monotonic() - self._drawn > _CURVES_SECONDS:
            self._draw()
        for line in self.epoch_lines.lines(record):
            self.display.say(line)
        self.gallery.end_epoch(record.epoch)

    def _record(self, train_losses: dict[str, float], evaluation: Evaluation, is_best: bool) -> Epoch:
        """The epoch's line in `metrics.jsonl`."""
        times = self._times
        busy = max(1e-9, times.train - times.waiting)
        samples = times.samples * self.team.size
        return Epoch(
            epoch=self.position.epoch,
            step=self.position.step,
            train=train_losses,
            validation=evaluation,
            best=is_best,
            learning_rate=self.phases.rates(),
            seconds=Seconds(times.train, times.waiting, times.validation),
            rates=Rates(
                step_samples_per_second=samples / busy,
                data_samples_per_second=samples * max(1, self.workers) / max(1e-9, times.preparing),
                waiting_share=times.waiting / max(1e-9, times.train),
            ),
        )

    def _draw(self) -> None:
        draw_curves(self.ledger.epochs, self.run.path / "curves.png", loss_groups(self.program))
        self._drawn = time.monotonic()

    def _start_display(self, title: str, pipeline: Pipeline, done: int = 0) -> None:
        position = self.position
        reached = self.ledger.standing.best
        best = "" if reached is None else f"best {self.monitor.name} {reached:.3f}"
        left = self.training.max_epochs - position.epoch - 1 if pipeline is self.train_data else 0
        batch_size = self.training.batch_size * self.team.size
        self.display.start(Stretch(title, len(pipeline), batch_size, done, left, best))

    # --- ending -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Bring back the best weights, test them, write `result.json`, print the tables."""
        self.team.check()  # the first process has written them
        self.run.checkpoints.load_best(self.networks)
        best = self.ledger.best(f"{self.run}/metrics.jsonl").validation
        epochs = self.ledger.epochs
        result = Result(
            best_epoch=self.ledger.standing.best_epoch,
            epochs=self.position.epoch,
            monitor=self.monitor.name,
            value=self.ledger.standing.best,
            validation=best,
            test=self._test(best.thresholds),
            learning_rate=epochs[-1].learning_rate,
            seconds=sum(one.seconds.train + one.seconds.validation for one in epochs) or None,
            peak_bytes=peak_memory(self.device),
        )
        if self.team.is_first:
            self._report(result)

    def _report(self, result: Result) -> None:
        self.run.write_json("result.json", result.to_json())
        self._draw()
        self.display.close()
        if self.position.epoch < self.training.max_epochs:
            self.say(
                f"stopped after epoch {self.position.epoch}: `{self.monitor.name}` has not improved since "
                f"epoch {result.best_epoch} (patience {self.training.patience})"
            )
        for table in result_tables(result):
            self.console.print(table)
        for note in notes({"validation": result.validation, "test": result.split("test")}):
            self.say(note)
        self.say(ending(result))
        self.say(f"run folder: {self.run} (best weights: {self.run}/checkpoints/best.safetensors)")

    def _test(self, thresholds: Mapping[str, Sequence[float]] | None) -> Evaluation | None:
        pipeline = self._pipeline("test")
        try:
            return self._evaluate("test", pipeline, thresholds) if len(pipeline) else None
        finally:
            pipeline.close()

    def _stop(self) -> Outcome:
        position = self.position
        if self.ledger.epochs and self.team.is_first:
            self._draw()
        where = f"after epoch {position.epoch}" if not position.batch else (
            f"in epoch {position.epoch + 1}, after batch {position.batch} of {len(self.train_data)}"
        )  # fmt: skip
        self.say(f"stopped {where}\ncontinue with: netcfg train --resume {self.run}")
        return "interrupted"

    # --- checkpoints ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write `last`: all that is needed to continue exactly."""
        self.team.check()
        on_gpu = self.device.type == "cuda"
        state = {
            "position": {**asdict(self.position), **asdict(self.ledger.standing)},
            "phases": self.phases.state_dict(),
            "averages": self.averages.state_dict() if self.averages is not None else {},
            "random": self.team.gather(torch.get_rng_state()),
            "random_cuda": self.team.gather(torch.cuda.get_rng_state(self.device)) if on_gpu else [],
        }
        if self.team.is_first:
            self.run.checkpoints.save_last(self.networks, state)
        self._saved = time.monotonic()

    def restore(self) -> None:
        """Take up `last`. Raises `ProgramError` (NC406) where it cannot be."""
        state = self.run.checkpoints.load_last(self.networks)
        try:
            self._take_up(state)
        except (LookupError, TypeError, ValueError, RuntimeError, AttributeError):
            message = (
                f"{self.run}/checkpoints/last.state does not fit: it is of another version of netcfg or torch, "
                "or was changed"
            )
            raise cannot_resume(message, STATE_REMEDY) from None

    def _take_up(self, state: Mapping[str, Any]) -> None:
        if len(state["random"]) != self.team.size:
            raise _other_team(len(state["random"]), self.team.size)
        self.position, standing = _position(state["position"])
        if self.team.rank:
            self.position.sums = {}  # the first process has those of all
        self.phases.load_state_dict(state["phases"])
        if self.position.batch:  # an epoch that only lacks its validation reports them
            self.phases.set_rates(self.position.epoch, self.position.batch - 1, len(self.train_data))
        if self.averages is not None and state["averages"]:
            self.averages.load_state_dict(state["averages"])
        torch.set_rng_state(state["random"][self.team.rank])
        if self.device.type == "cuda" and state["random_cuda"]:
            torch.cuda.set_rng_state(state["random_cuda"][self.team.rank], self.device)
        self.ledger.restore(standing, self.run.records(self.position.epoch, rewrite=self.team.is_first))
        if (
            standing.best_epoch
        ):  # both are what the run will end with: better missed now than after the last epoch
            self.ledger.best(f"{self.run}/metrics.jsonl")
            self.run.checkpoints.best_epoch()


def _position(state: Mapping[str, Any]) -> tuple[Position, Standing]:
    """Where a run stood, from its checkpoint."""
    of_standing = {one.name for one in fields(Standing)}
    position = Position(**{key: value for key, value in state.items() if key not in of_standing})
    standing = Standing(**{key: value for key, value in state.items() if key in of_standing})
    counts = (position.epoch, position.batch, position.step, standing.best_epoch, standing.stale)
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("counts")
    Sums(**position.sums).means()
    return position, standing


def _empty_split(split: str, drop_last: bool) -> NetcfgError:
    remedy = "a smaller batch_size, or `drop_last = False`" if drop_last else "more subjects"
    return NetcfgError(f"the {split} split holds not even one batch\nhelp: {remedy}")


def _other_team(then: int, now: int) -> ProgramError:
    message = f"the run trained in {_processes(then)}, and would continue in {now}"
    help = f"`torchrun --nproc-per-node={then} -m netcfg train --resume RUN`: every process has a state of its own"
    return ProgramError([Finding("NC406", message, help=help)])


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


__all__ = ["CHECKPOINT_SECONDS", "Outcome", "Position", "Trainer", "clock"]
