"""The keys that stand on every block of a network and on every use of a template: what each is for, in a page."""

from __future__ import annotations

from netcfg.passes.structure import STRUCTURE
from netcfg.summary import aligned

_KEYS = {
    "if": (
        "a condition",
        "where it is false the block is not there, and who reads it reads its first input; also on [output]",
    ),
    "rows": (
        "a table's name",
        "a block of each row, each fed by the one before; columns set options; also on [output]",
    ),
    "flat": (
        "`True`",
        "on the use of a template: no path of its own, what is inside is named as if it stood there",
    ),
    "copies": (
        "a number",
        "so many side by side, with parameters of their own (`heads.0`, …); `$copy` is the number, from 0",
    ),
    "join": (
        "`stack`, `frames`, `tokens`, `objects`, `concat` or `add`",
        "makes one signal of the `copies`, stacked along a new first axis (perhaps called so), joined, or added up; "
        "without it the bare name is the first one",
    ),
    "over": (
        "`frames` or `tokens`",
        "what the block does to one sample, for each place of that axis by itself",
    ),
    "statistics": (
        "`all` or `each_frame`",
        "with `over`: means and variances of a batch over all frames together, or for each place apart",
    ),
    "once": (
        "`True`",
        "in {Model}: made once in a batch; later phases read that value, though networks have stepped since",
    ),
}
TITLE = "Keys of every block"


def keys() -> dict[str, tuple[str, str]]:
    """Key -> what it takes, and what it does; in the order of the page."""
    return {key: row for key, row in _KEYS.items() if key in STRUCTURE}


def keys_text() -> str:
    """The page for a terminal."""
    rows = [("key", "takes", "meaning"), *((key, *row) for key, row in keys().items())]
    example = "    [map_to_style]          # eighteen heads, each with parameters of its own\n"
    example += "    copies = 18\n    join = stack"
    said = "They stand on every block of a network, on every use of a template, and on uses of networks in {Model}."
    return "\n".join([TITLE, "", said, "", example, "", *aligned(rows)])


def keys_line() -> str:
    """The line that points there from the page of a block."""
    *others, last = (key for key in keys() if key != "flat")
    return f"Like every block it also takes {', '.join(others)} and {last}: `netcfg blocks copies`."


def keys_markdown() -> str:
    """The page as a table."""
    rows = ["| key | takes | meaning |", "| --- | --- | --- |"]
    rows += [f"| `{key}` | {takes} | {meaning} |" for key, (takes, meaning) in keys().items()]
    return "\n".join(rows)
