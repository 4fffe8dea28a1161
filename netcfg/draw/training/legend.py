"""What the lines and marks of a training diagram mean, and below it the metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netcfg.draw import style
from netcfg.draw.metrics import ASCENT, text_width
from netcfg.draw.scene import Group, Path, Shape, Text
from netcfg.draw.training.cards import BADGE, badge
from netcfg.draw.training.marks import STRAND_WIDTH, VALUE_WIDTH, cut_mark
from netcfg.draw.training.model import Training, phase_colour

SAMPLE = 28.0
"""Length of a sample of a line."""
_GAP = 24.0
_TEXT_GAP = 7.0
_LINE = 15.0
"""From one line of metrics to the next."""


def legend(training: Training, left: float, top: float, width: float) -> tuple[Group, float, float]:
    """The legend with its upper left corner there, and how far right and down it reaches."""
    shapes: list[Shape] = []
    x, y = left, top + BADGE
    right = x
    for sample, sample_width, text in _entries(training):
        end = x + sample_width + _TEXT_GAP + text_width(text, style.SMALL)
        if end > left + width and x > left:
            x, end, y = left, end - x + left, y + 2 * BADGE + 4.0
        shapes += [*sample(x, y), _text(x + sample_width + _TEXT_GAP, y + style.SMALL * ASCENT / 2, text)]
        right, x = max(right, end), end + _GAP
    y += BADGE + 4.0
    for line in _filled(training.measured, width):
        y += _LINE
        shapes.append(_text(left, y - 4.0, line))
        right = max(right, left + text_width(line, style.SMALL))
    return Group("legend", "", tuple(shapes)), right, y


class _Sample:
    """Draws one of the things a legend explains, in the colour of phase `phase`."""

    def __init__(self, kind: str, phase: int) -> None:
        self.kind = kind
        self.phase = phase

    def __call__(self, x: float, y: float) -> Iterator[Shape]:
        ends = ((x, y), (x + SAMPLE, y))
        if self.kind == "badge":
            yield from badge(self.phase, x + BADGE, y)
        elif self.kind == "strand":
            yield Path(ends, phase_colour(self.phase), STRAND_WIDTH, arrow=True)
        else:
            yield Path(ends, style.LINE, VALUE_WIDTH, arrow=True)
        if self.kind == "cut":
            yield from cut_mark(x + SAMPLE / 2 - 2.0, y, self.phase)


def _entries(training: Training) -> Iterator[tuple[_Sample, float, str]]:
    """What occurs in the picture."""
    phase = next(
        (number for flow in training.flows for number in flow.gradients), next(iter(training.phases))
    )
    yield _Sample("value", phase), SAMPLE, "a signal"
    yield _Sample("strand", phase), SAMPLE, f"gradients flow back, in the colour of their phase, here {phase}"
    cut = next((number for flow in training.flows for number in flow.cuts), None)
    if cut is not None:
        yield _Sample("cut", cut), SAMPLE, f"gradients of phase {cut} end here"
    yield _Sample("badge", phase), 2 * BADGE, f"updated by phase {phase}"


def _filled(metrics: Sequence[str], width: float) -> list[str]:
    """`metrics: a, b, c` on lines no wider than that, where the pieces allow."""
    lines: list[str] = []
    for number, metric in enumerate(metrics):
        piece = metric + ("," if number + 1 < len(metrics) else "")
        longer = f"{lines[-1]} {piece}" if lines else f"metrics: {piece}"
        if lines and text_width(longer, style.SMALL) > width:
            lines.append(piece)
        else:
            lines[-1:] = [longer]
    return lines


def _text(x: float, y: float, text: str) -> Text:
    return Text(x, y, text, style.SMALL, text_width(text, style.SMALL), style.FAINT)
