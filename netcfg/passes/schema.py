"""Pass: a section as written becomes a checked section, typed by its schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from netcfg.blocks.base import Block, Mistake
from netcfg.blocks.base import Section as Checked
from netcfg.blocks.formula_text import FormulaError
from netcfg.blocks.section import MAX_NAME
from netcfg.faults import failing
from netcfg.passes.collect import DefaultsUse
from netcfg.passes.misplaced import place_of, place_of_foreign
from netcfg.passes.structure import STRUCTURE
from netcfg.source import Finding, Note, Severity, Span, did_you_mean, nearest
from netcfg.spelling import is_slip
from netcfg.syntax import Option, Section
from netcfg.vocabulary import meant
from netcfg.words import to_write

Kind = TypeVar("Kind", bound=Checked)
_OURS = "netcfg.blocks."


def check_section(section: Section, kind: type[Kind], findings: list[Finding]) -> Kind | None:
    """The section by its schema, or None where something is wrong with it (all of it is reported)."""
    if section.malformed:
        return None
    before = len(findings)
    values = _values(section, kind, findings)
    if len(findings) == before:
        try:
            checked = kind.model_validate(values)
        except ValidationError as error:
            _report_invalid(error, section, kind, values, findings)
            return None
        except Exception as error:  # a validator of an author's own
            findings.append(failing(kind, error, "the check of its options", section.span))
            return None
        checked.place(section.span)
        _report_conflict(checked, section, findings)
    else:
        _report_missing(section, kind, findings, before)
    return (
        checked
        if len(findings) == before or all(f.severity == "warning" for f in findings[before:])
        else None
    )


class DefaultOption(Option):
    """An option of a block that stands in a `[defaults]`."""

    __slots__ = ()

    @property
    def span(self) -> Span:
        """The key with the block type before it, as it is written."""
        start = super().span
        return start._replace(length=len(self.file.line(self.line).partition("=")[0].strip()))

    @property
    def place(self) -> tuple[int, int, str]:
        """What tells it from others: its line."""
        return id(self.file), self.line, self.key


@dataclass(slots=True, eq=False, repr=False)
class Checker:
    """Checks the blocks of one network. Large ones are made of few kinds of blocks: what is written like an earlier one
    is a copy of that but for its name, and is not read and validated again.
    """

    findings: list[Finding]
    defaults: DefaultsUse
    _kin: dict[tuple[object, ...], int] = field(default_factory=dict)
    _checked: dict[int, Checked] = field(default_factory=dict)

    def check(self, section: Section, kind: type[Kind]) -> tuple[Kind | None, int]:
        """As `check_section`; and a number that blocks of one type have in common whose options say the same."""
        options = [(option.key, option.value) for option in section.options if option.key != "name"]
        kin = self._kin.setdefault((kind, *options), len(self._kin))
        known = self._checked.get(kin)
        # Two names are a mistake, which is told of each block.
        if known is not None and not section.malformed and len(section.options) - len(options) <= 1:
            assert isinstance(known, kind)
            return self._renamed(known, section) or check_section(section, kind, self.findings), kin
        before = len(self.findings)
        checked = check_section(section, kind, self.findings)
        defaults = [option for option in section.options if isinstance(option, DefaultOption)]
        if defaults:
            checked = self._by_default(checked, section, kind, defaults, before)
        # What is said of a block is said of each; what an author's class checks may hang on the name.
        if checked is not None and len(self.findings) == before and kind.__module__.startswith(_OURS):
            self._checked[kin] = checked
        return checked, kin

    def _by_default(
        self,
        checked: Kind | None,
        section: Section,
        kind: type[Kind],
        defaults: list[DefaultOption],
        before: int,
    ) -> Kind | None:
        """The block without those of its `[defaults]` that mean nothing beside its own options."""
        left_out: list[DefaultOption] = []
        if checked is None:
            said = self.findings[before:]
            # One by one before all at once: mostly a single default does not go with what the block says
            # itself.
            for tried in (*([option] for option in defaults), defaults):
                del self.findings[before:]
                rest = [option for option in section.options if option not in tried]
                checked = check_section(section.with_options(rest), kind, self.findings)
                if checked is not None:
                    left_out = tried
                    break
            else:
                self.findings[before:] = said
                return None
            for option in left_out:
                self.defaults.refused.setdefault(option.place, _by_default(option, said[0]))
        self.defaults.taken.update(option.place for option in defaults if option not in left_out)
        return checked

    @staticmethod
    def _renamed(known: Kind, section: Section) -> Kind | None:
        """A copy that is called and placed like this section; None where its name cannot be."""
        option = section.option("name")
        if option is None:
            copy = known.model_copy() if known.name is None else known.model_copy(update={"name": None})
        else:
            try:
                name = known.readers()["name"](option.value)
            except (KeyError, ValueError):
                return None
            if not option.value or (name is not None and len(name) > MAX_NAME):
                return None
            copy = known.model_copy(update={"name": name})
        copy.place(section.span)
        return copy


def _by_default(option: DefaultOption, said: Finding) -> Finding:
    """What is said of a default that no block takes."""
    message = f"no block takes this default: {said.message}"
    return Finding(
        said.code, message, option.span, (Note(said.span, "this one, for instance"),) if said.span else ()
    )


def _values(section: Section, kind: type[Checked], findings: list[Finding]) -> dict[str, Any]:
    """The options' values, read by type; unknown, repeated and unreadable ones are reported."""
    readers = kind.readers()
    values: dict[str, Any] = {}
    for option in section.options:
        key = option.key
        reader = readers.get(key)
        if reader is None and kind.takes_further:
            _take_further(option, section, values, findings)
        elif reader is None:
            findings.append(_unknown(option, section, kind))
        elif key in values:
            findings.append(_duplicate(option, section))
        elif option.value:
            try:
                values[key] = reader(option.value)
            except ValueError as error:
                # Noted all the same: a second one is written twice, whatever is wrong with the first.
                values[key] = None
                findings.append(_unreadable(option, error, reader))
    return values


