"""Pass: the folder of `--data` takes the place of a program's source of data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from netcfg.blocks.registry import find, sections
from netcfg.blocks.sources.base import Found, Source
from netcfg.blocks.transforms.base import DataStep
from netcfg.blocks.values import quoted, show_value
from netcfg.passes.collect import Parts
from netcfg.passes.schema import check_section
from netcfg.passes.variables import Variables, VariableScope
from netcfg.source import Finding, NetcfgError, SourceFile, shown_path
from netcfg.syntax import Group, Option, Section, parse

Labels = Mapping[str, Sequence[str]]
"""The names of labels by field, in the order in which networks were trained on them."""

_LOOKED_INTO = 10
"""So many folders in a folder that nobody reads are asked about."""


@dataclass(frozen=True)
class Recognised:
    """A source that reads a folder, and how."""

    source: type[Source]
    found: Found


def read_from_folder(
    parts: Parts,
    folder: str,
    findings: list[Finding],
    labels: Labels | None = None,
    asks_own: bool = True,
) -> tuple[str, ...]:
    """Put a folder in the place of the source: of a source of such folders only the places change, others are replaced.

    What the labels are, folds and sizes carry over where the new source has such options. Gives the fields that lack
    for want of a file there, of which a finding says everything. With `labels`, the names that networks were trained on
    by field, those of the data are matched with them (see `[match_labels]`). The source before is asked first, but for
    one that only came with a shipped part (not `asks_own`).
    """
    everything = parts.reserved.get("Data", [])
    several = [section for section in everything if own_source(section) is not None]
    written, where, name = everything, folder, None
    if len(several) > 1:
        name, where = _one_of_several(folder, several, findings)
        if name is None:
            return ()
        own = next(section for section in several if _name(section) == name)
        # As though it were the only one; the others are put back behind it.
        written = [own, *(section for section in everything if own_source(section) is None)]
    place = Path(where).expanduser()
    try:
        recognised = source_of(place, own_source(written[0]) if written and asks_own else None)
    except NetcfgError as refusal:
        message, _, help = str(refusal).partition("\nhelp: ")
        findings.append(Finding("NC502", f"`--data {folder}`: {message}", help=help))
        return ()
    if not written:
        message = f"{parts.name} reads no data that `--data` could replace"
        help = f"add a group {{Data}} with a source, such as [{recognised.source.type_name}]"
        if not recognised.source.trains_alone:
            name = recognised.source.type_name
            message = (
                f"{parts.name} says nothing of data, and {folder}, read by [{name}], tells no task by itself"
            )
            help = f"add {{Data}} with [{name}], {{Loss}} and {{Optimizer}}, or bring the folder into another order: "
            help += "a folder for each class, or a list"
        if recognised.source.trains_alone and len(parts.networks) > 1:
            help = "of several networks say how they are trained: {Data}, {Model}, {Loss} and {Optimizer}"
        findings.append(Finding("NC403", message, help=help))
        return ()
    before, found = written[0], recognised.found
    if before.name == recognised.source.type_name:
        options = _kept(before, recognised, place)
    else:
        options = _carried(
            before, recognised, is_resized=any(section.name == "resize" for section in written)
        )
    if name is not None and not any(line.startswith("name = ") for line in options):
        options = [*options, f"name = {name}"]
    matching: Sequence[Section] = ()
    if name is not None and labels:
        labels = _labels_of(name, several, labels)
    if labels:
        try:
            options = _common_units(options, recognised.source, labels)
        except NetcfgError as refusal:
            message, _, help = str(refusal).partition("\nhelp: ")
            findings.append(Finding("NC506", f"`--data {folder}`: {message}", help=help))
            return ()
        matching = _matching(labels, f"--data {folder}", findings, name)
    sections = data_sections(recognised, options, f"--data {folder}", findings)
    # Behind what adds to the source's samples, which stands right below it.
    first = next((place for place, one in enumerate(written[1:], 1) if not _extends(one)), len(written))
    made = [*sections, *written[1:first], *matching, *written[first:]]
    if name is not None:
        # In their old order, as the first source's epochs count.
        sources = [sections[0] if section is written[0] else section for section in several]
        made = [*sources, *made[1:]]
    parts.reserved["Data"] = made
    if found.lacks is None:
        return ()
    message, help = found.lacks
    findings.append(Finding("NC502", f"`--data {folder}`: {message}", help=help, severity="warning"))
    return found.lacking


def _name(section: Section) -> str | None:
    option = section.option("name")
    return option.value if option else None


def _one_of_several(
    asked: str, several: Sequence[Section], findings: list[Finding]
) -> tuple[str | None, str]:
    """The source that `NAME=FOLDER` names, and the folder; None and a finding where there is no such."""
    names = [name for section in several if (name := _name(section)) is not None]
    name, equals, folder = asked.partition("=")
    if equals and name in names:
        return name, folder
    message = f"`--data {asked}` does not say which of {len(several)} sources it is for"
    help = " or ".join(f"`--data {known}={folder or asked}`" for known in names)
    findings.append(Finding("NC502", message, help=help))
    return None, asked


def source_of(folder: Path, own: type[Source] | None = None) -> Recognised:
    """Which source reads a folder: a program's own, or else one that is sure of it, or one that its content would suit.

    Errors: `NetcfgError` for a folder that is not there, that nobody reads, or that several read equally well.
    """
    is_file = folder.is_file() and any(kind.takes_files for kind in sources())
    if not folder.is_dir() and not is_file:
        raise NetcfgError(
            f"there is no folder {shown_path(folder)}\nhelp: paths count from where netcfg is started",
            code="NC802",
        )
    if own is not None and (own.takes_files or not is_file) and (found := own.reads(folder)):
        return Recognised(own, found)
    asked = [kind for kind in sources() if kind.takes_files or not is_file]
    claims = [claim for kind in asked if (claim := _claim(kind, folder))]
    sure = [claim for claim in claims if claim.found.is_sure]
    best = sure or claims
    if len(best) == 1:
        return best[0]
    if best:
        names = sorted(f"[{claim.source.type_name}]" for claim in best)
        raise NetcfgError(
            f"{shown_path(folder)} looks like a folder of {' and of '.join(names)}\n"
            f"help: write the one that is meant as the source, {names[0]} for instance: a program's own is asked first",
            code="NC502",
        )
    if own is not None and own.places and not is_file:
        return Recognised(own, Found({own.places[0]: str(folder)}))
    raise NetcfgError(_nobody(folder), code="NC506")


def sources() -> list[type[Source]]:
    """All kinds of sources, shipped ones first."""
    return [kind for kind in sections("data").values() if issubclass(kind, Source)]


def own_source(section: Section) -> type[Source] | None:
    """The kind of source a section is, if any."""
    kind = find("data", section.name)
    return kind if kind is not None and issubclass(kind, Source) else None


def _claim(kind: type[Source], folder: Path) -> Recognised | None:
    found = kind.recognise(folder)
    return None if found is None else Recognised(kind, found)


def _nobody(folder: Path) -> str:
    if folder.is_file():
        looks = "; ".join(f"[{kind.type_name}] {kind.looks_like}" for kind in sources() if kind.takes_files)
        return f"{shown_path(folder)} is a file that no source reads\nhelp: files are read by {looks}"
    looks = "; ".join(f"[{kind.type_name}] {kind.looks_like}" for kind in sources() if kind.looks_like)
    for inner in sorted(place for place in folder.iterdir() if place.is_dir())[:_LOOKED_INTO]:
        claims = [claim for kind in sources() if (claim := _claim(kind, inner))]
        if len(claims) == 1:  # an archive that was unpacked into a folder of its name
            return (
                f"{shown_path(folder)} looks like the folder of no source\n"
                f"help: {shown_path(inner)} looks like one of [{claims[0].source.type_name}]: `--data {inner}`"
            )
    return (
        f"{shown_path(folder)} looks like the folder of no source\n"
        f"help: a folder is known by what lies in it: {looks}"
    )


def data_sections(
    recognised: Recognised, options: Iterable[str], name: str, findings: list[Finding]
) -> Sequence[Section]:
    """The section of a source that reads a folder, as it would be written; `options` win over those found."""
    written = list(options)
    taken = {line.partition(" = ")[0] for line in written}
    places = recognised.source.places
    lines = [
        f"{key} = {quoted(value).replace('$', '$$') if key in places else value}"
        for key, value in recognised.found.options.items()
        if key not in taken
    ]
    text = "\n".join(["{Data}", f"[{recognised.source.type_name}]", *lines, *written, ""])
    group = parse(SourceFile(name, text), findings).items[0]
    assert isinstance(group, Group)
    return group.sections


def checked_source(
    recognised: Recognised, options: Iterable[str], name: str, findings: list[Finding]
) -> Source | None:
    """The source that reads a folder by itself, without a program around it; None where something is wrong with it."""
    (section,) = data_sections(recognised, options, name, findings)
    section = VariableScope(Variables(findings)).replace(section)
    return check_section(section, recognised.source, findings)


def _extends(section: Section) -> bool:
    kind = find("data", section.name)
    return kind is not None and issubclass(kind, DataStep) and kind.extends_source


def _common_units(options: list[str], source: type[Source], labels: Labels) -> list[str]:
    """The options with those action units alone that the database labels. Raises `NetcfgError` where these are none."""
    trained = [name for names in labels.values() for name in names if name[2:].isdecimal()]
    if source.labelled is None or "action_units" not in source.model_fields or not trained:
        return options
    common = dict.fromkeys(name[2:] for name in trained if int(name[2:]) in source.labelled)
    if not common:
        raise NetcfgError(
            f"[{source.type_name}] labels none of {', '.join(dict.fromkeys(trained))}\n"
            f"help: it labels {', '.join(f'AU{unit}' for unit in source.labelled)}",
            code="NC506",
        )
    kept = [line for line in options if not line.startswith("action_units = ")]
    return [*kept, f"action_units = {', '.join(common)}"]


def _labels_of(name: str, several: Sequence[Section], labels: Labels) -> Labels:
    """Those of one of several sources, by its own fields: side by side they are `NAME.field`, the first's bare."""
    if not any("." in field for field in labels):  # joined: all have the same
        return labels
    own = {
        field.removeprefix(f"{name}."): names
        for field, names in labels.items()
        if field.startswith(f"{name}.")
    }
    bare = {field: names for field, names in labels.items() if "." not in field}
    return {**bare, **own} if name == _name(several[0]) else own


