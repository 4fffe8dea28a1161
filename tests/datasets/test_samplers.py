"""What an author writes: a sampler of one class, samples with a table or without, and no guesses about either."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from netcfg.blocks import Draw, FieldSpec, Sampler, Samples, SampleTable, Source
from netcfg.blocks.sources.synthetic_faces import SyntheticFaces
from netcfg.blocks.transforms.geometry import HorizontalFlip
from netcfg.datasets.pipeline import Pipeline, open_samples
from netcfg.datasets.samples.table_samples import table_samples
from netcfg.datasets.samples.tables import described, opened
from netcfg.program import Data
from netcfg.source import NetcfgError, SourceFile, Span

ROOT = Path(__file__).resolve().parent.parent.parent
SPAN = Span(SourceFile("data.cfg", "{Data}"), 1)


class Rarest(Sampler):
    """Each epoch shows the samples of the rarest label, each twice, the second time mirrored."""

    grows: bool = False

    def epoch(self, table: SampleTable, epoch: int, seed: int) -> Sequence[Draw]:
        labels = table.labels["labels"]
        rarest = int(labels.sum(0).argmin())
        chosen = np.flatnonzero(labels[:, rarest] > table.active_above).tolist()
        draws = [draw for index in chosen for draw in (Draw(index), Draw(index, mirrored=True))]
        return draws + draws[: 2 * epoch if self.grows else 0]


def faces(**options) -> SyntheticFaces:
    return SyntheticFaces(
        subjects=6, clips=2, clip_length=8, image_size=16, action_units=("6", "12"), **options
    )


def pipeline(*steps, source=None, used=("image", "labels", "clip"), split="train", **options) -> Pipeline:
    source = source or faces()
    return Pipeline(Data(source, steps, source.fields(), used, SPAN), split, 4, seed=1, **options)


def test_a_sampler_of_ones_own_chooses_what_training_shows():
    made = pipeline(Rarest())
    whole = pipeline()
    labels = open_samples(Data(faces(), (), faces().fields(), ("labels",), SPAN), "train").table.labels[
        "labels"
    ]
    rarest = int(labels.sum(0).argmin())
    assert 0 < made.samples == 2 * int(labels[:, rarest].sum()) < 2 * whole.samples
    images = [picture for batch in made.epoch() for picture in batch.fields["image"].numpy()]
    for plain, mirrored in zip(images[::2], images[1::2], strict=True):
        np.testing.assert_array_equal(mirrored, plain[..., ::-1])
    assert pipeline(Rarest(), split="validation").samples == pipeline(split="validation").samples


def test_draws_are_the_same_whatever_the_workers():
    alone, helped = (
        pipeline(Rarest(), HorizontalFlip(), shuffle="epoch", workers=workers) for workers in (0, 2)
    )
    for one, other in zip(alone.epoch(1), helped.epoch(1), strict=True):
        assert one.fields["image"].equal(other.fields["image"])
    helped.close()


def test_an_epoch_of_another_size_is_refused():
    made = pipeline(Rarest(grows=True))
    list(made.epoch(0))
    with pytest.raises(NetcfgError, match=r"the first epoch shows \d+ samples, and epoch 2 is to show \d+"):
        list(made.epoch(1))


class Plain(Source):
    """A source whose samples have no table."""

    def fields(self) -> dict[str, FieldSpec]:
        return {"image": FieldSpec((3, 16, 16), "image"), "labels": FieldSpec((1,), "vector", ("AU1",))}

    def open(self, split, fields):
        return [{name: self.value(name, number) for name in fields} for number in range(6)]

    def value(self, name, number):
        return np.full((16, 16, 3), number, np.uint8) if name == "image" else np.float32([number % 2])


def test_samples_without_a_table_get_one():
    samples = opened(Plain(), "train", ("image",))
    assert isinstance(samples, Samples)
    assert samples.table.ids == ("0", "1", "2", "3", "4", "5")
    assert samples.table.labels["labels"].tolist() == [[0], [1], [0], [1], [0], [1]]
    assert described(samples.table, Plain()).names == {"labels": ("AU1",)}
    assert pipeline(Rarest(), source=Plain(), used=("image",)).samples == 6


def test_what_is_no_data_set_is_refused():
    class Broken(Plain):
        type_name: ClassVar[str] = "broken"

        def open(self, split, fields):
            return 7

    with pytest.raises(NetcfgError, match=r"\[broken\] opens a int, which has no `__len__`"):
        opened(Broken(), "train", ("image",))


def test_a_source_that_writes_a_table_needs_nothing_else(tmp_path):
    import cv2

    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths[:3]):
        cv2.imwrite(str(path), np.full((20, 30, 3), 10 * number, np.uint8))
    paths[1].write_bytes(b"broken")
    labels = np.array([[0], [1], [0], [1]], np.float32)
    table = SampleTable(("a", "b", "c", "d"), subjects=np.arange(4), labels={"labels": labels})
    with pytest.raises(NetcfgError, match="without a picture: 1 of 4 samples, `d`\nhelp: `missing = skip`"):
        table_samples(table, paths, ("image",), 16, folder=tmp_path)
    black = table_samples(table, paths, ("image",), 16, folder=tmp_path, missing="black")
    assert not black[3]["image"].any()
    with pytest.raises(NetcfgError, match=r"1.png cannot be read: it is cut short"):
        black[1]
    rest = table_samples(
        table, paths, ("image", "labels", "subject"), 16, folder=tmp_path, missing="skip", skips_broken=True
    )
    assert rest.table.ids == ("a", "c")
    assert (int(rest[1]["image"][0, 0, 0]), rest[1]["labels"].tolist(), int(rest[1]["subject"])) == (
        20,
        [0],
        2,
    )
    assert list(rest.only(("labels",))[0]) == ["labels"]


GUESSED_FREE = (
    "datasets", "netcfg/blocks/sources", "netcfg/blocks/transforms", "netcfg/blocks/samplers",
    "netcfg/blocks/optimizers", "netcfg/cli/data*.py", "trainers/reporting/estimate.py",
)  # fmt: skip
ALLOWED = {"cv2"}
"""What is asked whether it has a part: another library, of which there are several builds."""


def guesses(path: Path) -> list[str]:
    """The calls of getattr with a default, and on what."""
    calls = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    found = [
        call
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) > 2
    ]
    return [
        f"{path.name}:{call.lineno}"
        for call in found
        if not ALLOWED & {n.id for n in ast.walk(call) if isinstance(n, ast.Name)}
    ]


def test_nothing_is_guessed_about_sections_and_samples():
    places = [path for pattern in GUESSED_FREE for path in ROOT.glob(pattern)]
    files = [
        file for place in places for file in ([place] if place.is_file() else sorted(place.rglob("*.py")))
    ]
    assert len(files) > 60
    assert [guess for file in files for guess in guesses(file)] == []
