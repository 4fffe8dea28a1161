"""Neighbours that are kept apart: frames of one clip, which are alike whatever is learned."""

from __future__ import annotations

import pytest
import torch

import netcfg
from netcfg.source import ProgramError
from netcfg.trainers.judging.neighbours import nearest_class, retrieved


def test_what_is_apart_has_no_vote_and_is_not_found() -> None:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(40, 5, generator=generator)
    classes = torch.randint(0, 3, (40,), generator=generator)
    apart = torch.arange(40) // 4
    answers = nearest_class(embeddings, classes, 3, "euclidean", apart)
    precision = retrieved(embeddings, classes, (1,), "euclidean", apart)
    distances = torch.cdist(embeddings, embeddings)
    for place in range(40):
        others = [other for other in range(40) if apart[other] != apart[place]]
        others.sort(key=lambda other: float(distances[place, other]))
        nearest = classes[others[:3]].tolist()
        assert int(answers[place]) == max(nearest, key=lambda one: (nearest.count(one), -nearest.index(one)))
        alike = [int(classes[other] == classes[place]) for other in others]
        hits = [sum(alike[: rank + 1]) / (rank + 1) for rank, right in enumerate(alike) if right]
        assert float(precision[place, 0]) == pytest.approx(sum(hits) / len(hits))
        assert float(precision[place, 1]) == alike[0]


def test_without_any_neighbour_there_is_no_answer() -> None:
    answers = nearest_class(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]), 3, "cosine", torch.zeros(4))
    assert answers.tolist() == [-1] * 4


def test_it_is_one_number_for_each_sample() -> None:
    text = (
        "{Data}\n[synthetic_faces]\nimage_size = 32\n{N}\n[net]\ninputs = data.image\n[flatten]\n[connected]\n"
        "output_features = 4\n{Metric}\n[knn_accuracy]\ninput = N\ntarget = subject\napart = labels\n"
    )
    with pytest.raises(ProgramError, match="`apart` needs one number for each sample, and `labels` gives 12"):
        netcfg.load(text)
