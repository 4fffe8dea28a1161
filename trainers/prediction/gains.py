"""A split judged by several views of its pictures, and by several runs together, beside what each run reaches alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netcfg.blocks.fields import Split
from netcfg.blocks.section import Section
from netcfg.program import Data, Program
from netcfg.results import Evaluation, Figure, number
from netcfg.source import NetcfgError, shown_path
from netcfg.trainers.judging.examination import Examined, Examiner
from netcfg.trainers.prediction.answers import Answer, answers_of
from netcfg.trainers.prediction.combining import Combined, How, Voice, fields_of, in_common, pictures_of
from netcfg.trainers.prediction.views import View, views_of
from netcfg.trainers.reporting.grid import Grid, Rows
from netcfg.trainers.runs.trained import networks_with, program_of_run, weights_of_run
from netcfg.trainers.step.model import Model


@dataclass(frozen=True)
class Gains:
    """The main figure of each metric: of each run alone, seen plainly, and of all together; and what that gains.

    `better` says of each metric whether more is better. `notes` are what a reader should know of the comparison.
    """

    what: str
    runs: Sequence[str]
    alone: Mapping[str, Sequence[Figure]]
    together: Mapping[str, Figure]
    better: Mapping[str, bool]
    notes: Sequence[str] = ()

    def gain(self, metric: str) -> Figure:
        """By how much all together are above the best run alone; below 0 where they are worse. None: not known."""
        alone, together = self.alone[metric], self.together[metric]
        known = [figure for figure in alone if figure is not None]
        if together is None or len(known) < len(alone):
            return None
        return together - max(known) if self.better[metric] else min(known) - together

    @property
    def cells(self) -> Iterator[tuple[str, str, Figure]]:
        """Metric, what the figure is of, and the figure."""
        for metric, alone in self.alone.items():
            yield from (
                (metric, f"alone {run}", figure) for run, figure in zip(self.runs, alone, strict=True)
            )
            yield metric, "gain", self.gain(metric)

    def table(self, split: Split) -> Grid:
        """A row for each metric."""
        rows = [
            (
                metric if self.better[metric] else f"{metric} (less is better)",
                [*map(number, alone), number(self.together[metric]), _signed(self.gain(metric))],
            )
            for metric, alone in self.alone.items()
        ]
        alone = self.runs if len(self.runs) > 1 else ["plain"]
        against = "over the best" if len(self.runs) > 1 else "gain"
        return Grid(f"{self.what}, {split} split", [*alone, "together", against], [Rows(rows)])

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "what": self.what,
            "runs": list(self.runs),
            "alone": {metric: list(figures) for metric, figures in self.alone.items()},
            "gain": {metric: self.gain(metric) for metric in self.alone},
        }


def _signed(value: Figure) -> str:
    return number(value) if value is None or value < 0 else f"+{number(value)}"


def judged_together(
    examiner: Examiner, runs: Sequence[Path], split: Split, ways: Sequence[str], how: How
) -> tuple[Examined, Model, Gains]:
    """A split as judged by all runs and views together, the model of that, and what it gains.

    The first run's program says what is judged, and of what data. Metrics that choose thresholds choose them anew for
    each. Raises `NetcfgError` where the runs do not answer the same, or see their data differently.
    """
    first, program = examiner.model, examiner.program
    names = [shown_path(run) for run in runs]
    answers = [answer for answer in _one_each(answers_of(program)) if _is_judged(program, answer)]
    others = [_voice(run, examiner) for run in runs[1:]]
    columns = in_common(
        [(names[0], answers), *((name, of) for name, (_, of) in zip(names[1:], others, strict=True))], how
    )
    voices: list[Voice] = [
        (model, [column[place] for column in columns])
        for place, (model, _) in enumerate([(first, answers), *others])
    ]
    pictures: set[str] = set()
    for name, (model, of) in zip(names, voices, strict=True):
        _expect_same_data(name, names[0], program, model, of)
        if ways:
            pictures |= set(pictures_of(model, of, ways, name))
    alone = [
        examiner.examine(split, model=Combined(first, answers, [View()], [], [voice])).evaluation
        for voice in voices
    ]
    together = Combined(first, answers, views_of(ways), sorted(pictures), voices, how)
    examined = examiner.examine(split, model=together)
    return (
        examined,
        together,
        _gains(program, names, alone, examined.evaluation, ways, how, _notes(program, voices)),
    )


def _one_each(answers: Sequence[Answer]) -> list[Answer]:
    """The first answer of each signal: a signal has one form in which its views are joined."""
    return list({answer.signal: answer for answer in reversed(answers)}.values())[::-1]


def _is_judged(program: Program, answer: Answer) -> bool:
    return any(metric.input == answer.signal for metric in program.metrics.values())


def _voice(run: Path, examiner: Examiner) -> Voice:
    """Another run's model, which draws from the chance of the first, and its answers."""
    program = program_of_run(run)
    model = Model(
        program, networks_with(program, weights_of_run(run), examiner.device), examiner.model.chance
    )
    return model, answers_of(program)


def _expect_same_data(
    name: str, first: str, program: Program, model: Model, answers: Sequence[Answer]
) -> None:
    """Refuse a run that would see the first one's data otherwise than its own."""
    ours, theirs = program.data, model.program.data
    assert ours is not None
    assert theirs is not None
    for field in fields_of(model, answers):
        if field not in ours.used or ours.fields[field] != theirs.fields[field]:
            raise NetcfgError(
                f"{name} reads `{field}` ({theirs.fields[field]}), and the data of {first} have "
                f"{ours.fields[field] if field in ours.fields else 'none'} of it\n"
                "help: `netcfg predict` joins runs that see pictures differently",
                code="NC801",
            )
    if [_written(one) for one in ours.transforms] != [_written(one) for one in theirs.transforms]:
        raise NetcfgError(
            f"{name} and {first} bring their data into other forms ({{Data}} has other transforms)\n"
            "help: `netcfg predict` joins runs that see pictures differently",
            code="NC801",
        )


def _written(section: Section) -> tuple[str, dict[str, Any]]:
    return section.type_name, section.model_dump()


def _notes(program: Program, voices: Sequence[Voice]) -> list[str]:
    """That a run may have been trained on what it is judged on here."""
    assert program.data is not None
    sources = [model.program.data.source for model, _ in voices if isinstance(model.program.data, Data)]
    if all(_written(source) == _written(program.data.source) for source in sources):
        return []
    return [
        "note: these runs were trained on other splits (folds, say): one may have been trained on samples that it is "
        "judged on here"
    ]


def _gains(
    program: Program,
    names: Sequence[str],
    alone: Sequence[Evaluation],
    together: Evaluation,
    ways: Sequence[str],
    how: How,
    notes: Sequence[str],
) -> Gains:
    what = [f"{how} of {len(names)} runs"] if len(names) > 1 else list(names)
    what += [f"{' and '.join(ways)} views"] if ways else []
    metrics = list(together.own_tables)
    return Gains(
        ", ".join(what),
        [Path(name).name for name in names]
        if len({Path(name).name for name in names}) == len(names)
        else names,
        {name: [one.tables[name].main if name in one.tables else None for one in alone] for name in metrics},
        {name: together.tables[name].main for name in metrics},
        {name: program.metrics[name].higher_is_better for name in metrics},
        notes,
    )
