"""The trainer: runs the epochs of a program that is set up (`Prepared`).

A run can be stopped at any batch and continued exactly: `Position` says
where it stands, and everything else that matters is in `last`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from math import isfinite, isnan, nan
from typing import Literal

from torch import nn

from netcfg.builder.weights import read_state
from netcfg.datasets.pipeline import Batch, Batches
from netcfg.faults import told
from netcfg.pages import write_page
from netcfg.results import Epoch, Evaluation, Figure, Result, notes
from netcfg.source import NetcfgError, ProgramError
from netcfg.trainers.fit.before import too_small_batch
from netcfg.trainers.fit.prepared import CHECKPOINT_SECONDS, Prepared, fewest
from netcfg.trainers.fit.times import EpochTimes
from netcfg.trainers.judging.evaluation import Sums, evaluate, whose_sample
from netcfg.trainers.machine.compilation import compile_error
from netcfg.trainers.machine.devices import peak_memory, usable_cores
from netcfg.trainers.machine.distributed import lost_peer
from netcfg.trainers.machine.interrupt import Interrupt, Interrupted
from netcfg.trainers.reporting.curves import draw_curves, loss_groups
from netcfg.trainers.reporting.epochs import EpochLines, ending, width_of
from netcfg.trainers.reporting.examples import write_examples
from netcfg.trainers.reporting.figures import FOLDER, write_figures
from netcfg.trainers.reporting.first_batches import FirstBatches
from netcfg.trainers.reporting.progress import Stretch, open_display
from netcfg.trainers.reporting.report import result_tables
from netcfg.trainers.runs.trained import labels_told
from netcfg.trainers.step.phases import set_training
from netcfg.trainers.step.step import NotFinite, Reported, report_parts

Outcome = Literal["finished", "interrupted"]

_CURVES_SECONDS = 30.0


class Trainer(Prepared):
    """Trains a program into a run folder.

    `build` makes the networks by name, `netcfg.build` by default. Errors: `NetcfgError` and `ProgramError`
    from `setup` and `fit`, each with a remedy; what is on disk then can be resumed. Within an epoch there is a
    checkpoint every `checkpoint_seconds`. In a `team` every process runs a trainer, and only the first one's writes.
    """

    _batch: Batch | None = None

    # --- running ----------------------------------------------------------------------------------

    def fit(self) -> Outcome:
        """Train to the end, or until interrupted. Afterwards the networks hold the best weights."""
        self.display = open_display(self.console, self.every_batch)
        self._drawn = time.monotonic()
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
            raise NetcfgError(
                f"cannot write to {self.run}: {error.strerror or error}", code="NC804"
            ) from None
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
            "`--workers 0` prepares data without other processes",
            code="NC806",
        )

    def prepare_data(self) -> None:
        """Make all samples once, where they fit into memory and every epoch will use them all."""
        limit = fewest(self.limit_batches, self.training.batches_per_epoch)
        if limit is not None or self.is_complete or self.team.size > 1:
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

    def run_epoch(self) -> None:
        """Train one epoch (its rest, where it was interrupted), validate, keep what is worth keeping."""
        self._times = EpochTimes()
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
        sums.parts = report_parts(self.program)
        in_eval_mode = self.training.first_epoch_in_eval_mode and position.epoch == 0
        set_training(self.program, self.networks, not in_eval_mode)
        self._start_display(
            f"epoch {position.epoch + 1}/{self.training.max_epochs}", self.train_data, position.batch
        )
        started = time.perf_counter()
        for batch in self._times.measured(self.train_data.epoch(position.epoch, position.batch)):
            if self.steps_are_done:
                break
            if self.team.size > 1:
                self.team.check()
            self._batch = batch
            values = self._train_batch(batch)
            sums.add(values, values.amounts, batch.size)
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

    def _train_batch(self, batch: Batch) -> Reported:
        position = self.position
        self.phases.set_rates(position.epoch, position.batch, len(self.train_data))
        self.phases.chance.train(position.epoch, position.batch)
        if self.team.is_first:
            self.gallery.watch(position.batch, len(self.train_data))
        with whose_sample(self.train_data, batch):
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

    def _finite(self, sums: Sums) -> dict[str, float]:
        """The mean losses so far. Raises `NotFinite` where one is none; where it began is looked for in this batch."""
        means = sums.means()
        if all(isfinite(value) for value in means.values()):
            return means
        fields = None if self._batch is None else self.train_data.finish(self._batch)
        place = f" in epoch {self.position.epoch + 1}, by batch {self.position.batch}"
        raise NotFinite([self.phases.step.explain(means, fields, place)])

    @property
    def _is_judged(self) -> bool:
        """Whether the epoch that ends is one of those that are judged: every so manieth, and the last."""
        epoch = self.position.epoch + 1
        is_last = epoch >= self.training.max_epochs or self.steps_are_done
        return is_last or epoch % self.training.validate_every == 0

    def validate(self) -> Evaluation:
        """Losses and metrics on the validation split; empty where it is, and of epochs that are not judged."""
        if not len(self.validation_data) or not self._is_judged:
            return Evaluation()
        started = time.perf_counter()
        evaluation = self._evaluate("validation", self.validation_data)
        self._times.validation = time.perf_counter() - started
        return evaluation

    def _evaluate(
        self, title: str, pipeline: Batches, thresholds: Mapping[str, Sequence[float]] | None = None
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
        if self.program.data is not None and self.program.data.joined is not None:
            limit = None  # each source has its own
        return evaluate(
            self.phases.model, self.phases.losses, pipeline, on_batch, limit, self.team, thresholds
        )

    def _end_epoch(self, evaluation: Evaluation) -> None:
        position = self.position
        is_judged = self._is_judged
        figure, higher_is_better = self.monitor.figure(evaluation, Sums(**position.sums).means())
        self.team.check()
        figure = self._agreed(self._known(figure if is_judged else None))
        sums = Sums(**position.sums)
        train_losses = sums.means()
        self._say_empty("training", sums.empty())
        if len(self.validation_data) and is_judged:
            judged = self.program.judged_losses
            self._say_empty("validation", [name for name in judged if name not in evaluation.losses])
        position.epoch, position.batch, position.sums = position.epoch + 1, 0, {}
        if is_judged:
            is_best = self.ledger.judge(position.epoch, figure, higher_is_better)
        else:
            is_best = self.ledger.pass_over(position.epoch)
        record = self._record(train_losses, evaluation, is_best)
        self.ledger.add(record)
        if is_judged:
            self.phases.end_epoch(figure, higher_is_better)
        if self.team.is_first:
            self._write_epoch(record, figure)

    def _say_empty(self, split: str, losses: Iterable[str]) -> None:
        """A note, once, on each loss of which nothing has counted in a whole epoch."""
        for name in losses:
            if (split, name) not in self.told_empty:
                self.told_empty.add((split, name))
                self.display.say(
                    f"note: nothing counts in the loss `{name}` on the {split} split: its `mask`, `weight` or "
                    "`ignore` leaves no sample"
                )

    def _known(self, figure: Figure) -> Figure:
        """A figure by which epochs can be compared: None for one that is NaN or infinite, with a note on the first."""
        if figure is None or isfinite(figure):
            return figure
        if not self.told_infinite:
            self.told_infinite = True
            epoch = self.position.epoch + 1
            self.say(
                f"note: {self.monitor.name} is {figure} in epoch {epoch}: such an epoch is no better than any other"
            )
        return None

    def _agreed(self, figure: Figure) -> Figure:
        """The first process's figure."""
        told = self.team.first(nan if figure is None else figure)
        return None if isnan(told) else told

    def _write_epoch(self, record: Epoch, figure: Figure) -> None:
        """Keep what an epoch has given."""
        if record.best:
            monitored = {} if self.monitor.name is None else {self.monitor.name: repr(figure)}
            # With the names of labels, so that another order of them does not go unseen.
            told = {"epoch": str(record.epoch), **monitored, **labels_told(self.program)}
            whole = nn.ModuleDict({**self.kept, **self.phases.model.remembered()})
            self.run.checkpoints.save_best(whole, told)
        self.run.append_record(record)
        self.events.write(record)
        if time.monotonic() - self._drawn > _CURVES_SECONDS:
            self._draw()
        for line in self.epoch_lines.lines(record):
            self.display.say(line)
        self.gallery.end_epoch(record.epoch)
        self.samples.end_epoch(record.epoch, self.is_complete)

    def _record(self, train_losses: dict[str, float], evaluation: Evaluation, is_best: bool) -> Epoch:
        """The epoch's line in `metrics.jsonl`."""
        return Epoch(
            epoch=self.position.epoch,
            step=self.position.step,
            train=train_losses,
            validation=evaluation,
            best=is_best,
            learning_rate=self.phases.rates(),
            numbers={**self.phases.numbers.now, **self.phases.losses.figures()},
            seconds=self._times.seconds(),
            rates=self._times.rates(self.team.size, self.workers),
        )

    def _draw(self) -> None:
        draw_curves(self.ledger.epochs, self.run.path / "curves.png", loss_groups(self.program))
        self._drawn = time.monotonic()

    def _draw_figures(self, result: Result) -> None:
        """What the best epoch's metrics have to show, in the run's `figures/` and in TensorBoard's events."""
        judged = {split: result.split(split) for split in ("validation", "test")}
        for name, drawn in write_figures(self.run.path / FOLDER, judged):
            self.events.png(result.best_epoch, f"{FOLDER}/{name}", drawn)
        drawings = write_examples(
            self.run.path / FOLDER, "validation", self.program, self.phases.model, self.validation_data
        )
        for name, drawn in drawings:
            self.events.png(result.best_epoch, f"{FOLDER}/{name}", drawn)

    def _write_page(self) -> None:
        """All of it as a page; no page is worth a run."""
        try:
            write_page(self.run.path)
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            self.display.say(f"no page: {reason}; `netcfg report {self.run}` tries again")

    def _start_display(self, title: str, pipeline: Batches, done: int = 0) -> None:
        position = self.position
        reached = self.ledger.standing.best
        best = "" if reached is None else f"best {self.monitor.name} {reached:.3f}"
        left = self.training.max_epochs - position.epoch - 1 if pipeline is self.train_data else 0
        batch_size = pipeline.samples / max(1, len(pipeline))
        self.display.start(Stretch(title, len(pipeline), batch_size, done, left, best))

    # --- ending -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Bring back the best weights, test them, write `result.json`, print the tables."""
        self.team.check()  # the first process has written them
        self.run.checkpoints.load_best(self.kept)
        if self.phases.model.states:
            self.phases.model.take(read_state(self.run.checkpoints.best))
        best = self.ledger.best(f"{self.run}/metrics.jsonl").validation
        epochs = self.ledger.epochs
        test, unread = self._test(best.thresholds)
        result = Result(
            best_epoch=self.ledger.standing.best_epoch,
            epochs=self.position.epoch,
            monitor=self.monitor.name,
            value=self.ledger.standing.best,
            validation=best,
            test=test,
            learning_rate=epochs[-1].learning_rate,
            seconds=sum(one.seconds.train + one.seconds.validation for one in epochs) or None,
            peak_bytes=peak_memory(self.device),
        )
        if self.team.is_first:
            self._report(result)
        if unread is not None:
            self.say(
                f"the test split is not judged; once what follows is mended, `netcfg eval {self.run}` judges it"
            )
            raise unread

    def _report(self, result: Result) -> None:
        self.run.write_json("result.json", result.to_json())
        self._draw()
        self._draw_figures(result)
        self._write_page()
        self.display.close()
        if self.steps_are_done:
            self.say(f"ended after {self.position.step:,} batches (max_steps)")
        elif self.position.epoch < self.training.max_epochs:
            self.say(
                f"stopped after epoch {self.position.epoch}: `{self.monitor.name}` has not improved since "
                f"epoch {result.best_epoch} (patience {self.training.patience})"
            )
        for table in result_tables(result):
            self.console.print(table)
        for note in notes({"validation": result.validation, "test": result.split("test")}):
            self.say(f"note: {note}")
        self.say(ending(result))
        self.say(f"run folder: {self.run} (best weights: {self.run}/checkpoints/best.safetensors)")

    def _test(
        self, thresholds: Mapping[str, Sequence[float]] | None
    ) -> tuple[Evaluation | None, NetcfgError | None]:
        """The figures of the test split; or what is wrong with it, which must not cost what the epochs have found."""
        assert self.program.data is not None
        if not any(part.source.may_have("test") for part in self.program.data.each):
            return None, None
        try:
            with closing(self._pipeline("test")) as pipeline:
                return self._evaluate("test", pipeline, thresholds) if len(pipeline) else None, None
        except NetcfgError as error:
            # Other processes wait for the figures of this one, and would for ever.
            if self.team.size > 1:
                raise
            return None, error

    def _stop(self) -> Outcome:
        position = self.position
        if self.ledger.epochs and self.team.is_first:
            self._draw()
        where = f"after epoch {position.epoch}" if not position.batch else (
            f"in epoch {position.epoch + 1}, after batch {position.batch} of {len(self.train_data)}"
        )  # fmt: skip
        self.say(f"stopped {where}\ncontinue with: netcfg train --resume {self.run}")
        return "interrupted"


__all__ = ["CHECKPOINT_SECONDS", "Outcome", "Trainer"]
