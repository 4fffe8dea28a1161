"""Several answers to one question as one: of several views of a picture, of several networks.

Legend: N samples, A entries, K classes or points, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from netcfg.source import NetcfgError
from netcfg.trainers.prediction.answers import Answer, signals_of
from netcfg.trainers.prediction.views import View, expect_possible, views_of
from netcfg.trainers.step.model import Model
from netcfg.trainers.step.phases import set_training

How = Literal["mean", "vote"]
HOWS: tuple[How, ...] = ("mean", "vote")
_VOTED = ("class", "labels", "mask")
_TINY = 1e-12


def soft(answer: Answer, scores: Tensor) -> Tensor:
    """A signal in the form that means are taken of: confidences of classes, labels and pixels, all else as it is."""
    scores = scores.double() if answer.kind != "mask" else scores.float()
    if answer.kind == "labels" or (answer.kind == "mask" and scores.shape[1] == 1):
        return scores.sigmoid()
    return scores.softmax(1) if answer.kind in ("class", "mask") else scores


def scores_of(answer: Answer, mean: Tensor) -> Tensor:
    """The way back of `soft`: logits whose sigmoid or softmax the mean is."""
    if answer.kind == "labels" or (answer.kind == "mask" and mean.shape[1] == 1):
        return torch.logit(mean.clamp(_TINY, 1 - _TINY))
    return mean.clamp(min=_TINY).log() if answer.kind in ("class", "mask") else mean


def joined(parts: Sequence[tuple[Answer, Tensor]], how: How) -> Tensor:
    """One answer of several networks, (N, …) each in the form of `soft`, or as `Answer.values` gives it.

    `mean` is that; of maps and points of other sizes they are brought to the first one's. `vote` gives the share of the
    networks for which a class is the likeliest, or a label present.
    """
    first, like = parts[0]
    at_size = [(answer, _at_size_of(first, like, answer, values)) for answer, values in parts]
    if how == "vote":
        at_size = [(answer, _voted(answer, values)) for answer, values in at_size]
    return torch.stack([values for _, values in at_size]).mean(0)


def _at_size_of(first: Answer, like: Tensor, answer: Answer, values: Tensor) -> Tensor:
    if first.kind in ("mask", "map", "picture") and values.shape[2:] != like.shape[2:]:
        return nn.functional.interpolate(values, like.shape[2:], mode="bilinear", antialias=True)
    if first.kind == "points" and answer.size != first.size and 0 not in (*answer.size, *first.size):
        scale = values.new_tensor([first.size[1] / answer.size[1], first.size[0] / answer.size[0]])
        return (values + 0.5) * scale - 0.5
    return values


def _voted(answer: Answer, values: Tensor) -> Tensor:
    if answer.kind == "labels":
        return (values > values.new_tensor(answer.present_above)).to(values.dtype)
    if answer.kind == "mask" and values.shape[1] == 1:
        return (values > 0.5).to(values.dtype)
    return torch.zeros_like(values).scatter_(1, values.argmax(1, keepdim=True), 1.0)


def in_common(runs: Sequence[tuple[str, Sequence[Answer]]], how: How) -> list[list[Answer]]:
    """Of each answer of the first run those of all runs to the same question.

    Raises `NetcfgError` where a run does not answer it, with the classes of the first, or where answers of its kind
    cannot be joined so: embeddings of two networks are places in two spaces; numbers are no votes.
    """
    name, answers = runs[0]
    found = [[answer, *(_same(answer, other, of, name) for other, of in runs[1:])] for answer in answers]
    for answer in answers:
        if answer.kind == "embedding" and len(runs) > 1:
            raise NetcfgError(
                f"`{answer.signal}` is an embedding, and those of two networks lie in two spaces: they have no mean\n"
                "help: predict with each by itself",
                code="NC801",
            )
        if how == "vote" and answer.kind not in _VOTED:
            raise NetcfgError(
                f"`{answer.signal}` gives {_WORDS[answer.kind]}, of which there is no vote\nhelp: `--ensemble mean`",
                code="NC801",
            )
    return found


_WORDS = {
    "number": "numbers",
    "points": "points",
    "picture": "pictures",
    "map": "maps",
    "embedding": "an embedding",
}


def _same(answer: Answer, other: str, answers: Iterable[Answer], name: str) -> Answer:
    kind = [one for one in answers if (one.kind, one.target) == (answer.kind, answer.target)]
    if not kind:
        raise NetcfgError(
            f"{name} answers `{answer.target}`, and {other} does not: they are no ensemble\n"
            "help: runs of an ensemble answer the same; without `--ensemble` each answers its own",
            code="NC801",
        )
    if kind[0].names != answer.names or (answer.kind == "points" and kind[0].count != answer.count):
        ours, theirs = (", ".join(one.names[:5]) or str(one.count) for one in (answer, kind[0]))
        raise NetcfgError(
            f"{name} and {other} know other classes of `{answer.target}`: {ours}; {theirs}\n"
            "help: runs of an ensemble know the same classes, in the same order",
            code="NC801",
        )
    return kind[0]


Voice = tuple[Model, Sequence[Answer]]
"""A model, and its answers to the questions of the first one, in their order."""


class Combined(Model):
    """The model of a program whose answers are the means over several views of the pictures, and over several networks.

    Its other signals are those of `first` and the plain view. `answers` are those of `first`, `voices` the models that
    are heard, `first` among them or not; `pictures` the fields that views change.
    """

    def __init__(
        self,
        first: Model,
        answers: Sequence[Answer],
        views: Sequence[View],
        pictures: Sequence[str],
        voices: Sequence[Voice],
        how: How = "mean",
    ) -> None:
        super().__init__(first.program, first.networks, first.chance)
        self.first = first
        self.answers = list({answer.signal: answer for answer in reversed(answers)}.values())
        self.views = tuple(views)
        self.pictures = tuple(pictures)
        self.how = how
        self.voices = [(model, dict(zip(answers, of, strict=True))) for model, of in voices]
        for model, _ in self.voices:
            set_training(model.program, model.networks, False)

    def padded(self, fields: Mapping[str, Tensor], names: Iterable[str]) -> dict[str, Tensor]:
        """Signals of a batch, answers among them combined."""
        wanted = tuple(names)
        answers = [answer for answer in self.answers if answer.signal in wanted]
        made = super().padded(fields, wanted)
        parts = [
            self._heard(model, fields, {answer: of[answer] for answer in answers}, made)
            for model, of in self.voices
        ]
        for answer in answers:
            scores = scores_of(answer, joined([part[answer] for part in parts], self.how))
            made[answer.signal] = scores.reshape(made[answer.signal].shape)
        return made

    def _heard(
        self,
        model: Model,
        fields: Mapping[str, Tensor],
        answers: Mapping[Answer, Answer],
        known: Mapping[str, Tensor],
    ) -> dict[Answer, tuple[Answer, Tensor]]:
        """The means over views of what one model answers; `known` is what `first` gives of the plain view."""
        signals = tuple(dict.fromkeys(own.signal for own in answers.values()))
        sums: dict[Answer, Tensor] = {}
        counts: dict[Answer, Tensor | float] = {}
        for view in self.views:
            is_known = view == View() and model is self.first
            made = known if is_known else model.padded(view.seen(fields, self.pictures), signals)
            for answer, own in answers.items():
                values, there = view.back(own, soft(own, made[own.signal]))
                weight = 1.0 if there is None else there
                sums[answer] = sums.get(answer, 0.0) + values * weight
                counts[answer] = counts.get(answer, 0.0) + weight
        return {answer: (own, sums[answer] / counts[answer]) for answer, own in answers.items()}


def fields_of(model: Model, answers: Iterable[Answer]) -> tuple[str, ...]:
    """The data fields that a model's answers depend on."""
    return model.fields_of(tuple(signals_of(answers)))


def with_views(model: Model, answers: Sequence[Answer], ways: Sequence[str], name: str) -> Model:
    """A model that answers by the means over views; itself where there is but the plain one."""
    views = views_of(ways)
    if len(views) == 1:
        return model
    return Combined(model, answers, views, pictures_of(model, answers, ways, name), [(model, answers)])


def pictures_of(model: Model, answers: Sequence[Answer], ways: Sequence[str], name: str) -> tuple[str, ...]:
    """The pictures that a model reads for its answers. Raises `NetcfgError` where they have no such views."""
    data = model.program.data
    assert data is not None
    kinds = {field: str(data.fields[field].kind) for field in fields_of(model, answers)}
    return expect_possible(answers, kinds, ways, name)
