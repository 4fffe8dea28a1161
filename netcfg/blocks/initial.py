"""How learned tensors start, as files say it: a rule, with numbers or words in brackets."""

import re
from typing import NamedTuple

_WRITTEN = re.compile(r"(?P<rule>[a-z_]+)(?:\((?P<arguments>[^()]*)\))?\Z")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\Z")
_FANS = ("fan_in", "fan_out")
_GAINS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu")

RULES: dict[str, str] = {
    "normal": "N(0, 0.01²); normal(deviation) or normal(mean, deviation)",
    "trunc_normal": "the same, and what lies beyond -2 and 2 drawn again: trunc_normal(deviation), or "
    "trunc_normal(fan_in): 1/√fan_in",
    "uniform": "uniform(bound) or uniform(low, high), or uniform(fan_out): up to 1/√fan_out",
    "kaiming_normal": "for ReLUs, by fan_out; kaiming_normal(fan_in), kaiming_normal(fan_in, sigmoid)",
    "kaiming_uniform": "for ReLUs, by fan_in, the weight alone; kaiming_uniform(fan_out, sigmoid)",
    "xavier_normal": "by both fans; xavier_normal(gain)",
    "xavier_uniform": "by both fans; xavier_uniform(gain)",
    "constant": "constant(value); constant(1, 0, 0, 0, 1, 0) is these numbers in turn, over and over",
    "zeros": "all 0",
    "ones": "all 1",
}


class Initial(NamedTuple):
    """A rule, and what stands in its brackets."""

    rule: str
    arguments: tuple[float | str, ...] = ()

    def __str__(self) -> str:
        written = ", ".join(f"{one:g}" if isinstance(one, float) else one for one in self.arguments)
        return f"{self.rule}({written})" if written else self.rule


def read_initial(text: str) -> Initial:
    """`normal(0.02)`, `kaiming_normal(fan_out)`, `xavier_uniform`; a number alone is a constant."""
    if _NUMBER.match(text):
        return Initial("constant", (float(text),))
    found = _WRITTEN.match(text)
    if found is None or found["rule"] not in RULES:
        known = ", ".join(f"`{rule}`" for rule in RULES)
        raise ValueError(f"a number or one of {known}, found `{text}`")
    arguments = [part.strip() for part in found["arguments"].split(",")] if found["arguments"] else []
    initial = Initial(found["rule"], tuple(float(one) if _NUMBER.match(one) else one for one in arguments))
    if not _fits(initial):
        raise ValueError(f"a rule such as `{_sample(initial.rule)}`, found `{text}`")
    return initial


def _fits(initial: Initial) -> bool:
    """Whether a rule can have these arguments."""
    rule, arguments = initial
    numbers = all(isinstance(one, float) for one in arguments)
    if rule in ("zeros", "ones"):
        return not arguments
    if rule == "constant":
        return numbers and len(arguments) >= 1
    if rule.startswith("kaiming"):
        return len(arguments) <= 2 and all(
            one in words for one, words in zip(arguments, (_FANS, _GAINS), strict=False)
        )
    if rule.startswith("xavier"):
        return numbers and len(arguments) <= 1
    if rule in ("trunc_normal", "uniform") and len(arguments) == 1 and arguments[0] in _FANS:
        return True
    return numbers and len(arguments) <= 2 and (rule == "normal" or len(arguments) >= 1)


def _sample(rule: str) -> str:
    return {"zeros": "zeros", "ones": "ones", "constant": "constant(0.5)", "uniform": "uniform(0.1)"}.get(
        rule, f"{rule}(fan_in)" if rule.startswith("kaiming") else f"{rule}(0.02)"
    )
