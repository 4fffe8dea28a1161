"""The contract of transforms: what becomes of fields, the same each time for the same seed."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.transforms.base import Transform, callable_of
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.contract.variations import Variation, variations

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sample = dict[str, "NDArray[Any]"]
HEIGHT, WIDTH, FRAMES, LANDMARKS = 24, 28, 2, 68
FIELDS: dict[str, FieldSpec] = {
    "image": FieldSpec((3, HEIGHT, WIDTH), "image"),
    "flow": FieldSpec((3, HEIGHT, WIDTH), "flow"),
    "frames": FieldSpec((FRAMES, 3, HEIGHT, WIDTH), "image"),
    "mask": FieldSpec((HEIGHT, WIDTH), "mask", ("paper", "ink", "stain")),
    "depth": FieldSpec((2, HEIGHT, WIDTH), "map"),
    "landmarks": FieldSpec((LANDMARKS, 2), "landmarks"),
    "labels": FieldSpec((4,), "vector", ("AU1", "AU2", "AU4", "AU6")),
    "emotion": FieldSpec((), "class", ("neutral", "happy", "sad")),
}
"""One field of each kind, and a clip."""
GREY = {"grey": FieldSpec((1, HEIGHT, WIDTH), "image")}
"""OpenCV gives pictures of one channel back without their axis."""
ALIKE = 0.7
"""Below that a field and a picture show a box in different places; what covers some of it leaves 0.8."""
SEEDS = range(6)
DRAWS = range(24)
"""Seeds by which it is seen whether an option changes anything: what is drawn rarely shows in few."""
BASE = frozenset(Transform.model_fields)


def verify_transform(kind: type[Transform]) -> Iterator[Breach]:
    """What is untrue about a transform; the first case of each kind. What extends a source is not run here."""
    try:
        transform = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    if transform.extends_source or _chooses(transform):
        return
    varied = list(variations(transform, BASE, _refusal))
    seen: set[str] = set()
    for text, section in [
        ("", transform),
        *((one.text, one.section) for one in varied if one.section is not None),
    ]:
        for breach in _guarded(section, text):
            if breach.check not in seen:
                seen.add(breach.check)
                yield breach
    if not seen:
        yield from _moved_alike(transform)
        yield from _without_effect(transform, varied)


def _refusal(transform: Transform) -> str | None:
    try:
        transform.fields(FIELDS)
    except ShapeError as error:
        return str(error)
    return None


def _chooses(transform: Transform) -> bool:
    """Whether it is for the list of an epoch: it hands on the very sample that it is given."""
    try:
        step, fed = callable_of(transform, FIELDS), _fed(transform, FIELDS)
        return all(_handed_on(transform, step, fed, seed) for seed in SEEDS)
    except Exception:  # the checks say it, with the option at which it is raised
        return False


def _handed_on(transform: Transform, step: Callable[..., Any], fed: Mapping[str, Any], seed: int) -> bool:
    import numpy as np

    return transform.per_sample and step(fed, np.random.default_rng(seed)) is fed


def _guarded(transform: Transform, text: str) -> Iterator[Breach]:
    for fields in [FIELDS, *({name: spec} for name, spec in FIELDS.items()), GREY]:
        variation = ", ".join(
            filter(None, [text, "" if len(fields) > 1 else f"`{next(iter(fields))}` alone"])
        )
        try:
            declared = transform.fields(fields)
        except ShapeError:
            continue
        try:
            yield from _verify(transform, fields, declared, variation)
        except Exception as error:  # whatever it raises is its author's to read
            yield Breach(
                transform.type_name, "run", variation, "no exception", what_was_raised(error), "lower"
            )


def _verify(
    transform: Transform, fields: Mapping[str, FieldSpec], declared: Mapping[str, FieldSpec], text: str
) -> Iterator[Breach]:
    def breach(check: str, declared: object, found: object, write: str) -> Breach:
        return Breach(transform.type_name, check, text, str(declared), str(found), write)

    step = callable_of(transform, fields)
    before = _fed(transform, fields)
    after = _run(transform, step, before, 0)
    if after.keys() != declared.keys():
        yield breach("fields", ", ".join(declared), ", ".join(after), "fields")
        return
    for name, values in after.items():
        found = _shape_seen(transform, declared[name], tuple(values.shape))
        if found != declared[name].shape:
            yield breach("fields", f"`{name}` of {declared[name]}", f"a shape of {found}", "fields")
        elif not _is_of_kind(transform, declared[name], values):
            yield breach("fields", f"`{name}`, {declared[name].kind}", f"values of {values.dtype}", "lower")
    if transform.per_sample and not _same(before, _fed(transform, fields)):  # a run remembers samples
        yield breach("samples", "those it is given, unchanged", "that it writes into them", "lower")
    if any(
        not _same(*(_run(transform, step, _fed(transform, fields), seed) for _ in "ab")) for seed in SEEDS
    ):
        yield breach("seed", "the same sample for the same seed", "another one each time", "lower")
        return
    try:
        copied = pickle.loads(pickle.dumps(step))
    except Exception as error:  # whatever a class raises when it is pickled is the finding
        yield breach("pickle", "a callable for the workers", what_was_raised(error), "lower")
        return
    if not _same(after, _run(transform, copied, _fed(transform, fields), 0)):
        yield breach("pickle", "a copy that does the same", "another sample", "lower")
    yield from _read(transform, fields, declared, text)
    yield from _bypassed(transform, fields, declared, text)


def _read(
    transform: Transform, fields: Mapping[str, FieldSpec], declared: Mapping[str, FieldSpec], text: str
) -> Iterator[Breach]:
    """A sample holds the fields that somebody reads, and what `reads` adds to them; that has to do."""
    step = callable_of(transform, fields)
    for name in declared:
        needed = transform.reads((name,))
        fed = {one: values for one, values in _fed(transform, fields).items() if one in needed}
        try:
            given = _run(transform, step, fed, 0)
        except KeyError as error:
            found = f"that {error} is missing where only `{name}` is wanted"
            yield Breach(transform.type_name, "reads", text, ", ".join(needed), found, "reads")
            return
        if name not in given:
            yield Breach(
                transform.type_name, "reads", text, ", ".join(needed), f"no `{name}` of these", "reads"
            )
            return


def _bypassed(
    transform: Transform, fields: Mapping[str, FieldSpec], declared: Mapping[str, FieldSpec], text: str
) -> Iterator[Breach]:
    """What stands in its place in other splits gives the fields that were promised."""
    aside = transform.bypass(fields)
    given = (
        _fed(transform, fields)
        if aside is None
        else _run(transform, aside, _fed(transform, fields), 0, aside=True)
    )
    if transform.when == "train" and not declared.keys() <= given.keys():
        missing = ", ".join(sorted(declared.keys() - given.keys()))
        yield Breach(
            transform.type_name,
            "bypass",
            text,
            ", ".join(declared),
            f"no {missing} beside training",
            "bypass",
        )


def _moved_alike(transform: Transform) -> Iterator[Breach]:
    """What stands in a place of a picture stays in the same place of the clip, the mask, the map and the landmarks.

    All of them show one box. What only changes colours, or covers some of it, leaves the box where it is; what moves it
    in one field alone has it elsewhere in the others.
    """
    import numpy as np

    if _refusal(transform) is not None:
        return
    step = callable_of(transform, FIELDS)
    found: dict[str, list[float]] = {}
    for seed in DRAWS[::2]:
        given = {
            name: np.asarray(values if transform.per_sample else values[0])
            for name, values in _run(transform, step, _with_a_box(transform), seed).items()
        }
        if "image" not in given or given["image"].ndim != 3:
            return
        picture = given["image"] if transform.per_sample else np.moveaxis(given["image"], 0, -1)
        for name, one, other in _pairs(transform, picture, given):
            if one.std() > 0 and (other.std(0) > 0).any():
                found.setdefault(name, []).append(_likeness(one, other))
    for name, likeness in found.items():
        apart = sum(value < ALIKE for value in likeness)
        if apart > len(likeness) / 8:
            said = f"`{name}` left behind in {apart} of {len(likeness)} samples"
            yield Breach(transform.type_name, "places", "", "fields moved as the picture is", said, "lower")


def _with_a_box(transform: Transform) -> dict[str, Any]:
    """A sample, or a batch of it twice, in whose fields one box shows, off the middle; half of its landmarks inside."""
    import numpy as np
    import torch

    inside = np.zeros((HEIGHT, WIDTH), bool)
    inside[3:13, 4:14] = True
    picture = np.where(inside[..., None], (200, 110, 30), (50, 20, 230)).astype(np.uint8)
    chance = np.random.default_rng(1)
    places = chance.random((LANDMARKS, 2)) * (6.5, 6.5) + (5.5, 4.5)
    # Some beside the box and some below: of a picture that is turned round, not all may be where others were.
    places[LANDMARKS // 2 :, 0] += 11
    places[LANDMARKS // 4 * 3 :, 1] += 10
    shown: dict[str, Any] = {
        "image": picture,
        "frames": np.stack([picture] * FRAMES),
        "mask": inside.astype(np.uint8),
        "depth": np.stack([inside, inside]).astype(np.float32),
        "landmarks": places.astype(np.float32),
    }
    fed = _fed(transform, FIELDS)
    if transform.per_sample:
        return fed | shown
    return fed | {
        name: torch.from_numpy(np.moveaxis(values, -1, -3) / np.float32(255))[None].repeat_interleave(2, 0)
        if FIELDS[name].kind == "image"
        else torch.from_numpy(np.stack([values, values]))
        for name, values in shown.items()
    }


def _pairs(transform: Transform, picture: Any, given: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """By field what it says of places, and the colours that the picture has there."""
    import numpy as np

    height, width, channels = picture.shape
    colours = picture.reshape(-1, channels)
    if "frames" in given and given["frames"].ndim == 4:
        frame = given["frames"][0] if transform.per_sample else np.moveaxis(given["frames"][0], 0, -1)
        if frame.shape == picture.shape:
            yield "frames", frame[..., 0].reshape(-1).astype(float), colours
    for name in ("mask", "depth"):
        values = given.get(name)
        if values is not None and values.shape[-2:] == (height, width):
            yield name, (values if values.ndim == 2 else values[0]).reshape(-1).astype(float), colours
    points = given.get("landmarks")
    if points is not None and points.shape == (LANDMARKS, 2) and np.isfinite(points).all():
        column, row = np.rint(points - 0.5).astype(int).T
        seen = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        if seen.sum() > LANDMARKS // 4:
            first = (np.arange(LANDMARKS) < LANDMARKS // 2)[seen]
            yield "landmarks", first.astype(float), picture[row[seen], column[seen]]


def _likeness(one: Any, colours: Any) -> float:
    """How far a field and a picture's colours go together, from 0 to 1, in the colour where they do most."""
    import numpy as np

    shown = [colour for colour in colours.T.astype(float) if colour.std() > 0]
    return max(abs(float(np.corrcoef(one, colour)[0, 1])) for colour in shown)


