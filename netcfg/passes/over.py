"""`over = frames` (or `tokens`) and `statistics` of a use: which axis it is, of which signal, and how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from netcfg.axes import axes_in_words
from netcfg.folding import Over
from netcfg.graph import Signal
from netcfg.source import Finding
from netcfg.syntax import Option

AXES_OVER = {"frames": "T", "tokens": "L"}
STATISTICS = ("all", "each_frame")
# They tell uses apart whose axes are alike; nothing counts but that they differ.
_NUMBERS = count(1)


def read_over(
    keys: Mapping[str, Option],
    texts: Mapping[str, str | None],
    signals: Sequence[Signal],
    around: tuple[Over, ...],
    findings: list[Finding],
) -> tuple[Over, ...] | None:
    """What a use is over, `around` it included; None where that is wrong (reported).

    `signals` are those that it reads; none where these failed, which then is all that is said.
    """
    option, statistics = keys.get("over"), keys.get("statistics")
    if option is None:
        if statistics is not None:
            message = "`statistics` says whether each frame is normalised by itself, and there is no `over`"
            findings.append(Finding("NC105", message, statistics.span, help="write `over = frames`"))
            return None
        return around
    apart = _choice(statistics, texts.get("statistics"), STATISTICS, findings) == "each_frame"
    axis = _choice(option, texts.get("over"), tuple(AXES_OVER), findings)
    if axis is None or (statistics is not None and texts.get("statistics") not in STATISTICS):
        return None
    if not signals:
        return around
    if around and (apart or any(one.apart for one in around)):
        message = "statistics of each frame by itself are for one `over`, and this one stands inside another"
        findings.append(Finding("NC105", message, option.span, help="take one of the two out"))
        return None
    letter = AXES_OVER[axis]
    for signal in signals:
        view = signal.seen(around)
        if letter in view.axes and len(view.axes) == len(view.shape):
            at = signal.axes.index(letter)
            over = Over(next(_NUMBERS), letter, signal.shape[at], signal.producer, signal.port, at, apart)
            return (*around, over)
    given = " and ".join(_given(signal, around) for signal in signals)
    message = f"is over {axis}, and reads {given}"
    help = f"let it read a signal with {axis}, or say the `axes` of the [input]"
    findings.append(Finding("NC305", message, option.value_span, help=help))
    return None


def _given(signal: Signal, around: tuple[Over, ...]) -> str:
    shape, axes, _ = signal.seen(around)
    return axes_in_words(axes) if axes or not shape else "sizes of which nobody said what they count"


def _choice(
    option: Option | None, text: str | None, choices: Sequence[str], findings: list[Finding]
) -> str | None:
    if option is None or text is None:
        return None
    if text not in choices:
        known = " or ".join(f"`{choice}`" for choice in choices)
        message = f"`{option.key}` must be {known}, found `{text}`"
        findings.append(Finding("NC105", message, option.value_span))
        return None
    return text
