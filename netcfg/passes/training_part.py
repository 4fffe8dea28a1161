"""Pass: a file that says nothing of data is given the shipped part that trains a network on a folder's pictures.

`netcfg train net.cfg --data flowers` is then the same as training a file that includes both. What the file says wins:
a group that it has is not added, a variable of it keeps its value. Only the number of its `classes` is the data's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.sources.base import Source
from netcfg.passes.collect import RESERVED_GROUPS, TABLE_KEYWORD, TEMPLATE_KEYWORD
from netcfg.passes.data_folder import Recognised, checked_source, source_of
from netcfg.passes.read import ReadGroup, Reading, read_file, shipped_folder
from netcfg.source import Finding, NetcfgError, SourceFile, shown_path
from netcfg.syntax import Group, parse

BEHIND, BEFORE = 1_000, -1
"""Depths of what is added: all that a file says goes before the part, and what the data say before all but a preset."""
TRAINING = "training"


def add_training(reading: Reading, folder: str) -> str | None:
    """Add to a file of one network, without {Data}, the part for such a folder; in words what was done, if anything."""
    names = {read.group.name for read in reading.groups}
    networks = [read.group for read in reading.groups if _is_network(read.group)]
    if "Data" in names or len(networks) != 1:
        return None
    place = Path(folder).expanduser()
    try:
        recognised = source_of(place)
    except NetcfgError:  # for `data_folder` to say
        return None
    if not recognised.source.trains_alone:
        return None
    source = _opened(recognised, folder)  # None: what is wrong with it is found where it stands
    fields = {} if source is None else source.fields()
    target = _target(fields)
    if source is not None and target is None:
        return None
    of_clips = any(spec.kind == "image" and len(spec.shape) == 4 for spec in fields.values())
    trained_by = _part_for(None if target is None else fields[target], of_clips)
    part = _read(shipped_folder() / trained_by)
    if part is None:
        return None
    has_training = any(
        section.name == TRAINING
        for read in reading.groups
        if read.group.name == "General"
        for section in read.group.sections
    )
    classes = None if target is None else _count(fields[target])
    for group in part:
        if group.name == "General" and has_training:
            group.sections = [section for section in group.sections if section.name != TRAINING]
        if group.name == "General" or group.name not in names:
            reading.groups.append(ReadGroup(group, BEHIND))
    said = [f"network = {networks[0].name}", f"answer = {_answer(networks[0])}"]
    if target is not None:
        said.append(f"target = {target}")
        said += [f"known = has_{target}"] if f"has_{target}" in fields else []
    if classes is not None and _declares(reading, "classes"):
        said.append(f"classes = {classes}")
    size = _side(networks[0])
    _add_variables(reading, said, folder, BEFORE)
    if size is not None and not _declares(reading, "image_size", BEHIND):
        _add_variables(reading, [f"image_size = {size}"], folder, BEHIND - 1)
    of = "" if target is None else f" ({_in_words(target, fields[target])})"
    return (
        f"{reading.name} says nothing of data: `{networks[0].name}` is trained on {shown_path(place)}{of} as "
        f"{trained_by} says; `--set` changes {_changeable(reading, part)}"
    )


def _target(fields: Mapping[str, FieldSpec]) -> str | None:
    """What a network is to tell of a picture: a class, else a mask, labels, a number, another picture."""
    kinds: Sequence[Callable[[FieldSpec], bool]] = (
        lambda spec: spec.kind == "class" and bool(spec.names),
        lambda spec: spec.kind == "mask" and bool(spec.names),
        lambda spec: (
            spec.kind == "vector" and len(spec.shape) == 1 and spec.shape != (1,) and bool(spec.names)
        ),
        lambda spec: spec.kind == "vector" and spec.shape == (1,),
        lambda spec: spec.kind == "image" and len(spec.shape) == 3,
    )
    asked = {name: spec for name, spec in fields.items() if name != "image" and not name.startswith("has_")}
    return next((name for fits in kinds for name, spec in asked.items() if fits(spec)), None)


def _part_for(spec: FieldSpec | None, of_clips: bool) -> str:
    if of_clips:
        return "parts/clip_classes.cfg"
    if spec is None or spec.kind == "class":
        return "parts/image_classes.cfg"
    if spec.kind == "mask":
        return "parts/image_masks.cfg"
    if spec.kind == "image":
        return "parts/image_pictures.cfg"
    return "parts/image_numbers.cfg" if spec.shape == (1,) else "parts/image_labels.cfg"


def _count(spec: FieldSpec) -> int:
    """How many numbers a network gives for it: of each pixel, for a mask or a picture."""
    return len(spec.names) if spec.kind in ("class", "mask") else int(str(spec.shape[0]))


def _in_words(target: str, spec: FieldSpec) -> str:
    count = _count(spec)
    if spec.kind == "image":
        return f"the pictures `{target}`"
    if spec.kind == "vector":
        return f"the number `{target}`" if count == 1 else f"{count} labels"
    return "one class" if count == 1 else f"{count} classes"


def _changeable(reading: Reading, part: Sequence[Group]) -> str:
    """What a person may want otherwise in a part: its numbers, as they are where no option changes them."""
    numbers = {name: value for name, value in _variables(part) if value[:1].isdigit()}
    for read in sorted(reading.groups, key=lambda one: -one.depth):
        numbers |= {name: value for name, value in _variables([read.group]) if name in numbers}
    return ", ".join(f"{name} = {value}" for name, value in numbers.items())


def _variables(groups: Sequence[Group]) -> Iterator[tuple[str, str]]:
    """What groups say of variables, in their order."""
    for group in groups:
        for section in group.sections if group.name == "General" else ():
            if section.name == "variables":
                yield from ((option.key, option.value) for option in section.options)


def _is_network(group: Group) -> bool:
    keyword = group.name.split()[:1]
    if group.name in RESERVED_GROUPS or keyword in ([TEMPLATE_KEYWORD], [TABLE_KEYWORD]):
        return False
    return bool(group.sections) and group.sections[0].name == "net"


def _opened(recognised: Recognised, folder: str) -> Source | None:
    return checked_source(recognised, (), f"--data {folder}", [])


def _read(path: Path) -> list[Group] | None:
    findings: list[Finding] = []
    text = read_file(path, findings)
    if text is None:
        return None
    items = parse(SourceFile(shown_path(path), text), findings).items
    return [item for item in items if isinstance(item, Group)]


def _declares(reading: Reading, name: str, before: int | None = None) -> bool:
    """Whether a variable is declared, by something of a smaller depth."""
    return any(
        section.name == "variables" and section.option(name) is not None
        for read in reading.groups
        if read.group.name == "General" and (before is None or read.depth < before)
        for section in read.group.sections
    )


def _add_variables(reading: Reading, lines: list[str], folder: str, depth: int) -> None:
    text = "\n".join(["{General}", "[variables]", *lines, ""])
    (group,) = parse(SourceFile(f"--data {folder}", text), []).items
    assert isinstance(group, Group)
    reading.groups.append(ReadGroup(group, depth))


def _answer(network: Group) -> str:
    """What losses and metrics call what it gives first; further outputs, which some networks train by, stay out."""
    output = next((section for section in network.sections if section.name == "output"), None)
    option = output.option("name") if output is not None else None
    return network.name if option is None else f"{network.name}.{option.value}"


def _side(network: Group) -> str | None:
    """The height of a network's pictures, where it is written as a number."""
    written = (section.option("height") for section in network.sections if section.name in ("net", "input"))
    option = next(filter(None, written), None)
    return option.value if option is not None and option.value.isdigit() else None