def _run(
    transform: Transform, step: Callable[..., Any], fed: Mapping[str, Any], seed: int, aside: bool = False
) -> dict[str, Any]:
    """What becomes of a sample (or batch); chance that it should not use is another one each time."""
    import numpy as np
    import torch

    if not transform.per_sample:
        draws = transform.draws_batch and not aside
        return dict(step(dict(fed), np.random.default_rng(seed)) if draws else step(dict(fed)))
    random.seed()
    np.random.seed()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.seed()
        return dict(step(dict(fed), np.random.default_rng(seed)))


def _fed(transform: Transform, fields: Mapping[str, FieldSpec]) -> dict[str, Any]:
    """A sample of the fields as sources give it, or a batch of two others as the device has it."""
    import numpy as np
    import torch

    chance = np.random.default_rng(3)
    sample = {name: _values(spec, chance) for name, spec in fields.items()}
    if transform.per_sample:
        return sample
    second = {name: _values(spec, chance) for name, spec in fields.items()}
    batch = {name: torch.from_numpy(np.stack([sample[name], second[name]])) for name in fields}
    return {
        name: (values.movedim(-1, -3).float() / 255 if fields[name].kind in ("image", "flow") else values)
        for name, values in batch.items()
    }


def _values(spec: FieldSpec, chance: Any) -> Any:
    import numpy as np

    shape = tuple(int(str(size)) for size in spec.shape)
    if spec.kind in ("image", "flow"):
        return chance.integers(0, 256, (*shape[:-3], *shape[-2:], shape[-3]), dtype=np.uint8)
    if spec.kind == "mask":
        return chance.integers(0, len(spec.names), shape, dtype=np.uint8)
    if spec.kind == "class":
        return np.asarray(chance.integers(0, len(spec.names)))
    if spec.kind == "landmarks":
        return (chance.random(shape) * min(HEIGHT, WIDTH)).astype(np.float32)
    # Absent, there, and an intensity between: a step may have a threshold of its own.
    return np.resize(np.asarray((1.0, 0.4, 0.0), np.float32), shape)


