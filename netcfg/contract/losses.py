"""The contract of losses: `check` against the module, and the module against its own gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from netcfg.blocks.base import ShapeError
from netcfg.blocks.losses.base import Loss
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.examples import BadExample, example_of
from netcfg.contract.seeds import seeded
from netcfg.contract.variations import Variation, variations
from netcfg.shapes import show

if TYPE_CHECKING:
    from torch import Tensor, nn

SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (1,),
    (2,),
    (4,),
    (5,),
    (4, 1, 1),
    (4, 3, 2),
    (4, 2, 3),
    (1, 3, 2),
    (3, 2),
    (1, 9, 8),
    (6, 4),
)
"""Of each signal, tried with each of the others."""
SAMPLES, STEP, CLASSES = 6, 1e-3, 3
Values = dict[str, Callable[[Any], Any]]


@dataclass(frozen=True)
class Case:
    """A loss and the shapes of its signals, without the batch."""

    loss: Loss
    shapes: tuple[tuple[int, ...], ...]
    options: str = ""

    def breach(self, check: str, declared: object, found: object, write: str) -> Breach:
        """What a check has found of this case."""
        shapes = " and ".join(show(shape) or "one number" for shape in self.shapes)
        variation = ", ".join(part for part in (self.options, shapes) if part)
        return Breach(self.loss.type_name, check, variation, str(declared), str(found), write)

    def refusal(self) -> str | None:
        """Why its `check` refuses the shapes; None where it takes them."""
        try:
            self.loss.check(*self.shapes, **self.classes())
        except ShapeError as error:
            return str(error)
        return None

    def classes(self) -> dict[str, int]:
        """As many classes as the targets may be, for a loss that learns something of each."""
        return {"classes": CLASSES} if self.loss.learns else {}

    def built(self) -> nn.Module:
        """Its module, for these shapes."""
        return self.loss.build(dict(zip(self.loss.reads, self.shapes, strict=True)), CLASSES)

    def signals(self, targets: str) -> list[Tensor]:
        """Random signals in double precision; all but the first may hold yes and no, or classes."""
        import torch

        generator = torch.Generator().manual_seed(1)
        made = [
            torch.randn(SAMPLES, *shape, generator=generator, dtype=torch.float64) for shape in self.shapes
        ]
        ways: Values = {
            "numbers": lambda value: (value * 2).round() / 2,  # some are alike, and can be ignored
            "yes and no": lambda value: (value > 0).double(),
            "one class": lambda value: torch.zeros_like(value),
            "classes": lambda value: (value > 0).long() + (value > 0.5).long(),
        }
        return [*made[:1], *map(ways[targets], made[1:])]

    def value(self, signals: list[Tensor], seed: int = 3, module: nn.Module | None = None) -> Tensor:
        """The mean loss, by a small critic for each network that it evaluates, with the same chance each time; of a
        fresh `module`, where none is given.
        """
        import torch

        from netcfg.builder.modules.losses.counted import Counted

        critics = [_critic for _ in self.loss.network_options]
        with seeded(seed):
            given, named = self.loss.arguments(signals)
            module = module or self.built()
            value = (
                module(*critics, *given, **named)
                if self.loss.reads
                else module(
                    *(torch.ones(len(self.loss.losses), dtype=torch.float64) * size for size in (2, 1))
                )
            )
        made: Tensor = value.mean() if isinstance(value, Counted) else value
        return made


TARGETS = ("yes and no", "classes", "numbers", "one class")


def verify_loss(kind: type[Loss]) -> Iterator[Breach]:
    """What is untrue about a loss; the first case of each kind."""
    seen: set[tuple[str, str]] = set()
    for breach in _all(kind):
        if (breach.check, breach.write) not in seen:
            seen.add((breach.check, breach.write))
            yield breach
    if not seen:
        yield from _unread(kind)


def _all(kind: type[Loss]) -> Iterator[Breach]:
    try:
        loss = example_of(kind)
    except BadExample:  # the check of the page says so
        return
    signals = frozenset((*loss.signal_options, *loss.named_options, *loss.network_options, "name"))
    signals |= loss.size_options
    varied = list(variations(loss, signals))
    for text, section in [
        ("", loss),
        *((one.text, one.section) for one in varied if one.section is not None),
    ]:
        yield from _verify_options(section, text)
    yield from _without_effect(loss, varied)


def _verify_options(loss: Loss, text: str) -> Iterator[Breach]:
    count = len(loss.reads)
    cases = [Case(loss, shapes, text) for shapes in product(SHAPES, repeat=count)]
    taken = [case for case in cases if case.refusal() is None]
    if not taken:
        yield Breach(
            loss.type_name,
            "check",
            text,
            f"that it {cases[0].refusal()}",
            "that it takes no shapes at all",
            "check",
        )
    for case in taken:
        yield from _verify_case(case)
    if not text:
        yield from _masked(loss, text)


def _verify_case(case: Case) -> Iterator[Breach]:
    """What `check` takes, the module takes, for some kind of target."""
    import torch

    refusals: list[str] = []
    for targets in TARGETS:
        try:
            signals = case.signals(targets)
            value = case.value(signals)
        except Exception as error:  # whatever a module raises is its way of refusing
            refusals.append(what_was_raised(error))
            continue
        if value.ndim:
            yield case.breach("value", "a scalar", f"a shape of {show(tuple(value.shape))}", "lower")
        elif not bool(value.isfinite()):
            yield case.breach("value", "a number", f"{float(value.detach()):g}", "lower")
        else:
            yield from _again(case, targets)
            yield from _samples(case, targets)
            yield from _gradients(case, targets)
            yield from _equal(case, targets)
            yield from _parameters(case)
            if case.loss.in_evaluation:
                with torch.inference_mode():
                    case.value(signals)
        return
    yield case.breach("check", "that it takes these shapes", refusals[0], "check")


def _again(case: Case, targets: str) -> Iterator[Breach]:
    """The same module gives the same when it is asked again, and of a batch that is written twice no sum."""
    if not case.loss.reads or case.loss.network_options or case.options:
        return
    module = case.built().eval()
    # Signals made anew, as a loss that writes into them is told so elsewhere.
    first, again = (float(case.value(case.signals(targets), module=module).detach()) for _ in range(2))
    if not _near(first, again):
        yield case.breach("value", f"{first:g}, whenever it is asked", f"{again:g} the second time", "lower")
        return
    twice = float(case.value([_twice(signal) for signal in case.signals(targets)]).detach())
    whole = float(case.value(case.signals(targets)).detach())
    if abs(whole) > 1e-3 and _near(twice, 2 * whole):
        yield case.breach("value", "the mean over a batch", "that it grows with the batch, as a sum", "lower")


def _twice(signal: Tensor) -> Tensor:
    """A batch twice."""
    import torch

    return torch.cat((signal, signal))


def _samples(case: Case, targets: str) -> Iterator[Breach]:
    """The same loss whatever the order of samples, whose signals stay as they are."""
    import torch

    if not case.loss.reads:
        return
    signals = case.signals(targets)
    value = float(case.value(signals).detach())
    if not all(map(torch.equal, signals, case.signals(targets))):
        yield case.breach("signals", "left as they are", "that it writes into them", "lower")
        return
    if case.loss.network_options or not _near(value, float(case.value(signals, seed=4).detach())):
        return  # what is drawn for a sample hangs on its place
    turned = float(case.value([signal.flip(0) for signal in signals]).detach())
    if not _near(value, turned):
        yield case.breach("order of samples", f"{value:g}, whatever their order", f"{turned:g}", "lower")


def _masked(loss: Loss, text: str) -> Iterator[Breach]:
    """A mask of ones changes nothing, and what is masked is as if it were not there."""
    import torch

    if "mask" not in type(loss).model_fields or "mask" in loss.reads:
        return
    twin = loss.model_copy(update={"mask": "shown"})
    if twin.conflict() is not None:
        return
    shown = torch.tensor([False, True, True, False, True, True])
    for shapes in product(SHAPES, repeat=len(loss.reads)):
        without = Case(loss, shapes, text)
        case = Case(twin, (*shapes, ()), text)
        if without.refusal() is not None or case.refusal() is not None:
            continue
        for targets in TARGETS:
            signals = without.signals(targets)
            try:
                whole, part = without.value(signals), without.value([signal[shown] for signal in signals])
                masks = torch.ones(SAMPLES).double(), shown.double()
                found = [case.value([*signals, mask]) for mask in masks]
            except (RuntimeError, ValueError, IndexError):  # it takes other targets
                continue
            for what, wanted, value in zip(("of ones", "of four samples"), (whole, part), found, strict=True):
                if not _near(float(wanted.detach()), float(value.detach())):
                    said = f"{float(wanted.detach()):g}, that of what it shows"
                    yield without.breach(f"a mask {what}", said, f"{float(value.detach()):g}", "lower")
            break


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-5 * max(abs(one), abs(other)) + 1e-7 or one != one or other != other


def _parameters(case: Case) -> Iterator[Breach]:
    """That it learns as many numbers as it says, and that it says so."""
    found = sum(weight.numel() for weight in case.built().parameters() if weight.requires_grad)
    declared = case.loss.parameters(dict(zip(case.loss.reads, case.shapes, strict=True)), CLASSES)
    if declared != found:
        yield case.breach("parameters", declared, found, "parameters")
    if case.loss.learns != bool(found):
        yield case.breach("learns", case.loss.learns, f"{found} parameters", "learns")


def _gradients(case: Case, targets: str) -> Iterator[Breach]:
    """The gradient of its first signal against differences; none where it says that it stops them."""
    import torch

    signals = [
        value.requires_grad_() if value.is_floating_point() else value for value in case.signals(targets)
    ]
    value = case.value(signals)
    if not signals:  # it reads losses
        return
    wanted = [signal for signal in signals if signal.requires_grad]
    found = torch.autograd.grad(value, wanted, allow_unused=True) if value.requires_grad else ()
    through = [one for one in found if one is not None]
    stops = case.loss.stops_gradient  # one of zeros everywhere, as that of a single class, is none that leaks
    reached = any(bool(one.any()) for one in through) if stops else bool(through)
    if reached == case.loss.stops_gradient:
        word = "a gradient at its signals" if reached else "none at any signal"
        yield case.breach("stops_gradient", case.loss.stops_gradient, word, "stops_gradient")
        return
    for signal, gradient in zip(wanted, found, strict=False):
        if gradient is None or signal is not signals[0]:
            continue
        place = int(gradient.abs().argmax())
        slope = _slope(case, targets, place)
        given = float(gradient.flatten()[place])
        if abs(slope - given) > 1e-3 * max(abs(slope), abs(given)) + 1e-4:
            yield case.breach("gradient", f"{given:g}", f"{slope:g} by differences", "lower")


def _equal(case: Case, targets: str) -> Iterator[Breach]:
    """Two signals that have become the same, as they do when a network has learned: numbers, and so is the gradient."""
    import torch

    if len(case.shapes) != 2 or case.shapes[0] != case.shapes[1] or case.loss.network_options:
        return
    target = case.signals(targets)[1]
    if not target.is_floating_point():
        return
    signal = target.clone().requires_grad_()
    try:
        value = case.value([signal, target])
    except (RuntimeError, ValueError, IndexError):  # classes that are numbers, which its first signal is not
        return
    if not bool(value.isfinite()):
        yield case.breach("value of equal signals", "a number", f"{float(value.detach()):g}", "lower")
    elif value.requires_grad:
        (gradient,) = torch.autograd.grad(value, signal, allow_unused=True)
        if gradient is not None and not bool(gradient.isfinite().all()):
            found = "NaN or infinite numbers"
            yield case.breach("gradient at equal signals", "numbers", found, "lower")


def _unread(kind: type[Loss]) -> Iterator[Breach]:
    """Signals at other values of which every loss is the same."""
    try:
        loss = example_of(kind)
    except BadExample:
        return
    unread = dict.fromkeys(list(loss.reads)[1:])
    for shapes in product(SHAPES, repeat=len(loss.reads)) if len(loss.reads) > 1 else ():
        case = Case(loss, shapes)
        for targets in TARGETS if unread and case.refusal() is None else ():
            for place, option in enumerate(loss.reads):
                if option in unread and _is_read(case, targets, place):
                    del unread[option]
    for option in unread:
        yield Breach(
            loss.type_name,
            "signal",
            option,
            f"that it reads `{option}`",
            "that nothing changes with it",
            "lower",
        )


def _is_read(case: Case, targets: str, place: int) -> bool:
    signals = case.signals(targets)
    written = signals[place]
    for changed in (written.flip(0), written * 0, 1 - written):
        try:
            one, another = case.value(signals), case.value([*signals[:place], changed, *signals[place + 1 :]])
        except Exception:  # it takes other targets
            continue
        if not _near(float(one.detach()), float(another.detach())):
            return True
    return False


def _slope(case: Case, targets: str, place: int) -> float:
    """By how much the loss rises with one number of its first signal."""
    values = []
    for step in (STEP, -STEP):
        signals = case.signals(targets)
        signals[0].view(-1)[place] += step
        values.append(float(case.value(signals).detach()))
    return (values[0] - values[1]) / (2 * STEP)


def _without_effect(loss: Loss, varied: list[Variation[Loss]]) -> Iterator[Breach]:
    """Options at another value of which every loss is the same."""
    for option in dict.fromkeys(one.option for one in varied):
        tried = [one for one in varied if one.option == option]
        others = [one.section for one in tried if one.section is not None]
        if len(others) == len(tried) and all(_figures(other) == _figures(loss) for other in others):
            yield Breach(
                loss.type_name,
                "option",
                tried[0].text,
                f"`{option}`",
                "that nothing changes with it",
                "lower",
            )


def _figures(loss: Loss) -> list[str]:
    """The losses of all shapes and kinds of target, or what is raised."""
    made = []
    for shapes in product(SHAPES, repeat=len(loss.reads)):
        case = Case(loss, shapes)
        for targets in TARGETS if case.refusal() is None else ():
            try:
                made.append(repr(float(case.value(case.signals(targets)).detach())))
            except Exception as error:
                made.append(type(error).__name__)
    return made


def _critic(values: Any) -> Any:
    """A network of one number for each sample, curved so that its gradient is not the same everywhere."""
    return values.flatten(1).sin().sum(1) * 0.7 + values.flatten(1).square().sum(1)