def _take_further(option: Option, section: Section, values: dict[str, Any], findings: list[Finding]) -> None:
    """A key that the section itself makes sense of."""
    further: dict[str, str] = dict(values.get("further", ()))
    if option.key in further:
        findings.append(_duplicate(option, section))
    elif option.value:
        values["further"] = (*further.items(), (option.key, option.value))


def _unreadable(option: Option, error: ValueError, reader: Callable[[str], object]) -> Finding:
    message = f"`{option.key}` must be {error}"
    if isinstance(error, FormulaError):
        span = option.item_span(error.item) if error.item else option.value_span
        return Finding("NC105", message, span, help=error.help)
    bare = option.value.strip("'\"()[] ")
    help: str | None
    is_wrapped = bare != option.value and "$" not in bare and bool(bare)
    if is_wrapped:
        help = f"write it bare, without quotes or brackets: `{option.key} = {bare}`"
    else:
        help = _rewritten(option, reader)
    return Finding("NC105", message, option.value_span, help=help)


def _rewritten(option: Option, reader: Callable[[str], object]) -> str | None:
    """The value as its option would read it, where it is written as another language writes one."""
    value = option.value
    further = _SECOND_OPTION.fullmatch(value)
    if further:
        value = further[1]
    for text in _other_writings(value):
        try:
            reader(text)
        except ValueError:
            continue
        more = f", and `{further[2]}` on a line of its own" if further else ""
        return f"write `{option.key} = {text}`{more}"
    return None


def _other_writings(value: str) -> Iterator[str]:
    """What a value could say without the marks of another language."""
    if "$" in value:
        return
    yield from (value, value.partition("//")[0].strip(), value.strip("=;,: \t"), value.strip("'\"()[] "))
    yield ", ".join(re.split(r"[\s,;x×]+", value))
    yield _WORDS_FOR_VALUES.get(value.lower(), "")
    if value.endswith("%"):
        try:
            yield f"{float(value[:-1]) / 100:g}"
        except ValueError:
            return
    number = _WITH_UNIT.fullmatch(value)
    if number:
        yield number[1]


# A value that ends in no blank, so that a long run of them is gone through once and not for each of its places.
_SECOND_OPTION = re.compile(r"([^=,;]*[^=,;\s])(?:\s*[,;]\s*|\s+)([A-Za-z_]\w*\s*=.*)")
_WITH_UNIT = re.compile(
    r"([+-]?[\d.]+)\s*(?:px|pixels?|epochs?|batch(?:es)?|samples?|frames?|steps?|s|sec|seconds?)", re.I
)
_WORDS_FOR_VALUES = {
    **dict.fromkeys(("on", "enabled", "enable", "t", "y"), "True"),
    **dict.fromkeys(("off", "disabled", "disable", "f", "n"), "False"),
    **dict.fromkeys(("null", "nil", "~", "undefined", "nan"), "None"),
}


def _unknown(option: Option, section: Section, kind: type[Checked]) -> Finding:
    message = f"`{section.name}` has no option `{option.key}`"
    known = _options_of(kind)
    near = nearest(option.key, known)
    help = (
        kind.elsewhere.get(option.key)
        or meant(option.key, "option", known)
        or (None if near and is_slip(option.key, near) else place_of(option.key, kind))
        or (f"did you mean `{near}`?" if near else None)
        or place_of_foreign(option.key, kind)
        or did_you_mean(option.key, known)
        or f"`netcfg blocks {section.name}` lists its options"
    )
    return Finding("NC103", message, option.span, help=help)


