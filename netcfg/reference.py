"""The reference pages of all section types, generated from their schemas and docstrings."""

from __future__ import annotations

import inspect

from netcfg.blocks.base import Block, Section
from netcfg.blocks.registry import GROUPS, find, sections
from netcfg.codes import CODES, Code
from netcfg.counterparts import COUNTERPARTS
from netcfg.explained import EXPLANATIONS
from netcfg.explained.explanation import CHECK
from netcfg.extensions import read_packages
from netcfg.index import GROUP_TITLES, families, tasks_markdown
from netcfg.keys import keys_line, keys_markdown
from netcfg.source import shown_text
from netcfg.summary import aligned


def find_section(name: str) -> tuple[list[type[Section]], list[str]]:
    """The section types of that name (one per group at most), and all known names."""
    read_packages()
    wanted = name.strip("[]")
    known = sorted({name for group in GROUPS for name in sections(group)})
    pages = [found for group in GROUPS if (found := find(group, wanted))]
    return pages or [kind for kind in schedules() if kind.type_name == wanted], known


def schedules() -> list[type[Section]]:
    """The schedules of optimizers: no sections, as their options stand in those of optimizers, but with pages."""
    sections("optimizer")
    from netcfg.blocks.optimizers.schedules import SCHEDULES

    return list(SCHEDULES.values())


def page_text(section: type[Section]) -> str:
    """The page of a section type for a terminal."""
    rows = [("option", "type", "default", "meaning")]
    rows += [
        (key, kind.replace("\\|", "|"), default, meaning)
        for key, kind, default, meaning in section.option_rows()
    ]
    said = elsewhere(section)
    parts = [title_of(section), "", section.describe(), "", *([said, ""] if said else []), *aligned(rows)]
    parts += ["", keys_line()] if takes_keys(section) else []
    return "\n".join([*parts, "", origin(section)])


def takes_keys(section: type[Section]) -> bool:
    """Whether the keys of every block (`netcfg.keys`) stand on it, too."""
    return issubclass(section, Block) and section.type_name not in ("input", "output")


def elsewhere(section: type[Section]) -> str:
    """The sentence that says what PyTorch and Keras call a section; nothing of one that netcfg does not ship."""
    known = COUNTERPARTS[section.group].get(section.type_name)
    return known.sentence() if known and _is_shipped(section) else ""


def title_of(section: type[Section]) -> str:
    """How it is written: `[adam]`, `schedule = cosine`."""
    return f"schedule = {section.type_name}" if section.family == "schedule" else f"[{section.type_name}]"


def page_markdown(section: type[Section]) -> str:
    """The page of a section type for `cfg/README.md`."""
    rows = ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{key}` | {kind} | {_code(default)} | {meaning} |"
        for key, kind, default, meaning in _own_rows(section)
    ]
    table = rows if len(rows) > 2 else ["No options of its own."]
    said = elsewhere(section)
    parts = [f"### `[{section.type_name}]`", "", _markdown(section.describe()), ""]
    return "\n".join([*parts, *([said, ""] if said else []), *table, ""])


def _schedule_markdown(kind: type[Section]) -> str:
    return page_markdown(kind).replace(f"### `[{kind.type_name}]`", f"##### `schedule = {kind.type_name}`", 1)


def common_options_markdown() -> str:
    """The options that every block of a network has, as a table."""
    rows = ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{key}` | {kind} | {_code(default)} | {meaning} |"
        for key, kind, default, meaning in Block.option_rows()
    ]
    return "\n".join(rows)


def code_text(code: Code) -> str:
    """The page of a code for a terminal: cause, a wrong example, the right one, what to do."""
    known = EXPLANATIONS[code.id]
    parts = [f"{code.id} {code.name}: {code.meaning}", f"What to do: {known.remedy}"]
    parts += [known.given] if known.given else []
    if known.frame:
        of = "" if known.command == CHECK and not known.given else f", in {known.file}, by `{known.command}`"
        wrong, right = known.wrong_text, known.right_text
    else:
        of, wrong, right = "", known.wrong_command, known.right_command
    parts += [f"Wrong{of}:\n\n{_indented(wrong)}", f"Right:\n\n{_indented(right)}"]
    parts += [f"More: {code.guide}"] if code.guide else []
    return shown_text("\n\n".join(parts), lines=True)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip("\n").split("\n"))


def codes_markdown() -> str:
    """All codes as a table, with the lines that give each and those that do not."""
    rows = [
        "## The codes of findings\n",
        "`netcfg explain CODE` shows whole files. What only data, a run or a command line shows has two commands.\n",
        "| code | cause | wrong | right | what to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    for code in CODES.values():
        known = EXPLANATIONS[code.id]
        shown = (known.wrong, known.right) if known.frame else (known.wrong_command, known.right_command)
        wrong, right = map(_in_cell, shown)
        rows.append(
            f"| {code.id} {code.name} | {code.meaning} | {wrong} | {right} | {known.remedy} |".replace(
                "  ", " "
            )
        )
    return "\n".join(rows) + "\n"


def _in_cell(text: str) -> str:
    lines = shown_text(text.strip("\n"), lines=True).split("\n")
    shown = [f"`{line}`" for line in lines[:4] if line] + ["…"] * (len(lines) > 4)
    return "<br>".join(shown) or "nothing"


def reference_markdown() -> str:
    """The codes and all pages, by group, as they stand at the end of `cfg/README.md`."""
    parts = [codes_markdown(), tasks_markdown()]
    for group in GROUPS:
        parts.append(f"## {GROUP_TITLES[group]}\n")
        if group == "network":
            parts += ["Every block has these options:\n", common_options_markdown() + "\n"]
            parts += [
                "These keys stand on every block and on every use of a template:\n",
                keys_markdown() + "\n",
            ]
        for _, members in families(group):
            parts += [page_markdown(section) for section in members if _is_shipped(section)]
        if group == "optimizer":
            parts.append("#### Schedules\n\nTheir options are written in the section of the optimizer.\n")
            parts += [_schedule_markdown(kind) for kind in schedules()]
    return "\n".join(parts)


def _is_shipped(section: type[Section]) -> bool:
    return section.__module__.startswith("netcfg.")


def _own_rows(section: type[Section]) -> list[tuple[str, str, str, str]]:
    common = Block.option_rows() if issubclass(section, Block) else []
    return [row for row in section.option_rows() if row not in common]


def _code(default: str) -> str:
    return "**required**" if default == "required" else f"`{default}`"


def _markdown(text: str) -> str:
    """A docstring as Markdown: the example becomes a code block, `Shapes:` and its like a paragraph each."""
    lines: list[str] = []
    in_example = False
    for line in text.splitlines():
        if line.startswith("Example::"):
            in_example = True
            lines += ["", "```ini"] if lines[-1:] != [""] else ["```ini"]
        elif in_example:
            if line.strip():
                lines.append(line.removeprefix("    "))
        else:
            starts = line.partition(":")[0] in ("Shapes", "Parameters", "Source", "Units", "Errors")
            lines += ["", line] if starts and lines[-1:] != [""] else [line]
    return "\n".join([*lines, "```"] if in_example else lines)


def origin(section: type[Section]) -> str:
    """Where a section type is defined."""
    try:
        line = inspect.getsourcelines(section)[1]
    except OSError:
        return f"defined in {section.__module__}"
    return f"defined in {section.__module__}, line {line}"
