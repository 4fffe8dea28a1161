"""Broken copies of the shipped files: lines and characters are taken out, doubled, exchanged or replaced."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from random import Random

from netcfg.blocks.registry import GROUPS, sections
from netcfg.contract.examples import example_text

NUMBERS = (
    "0", "-1", "1", "2", "3.5", "1e400", "nan", "inf", "1_000", "0x10", "99999999", "9" * 60, "-0", "", "True", "None",
    "1, 2", "1,,2", "${1/0}", "${2**99}", "$nothing", "$", "${", "$$", "½", "٣",
)  # fmt: skip
LINES = (
    "[", "]", "{", "}", "{}", "[]", "[net]", "[net] x", "[x", "{Net", "= 1", "a =", "a", "# x", "; x", "[input]",
    "[output]", "name = input", "from = -1", "from = 0", "from = -99", "from = a.b.c", "repeat = 10000", "repeat = 0",
    "shared_with = -1", "weights = imagenet", "freeze = True", "{General}", "[variables]", "{Data}", "{Model}",
    "{Define t}", "[parameters]", "{include blocks/vgg16.cfg}", "{include ../x}", "{include .}", "[preset demo]",
    "channels = 1", "[flatten]", "if = False", "if = $turn", "flat = True", "rows = stages", "rows = $x", "[defaults]",
    "convolutional.filters = 3", "filters = $in.channels", "filters = ${input.height // 2}", "name = a.", "name = a.b",
    "name = x$turn", "from = a.0", "{Table t}", "a b c", "1 - 2", "[route]", "copies = 3",
    "join = stack", "[softmax]", "dim = 9", "activation = rleu", "\x1b[31m", "\ufeff",
    "é" * 300,
)  # fmt: skip
LETTERS = "[]{}=#;$\"',.-_ \t\n\r\0\x1b%é𝔸aA09"
LIMITS = (
    "0", "1", "255", "256", "257", "65535", "65536", "1048576", "1048577", "2147483647", "2147483648", "4294967296",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-2147483649", "1e-320", "1e308", "1e309", "0.1",
    "0.9999999999999999", "1.0000000000000002", "-1e-9",
)  # fmt: skip
ALIKE = "аеоѕ\u200b\u202e\u0301\u2028\u00a0\uff1d\u0130ßﬁ\U0001f600\ud7ff"
"""Letters that look like others, or like nothing: Cyrillic ones, of no width, from right to left, combining."""
Lines = list[str]
Change = Callable[[Lines, Random], None]


@cache
def shipped() -> tuple[str, ...]:
    """The texts of all shipped files, and of one that says whatever can be said of structure."""
    folder = Path(str(files("netcfg.cfg")))
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.cfg"))]
    own = Path(__file__).with_name("language.cfg").read_text(encoding="utf-8")
    return (*texts, *[own] * (len(texts) // 8))


def mutant(random: Random) -> str:
    """A shipped file with one to five changes."""
    lines = random.choice(shipped()).splitlines()
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        random.choice(CHANGES)(lines, random)
        lines = "\n".join(lines).split("\n")
    text = "\n".join(lines) + "\n"
    return text[: random.randrange(len(text))] if random.random() < 0.03 else text


def _place(lines: Lines, random: Random) -> int:
    if not lines:
        lines.append("")
    return random.randrange(len(lines))


def _without_line(lines: Lines, random: Random) -> None:
    del lines[_place(lines, random)]


def _line_twice(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    lines.insert(_place(lines, random), lines[place])


def _lines_exchanged(lines: Lines, random: Random) -> None:
    one, other = _place(lines, random), _place(lines, random)
    lines[one], lines[other] = lines[other], lines[one]


def _line_more(lines: Lines, random: Random) -> None:
    lines.insert(_place(lines, random), random.choice(LINES))


def _other_value(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    key, equals, _ = lines[place].partition("=")
    if equals:
        lines[place] = f"{key}= {random.choice(NUMBERS)}"


def _value_of_another(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    key, equals, _ = lines[place].partition("=")
    values = [value for _, is_option, value in (line.partition("=") for line in lines) if is_option]
    if equals and values:
        lines[place] = f"{key}={random.choice(values)}"


def _other_letters(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    line = lines[place]
    start = random.randint(0, len(line))
    end = min(len(line), start + random.choice((0, 0, 1, 1, 3)))
    put = "".join(random.choice(LETTERS) for _ in range(random.choice((0, 1, 1, 2))))
    lines[place] = line[:start] + put + line[end:]


def _letters_exchanged(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    line = lines[place]
    if len(line) > 1:
        at = random.randrange(len(line) - 1)
        lines[place] = line[:at] + line[at + 1] + line[at] + line[at + 2 :]


def _stretch_moved(lines: Lines, random: Random) -> None:
    start = _place(lines, random)
    stretch = lines[start : start + random.randint(1, 8)]
    del lines[start : start + len(stretch)]
    at = random.randint(0, len(lines))
    lines[at:at] = stretch


@cache
def _sections() -> tuple[Lines, ...]:
    """Every section of the shipped files, and every example of a page, with its options."""
    found: list[Lines] = []
    for text in (*shipped(), *(example_text(kind) for group in GROUPS for kind in sections(group).values())):
        for line in text.splitlines():
            if line.startswith("["):
                found.append([line])
            elif line.startswith("{"):
                found.append([])
            elif found and found[-1]:
                found[-1].append(line)
    return tuple(section for section in found if section)


def _section_of_another(lines: Lines, random: Random) -> None:
    """At a header, where it may be meant; also one of another group."""
    headers = [place for place, line in enumerate(lines) if line.startswith("[")] or [0]
    place = random.choice(headers)
    lines[place:place] = random.choice(_sections())


def _group_of_another(lines: Lines, random: Random) -> None:
    text = random.choice(shipped())
    starts = [
        place for place, line in enumerate(text.splitlines()) if line.startswith("{") and " " not in line
    ]
    if starts:
        start = random.choice(starts)
        end = next((other for other in starts if other > start), None)
        lines += text.splitlines()[start:end]


def _number_at_a_limit(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    lines[place] = re.sub(
        r"\d+(\.\d+)?", lambda _: random.choice(LIMITS), lines[place], count=random.randint(1, 3)
    )


def _alike_letter(lines: Lines, random: Random) -> None:
    place = _place(lines, random)
    at = random.randint(0, len(lines[place]))
    lines[place] = lines[place][:at] + random.choice(ALIKE) + lines[place][at + random.randint(0, 1) :]


def _reference_crossed(lines: Lines, random: Random) -> None:
    """A word of one value in the place of a word of another."""
    words = re.findall(r"[A-Za-z_]\w*", "\n".join(line.partition("=")[2] for line in lines))
    place = _place(lines, random)
    key, equals, value = lines[place].partition("=")
    if equals and words:
        lines[place] = key + equals + re.sub(r"[A-Za-z_]\w*", random.choice(words), value, count=1)


CHANGES: tuple[Change, ...] = (
    _section_of_another, _section_of_another, _group_of_another, _number_at_a_limit, _alike_letter, _reference_crossed,
    _without_line, _line_twice, _lines_exchanged, _line_more, _other_value, _other_value, _value_of_another,
    _other_letters, _other_letters, _letters_exchanged, _stretch_moved,
)  # fmt: skip