def _matching(labels: Labels, place: str, findings: list[Finding], source: str | None) -> Sequence[Section]:
    """What brings the labels of the data into the order of those trained on; of one `source` of several."""
    lines = ["{Data}"]
    for field, names in labels.items():
        lines += ["[match_labels]", f"labels = {field}", f"names = {', '.join(names)}"]
        lines += [f"source = {source}"] if source is not None else []
    group = parse(SourceFile(place, "\n".join([*lines, ""])), findings).items[0]
    assert isinstance(group, Group)
    return group.sections


def _kept(section: Section, recognised: Recognised, place: Path) -> list[str]:
    """The options of a source that stays, but for where its data lie; of these, what is also in the new place."""
    first, *others = recognised.source.places or ("",)
    replaced = {first, *recognised.found.options}
    return [
        _line(option, option.key)
        for option in section.options
        if option.key not in replaced and (option.key not in others or _is_there_too(option.value, place))
    ]


def _is_there_too(written: str, place: Path) -> bool:
    """Whether a file or folder of this name is below the new place, or that place is in this folder."""
    folder = Path(written).expanduser()
    if not folder.is_absolute() and (place / folder).exists():
        return True
    return folder.is_dir() and place.resolve().is_relative_to(folder.resolve())


def _carried(section: Section, recognised: Recognised, is_resized: bool) -> list[str]:
    """The options of another source that mean the same in the new one; no size where [resize] says it anyway."""
    before = own_source(section)
    others = {} if before is None else before.called_otherwise
    wanted = {*recognised.source.carries, *recognised.found.adopts}
    if is_resized:
        wanted.discard("image_size")
    lines = {
        key: _line(option, key)
        for option in section.options
        if (key := others.get(option.key, option.key)) in wanted
    }
    for key in recognised.found.adopts:  # what is needed and was left to its default there
        if key not in lines and before is not None and key in before.model_fields:
            lines[key] = f"{key} = {show_value(before.model_fields[key].default)}"
    return list(lines.values())


def _line(option: Option, key: str) -> str:
    return f"{key} = {option.value}"