@cache
def _options_of(kind: type[Checked]) -> Mapping[str, object]:
    """All that may be written in such a section. Kept, for what looks names up in it prepares them once."""
    known: dict[str, object] = dict(kind.readers())
    if issubclass(kind, Block) and kind.type_name not in ("input", "output"):
        known |= dict.fromkeys(sorted(STRUCTURE))
    return known


def _duplicate(option: Option, section: Section) -> Finding:
    first = section.option(option.key)
    assert first is not None
    notes = (Note(first.span, "first here"),)
    return Finding(
        "NC106", f"`{option.key}` is written twice", option.span, notes, help="take one of them out"
    )


def _report_missing(section: Section, kind: type[Checked], findings: list[Finding], before: int) -> None:
    written = {option.key for option in section.options}
    for option in section.options:  # `filters = 4, kernel_size = 3`: said at the value
        further = _SECOND_OPTION.fullmatch(option.value)
        written |= set(re.findall(r"(\w+)\s*=", further[2])) if further else set()
    missing = [key for key in kind.required_options() if key not in written]
    # An unknown option that is nearly a missing one is the same mistake, reported once.
    unknown = [finding for finding in findings[before:] if finding.code == "NC103"]
    missing = [key for key in missing if not any(f"`{key}`?" in (finding.help or "") for finding in unknown)]
    if missing:
        findings.append(_missing(section, missing))


def _missing(section: Section, keys: list[str]) -> Finding:
    names = " and ".join(f"`{key}`" for key in keys)
    return Finding("NC104", f"`{section.name}` needs {names}", section.span, help=to_write(keys))


def _report_invalid(
    error: ValidationError,
    section: Section,
    kind: type[Checked],
    values: Mapping[str, object],
    findings: list[Finding],
) -> None:
    """Missing options together, then each value outside its range."""
    details = error.errors(include_url=False, include_context=True, include_input=True)
    missing = [str(detail["loc"][0]) for detail in details if detail["type"] == "missing"]
    if missing:
        findings.append(_missing(section, missing))
    reported: set[str] = set()
    for detail in details:
        if detail["type"] == "missing":
            continue
        if not detail["loc"]:  # of options taken together
            findings.append(Finding("NC105", f"`{section.name}` {detail['msg']}", section.span))
            continue
        key = str(detail["loc"][0])
        option = section.option(key)
        if key not in reported:
            reported.add(key)
            found = option.value if option else detail["input"]
            span = option.value_span if option else section.span
            help = _rewritten(option, _validating(key, kind, values)) if option else None
            message = f"`{key}` must be {bound(detail)}, found `{found}`"
            findings.append(Finding("NC105", message, span, help=help))


def _validating(key: str, kind: type[Checked], values: Mapping[str, object]) -> Callable[[str], object]:
    """Reads one option, and lets the section's own validators look at it; raises ValueError."""

    def read(text: str) -> object:
        try:
            return kind.model_validate({**values, key: kind.readers()[key](text)})
        except Exception as error:  # a validator of an author's own
            raise ValueError(str(error)) from error

    return read


def bound(detail: Any) -> str:
    """What an option must be, by what pydantic says of a value outside: "at least 1"."""
    context = detail.get("ctx", {})
    words = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    for key, phrase in words.items():
        if key in context:
            return f"{phrase} {context[key]}"
    if "max_length" in context:
        return f"at most {context['max_length']} characters or items long"
    return str(detail["msg"])


def _told(mistake: Mistake, section: Section) -> Finding:
    option = section.option(mistake.key) if mistake.key is not None else None
    span = section.span if option is None else option.value_span if mistake.of_value else option.span
    return Finding(mistake.code, mistake.message, span, help=mistake.help)


def _report_conflict(checked: Checked, section: Section, findings: list[Finding]) -> None:
    conflict = checked.conflict()
    if conflict:
        # Many say it in the sentence.
        says = any(word in conflict for word in (": write ", ": leave ", ", write "))
        help = None if says else f"`netcfg blocks {section.name}` says how its options go together"
        findings.append(Finding("NC105", f"`{section.name}` {conflict}", section.span, help=help))
        return
    if checked.takes_further:
        findings.extend(_told(mistake, section) for mistake in checked.further_mistakes())
    said: tuple[tuple[Severity, dict[str, tuple[str, str, str]]], ...] = (
        ("error", checked.mistakes()),
        ("warning", checked.doubts()),
    )
    for severity, found in said:
        for key, (code, message, help) in found.items():
            option = section.option(key)
            span = option.value_span if option else section.span
            findings.append(Finding(code, message, span, help=help, severity=severity))
