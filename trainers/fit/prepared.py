"""What a run is made of: networks, data, optimizers, and where it stands; set up anew, or from `last`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import torch
from rich.console import Console
from torch import nn

from netcfg.blocks.fields import Split
from netcfg.blocks.optimizers.schedules import Moment
from netcfg.datasets.pipeline import Batches
from netcfg.datasets.together import open_batches
from netcfg.faults import told
from netcfg.program import Program
from netcfg.source import NetcfgError
from netcfg.trainers.fit.before import (
    expect_gradients,
    expect_labelled,
    expect_readable,
    expect_room,
    expect_statistics,
    lacking_labels,
)
from netcfg.trainers.fit.position import Position, other_team, read_position
from netcfg.trainers.fit.samples import Samples
from netcfg.trainers.judging.evaluation import expect_validation
from netcfg.trainers.judging.monitor import monitor_of
from netcfg.trainers.machine.compilation import compile_line, compile_networks
from netcfg.trainers.machine.devices import default_workers, lay_out, use_deterministic
from netcfg.trainers.machine.distributed import ALONE, Team
from netcfg.trainers.reporting.estimate import Estimate, estimate, estimate_lines
from netcfg.trainers.reporting.gallery import Gallery
from netcfg.trainers.reporting.tensorboard import Events
from netcfg.trainers.runs.checkpoints import STATE_REMEDY, cannot_resume
from netcfg.trainers.runs.fingerprint import FILE, changes, fingerprint_of_data
from netcfg.trainers.runs.ledger import Ledger, Standing
from netcfg.trainers.runs.run_folder import RunFolder, environment
from netcfg.trainers.step.averaging import Averages
from netcfg.trainers.step.phases import Phases, check_trainable

CHECKPOINT_SECONDS = 600.0  # within an epoch; at its end there always is one
_SEED_STRIDE = 1_000_003  # between the random numbers of processes


class Prepared:
    """A run before its next batch, as it was left or as it starts.

    Options and errors are those of `Trainer`, which runs it.
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
        every_batch: bool = False,
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
        self.every_batch = every_batch
        self.console = (console or Console()) if team.is_first else Console(quiet=True)
        self.position = Position()
        self.ledger = Ledger()
        self.told_infinite = False
        self.told_empty: set[tuple[str, str]] = set()
        self.loaded: list[Any] = []
        self.estimate: Estimate | None = None
        self._build = build
        self._saved = time.monotonic()

    # --- setting up -------------------------------------------------------------------------------

    def setup(self, resume: bool = False) -> None:
        """Make everything; with `resume`, take up the run where `last` left it."""
        with told():
            self._setup(resume)

    def _setup(self, resume: bool) -> None:
        check_trainable(self.program)
        expect_labelled(self.program)
        expect_gradients(self.program)
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
            expect_readable(self.program)
        with self.team.together():
            if resume:
                self.restore()
            self.events = Events(self.run.path / "tensorboard", self.position.epoch + 1, self.say)
            self.gallery = Gallery(self.program, self.run.path, self.phases, self.events, self.say)
            self.samples = Samples(self.program, self.networks, self.run.path, self.device)
            if self.team.is_first:
                expect_room(self.run.path, self.networks, self.phases.kept_numbers())
                self.run.write_json("environment.json", environment(self.device, self.workers))
                self._know_data(resume)

    def _know_data(self, resume: bool) -> None:
        """Keep what the data are; of a run that goes on, say where they are no longer the same."""
        assert self.program.data is not None
        tables = {pipeline.split: pipeline.tables for pipeline in (self.train_data, self.validation_data)}
        now = fingerprint_of_data(self.program.data, tables)
        if resume and (self.run.path / FILE).is_file():
            for line in changes(self.run.read_json(FILE), now):
                self.say(f"note: the data are no longer those that the run was started with: {line}")
        else:
            self.run.write_json(FILE, now)

    def setup_networks(self, fresh: bool = True) -> None:
        """Build the networks from the seed; fresh ones take the weights their files ask for."""
        torch.manual_seed(self.training.seed)
        self.networks = self._built()
        if fresh and self._build is None:
            from netcfg.builder import weights

            reports = weights.load_pretrained(self.program, self.networks)
            self.loaded = [*reports, *weights.frozen_at_random(self.program, reports)]
        self.networks.to(self.device)
        lay_out(self.program.networks, self.networks)
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
        self.team.copy_first(list(self.phases.losses.learned.parameters()))
        self.kept = nn.ModuleDict({**self.networks, **self.phases.losses.learned})
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

    def rate_jumps(self, epochs_before: int) -> list[str]:
        """A line for each network whose learning rate is another one, as there are so many epochs now; and for each
        number that changes.
        """
        epoch, batch = self.place
        length, epochs = len(self.train_data), self.training.max_epochs
        now = self.phases.rates_at(epoch - 1, batch - 1, length, epochs)
        kept = self.phases.rates_at(epoch - 1, batch - 1, length, epochs_before)
        if not self.position.step:
            return []
        before = self.ledger.epochs[-1].learning_rate if batch == 1 and self.ledger.epochs else kept
        return [
            f"learning rate of {name}: {before.get(name, kept[name]):.3g} until now, {rate:.3g} from epoch {epoch} "
            f"on, as its schedule counts {epochs} epochs in all, not {epochs_before}"
            for name, rate in now.items()
            if rate != kept[name]
        ] + [
            f"{name}: {before:.3g} until now, {after:.3g} from epoch {epoch} on, as its [schedule] counts {epochs} "
            f"epochs in all, not {epochs_before}"
            for name, before, after in self._number_jumps(
                Moment(epoch - 1, epochs, batch - 1, length), epochs_before
            )
        ]

    def _number_jumps(self, moment: Moment, epochs_before: int) -> list[tuple[str, float, float]]:
        """What a number that changes would have been, and what it is."""
        numbers = self.phases.numbers
        before, after = numbers.at(moment._replace(epochs=epochs_before)), numbers.at(moment)
        return [(name, before[name], after[name]) for name in after if after[name] != before[name]]

    def _pipeline(self, split: Split) -> Batches:
        training = split == "train"
        assert self.program.data is not None
        return open_batches(
            self.program.data,
            split,
            self.training.batch_size if training else self.training.judged_together,
            seed=self.training.seed,
            shuffle=self.training.shuffle if training else "never",
            drop_last=training and self.training.drop_last,
            workers=self.workers,
            device=self.device,
            limit_batches=fewest(self.limit_batches, self._limit(training)),
            share=(self.team.rank, self.team.size),
            frames=None if training else self.training.eval_frames,
            keep=self.training.keep,
            # The first batches would be those of the shortest clips.
            by_length=self.training.max_validation_batches is None,
        )

    def _limit(self, training: bool) -> int | None:
        """How many batches are looked at in training, or of each of several joined sources in validation."""
        joined = self.program.data is not None and self.program.data.joined is not None
        if training:
            return self.training.batches_per_epoch
        return self.training.max_validation_batches if joined else None

    @property
    def place(self) -> tuple[int, int]:
        """The epoch and the batch that come next, both from 1."""
        position = self.position
        is_over = position.batch >= len(self.train_data)  # it only lacks its validation
        return (position.epoch + 2, 1) if is_over else (position.epoch + 1, position.batch + 1)

    @property
    def is_complete(self) -> bool:
        """Whether all epochs are done, or all steps, or the monitored figure has stopped improving."""
        ended = self.steps_are_done and not self.position.batch  # the last epoch is judged, too
        return self.position.epoch >= self.training.max_epochs or ended or self.ledger.is_stalled

    @property
    def steps_are_done(self) -> bool:
        """Whether the run has had as many batches as it may have."""
        most = self.training.max_steps
        return most is not None and self.position.step >= most

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
        if self.training.max_steps is not None:
            left = max(0, self.training.max_steps - self.position.step)
            epochs = min(epochs, -(-left // len(self.train_data)))
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

    # --- checkpoints ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write `last`: all that is needed to continue exactly."""
        self.team.check()
        on_gpu = self.device.type == "cuda"
        state = {
            "position": {**asdict(self.position), **asdict(self.ledger.standing)},
            "phases": self.phases.state_dict(),
            "states": self.phases.model.state_dict(),
            "averages": self.averages.state_dict() if self.averages is not None else {},
            "random": self.team.gather(torch.get_rng_state()),
            "random_cuda": self.team.gather(torch.cuda.get_rng_state(self.device)) if on_gpu else [],
        }
        if self.team.is_first:
            self.run.checkpoints.save_last(self.kept, state)
        self._saved = time.monotonic()

    def restore(self) -> None:
        """Take up `last`. Raises `ProgramError` (NC406) where it cannot be."""
        state = self.run.checkpoints.load_last(self.kept)
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
            raise other_team(len(state["random"]), self.team.size)
        self.position, standing = read_position(state["position"])
        if self.team.rank:
            self.position.sums = {}  # the first process has those of all
        self.phases.load_state_dict(state["phases"])
        self.phases.model.load_state_dict(state.get("states", {}))
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


def fewest(*limits: int | None) -> int | None:
    """The strictest of several limits; None where there is none."""
    return min((limit for limit in limits if limit is not None), default=None)


def _empty_split(split: str, drop_last: bool) -> NetcfgError:
    remedy = "a smaller batch_size, or `drop_last = False`" if drop_last else "more subjects"
    return NetcfgError(f"the {split} split holds not even one batch\nhelp: {remedy}", code="NC506")