def _shape_seen(transform: Transform, spec: FieldSpec, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A field's shape as a network sees it: pictures of samples have their channels last."""
    if not transform.per_sample:
        return shape[1:]
    return (*shape[:-3], shape[-1], *shape[-3:-1]) if spec.kind in ("image", "flow") else shape


def _is_of_kind(transform: Transform, spec: FieldSpec, values: Any) -> bool:
    """Pictures are bytes until they are on the device, classes whole numbers, all else finite ones."""
    import numpy as np

    array = np.asarray(values)
    if spec.kind in ("image", "flow") and transform.per_sample:
        return array.dtype == np.uint8
    if spec.kind in ("class", "mask"):
        return bool(np.issubdtype(array.dtype, np.integer))
    # Double precision from one sample makes the whole batch double, which no network takes.
    return array.dtype == np.float32 and bool(np.isfinite(array).all())


def _without_effect(transform: Transform, varied: list[Variation[Transform]]) -> Iterator[Breach]:
    """Options at another value of which every sample is the same."""
    base = _all(transform)
    for option in dict.fromkeys(one.option for one in varied):
        tried = [one for one in varied if one.option == option]
        others = [one.section for one in tried if one.section is not None]
        if len(others) == len(tried) and all(_equal(_all(other), base) for other in others):
            yield Breach(
                transform.type_name,
                "option",
                tried[0].text,
                f"`{option}`",
                "that no sample changes with it",
                "lower",
            )


def _all(transform: Transform) -> list[dict[str, Any]]:
    """What becomes of a sample by several seeds, in each split."""
    made = []
    for split in ("train", "validation"):
        here = transform.in_split(split)  # type: ignore[arg-type]
        step = callable_of(here, FIELDS)
        made += [_run(here, step, _fed(here, FIELDS), seed) for seed in DRAWS]
    return made


def _equal(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    return all(map(_same, one, other))


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        values.shape == other[name].shape and bool((values == other[name]).all())
        for name, values in one.items()
    )
