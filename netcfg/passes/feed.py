"""Pass: `{Data}` becomes a source, its pipeline, and the fields they give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from netcfg.blocks.base import Section as Checked
from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec, Split
from netcfg.blocks.general.training import Training
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.registry import find
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.sources.base import Source
from netcfg.blocks.sources.joined import SOURCE_FIELD, Joined
from netcfg.blocks.transforms.base import PICTURES, DataStep, misplaced
from netcfg.blocks.values import IDENTIFIER, split_list
from netcfg.passes.collect import Parts
from netcfg.passes.reserved import Reserved
from netcfg.passes.sizes import BROKEN
from netcfg.program import Data, rows_of
from netcfg.source import Finding, Note, Span, did_you_mean, has_errors, shown_path
from netcfg.syntax import Section


class Chain(NamedTuple):
    """A source as it is written, and what changes its samples, in order."""

    written: Section
    steps: tuple[Section, ...]

    @property
    def name(self) -> str:
        """What the source is called; "" where nobody says."""
        option = self.written.option("name")
        return option.value if option else ""


def chains(reserved: Reserved) -> list[Chain]:
    """The sources of `{Data}`, each with what stands there for it: all blocks, or those that name it."""
    sections = [section for section in reserved.sections("Data") if not _is(section, Joined)]
    first, *rest = sections
    sources = [first, *(section for section in rest if _is(section, Source))]
    steps = [section for section in rest if not _is(section, Source)]
    return [
        Chain(
            source,
            tuple(
                step
                for step in steps
                if (option := step.option("source")) is None
                or len(sources) == 1
                or option.value == Chain(source, ()).name
            ),
        )
        for source in sources
    ]


def is_source(section: Section) -> bool:
    """Whether a section of `{Data}` is a source."""
    return _is(section, Source)


def _is(section: Section, kind: type[Checked]) -> bool:
    found = find("data", section.name)
    return found is not None and issubclass(found, kind)


def read_data(reserved: Reserved) -> Data | None:
    """The data of a program, or None where there are none or something in them is wrong."""
    sections, findings = reserved.sections("Data"), reserved.findings
    span = reserved.parts.spans.get("Data")
    if span is None:
        return None
    if not sections or all(_is(section, Joined) for section in sections):
        help = "write `[synthetic_faces]`"
        findings.append(Finding("NC403", "{Data} has no source", span, help=help))
        return None
    written = chains(reserved)
    # Each block once, though it may change the samples of several sources.
    checked: dict[int, Checked | None] = {}
    for section in sections:
        kind = DataStep
        if any(section is chain.written for chain in written):
            checked[id(section)] = reserved.checked(section, "data", Source)
        elif _is(section, Joined):
            checked[id(section)] = reserved.checked(section, "data", Joined)
        else:
            checked[id(section)] = reserved.checked(section, "data", kind)
    if any(section is None for section in checked.values()):
        return None
    if not _check_names(written, sections, findings):
        return None
    parts = []
    for chain in written:
        source = checked[id(chain.written)]
        steps = [(section, checked[id(section)]) for section in chain.steps]
        part = _part(chain, source, steps, span, findings)  # type: ignore[arg-type]  # as they were checked
        if part is None:
            return None
        parts.append(part)
    if len(parts) == 1:
        return parts[0]
    joined = next((one for one in checked.values() if isinstance(one, Joined)), None)
    return _together(parts, written, joined, span, reserved)


def _part(
    chain: Chain,
    source: Source,
    transforms: list[tuple[Section, DataStep]],
    span: Span,
    findings: list[Finding],
) -> Data | None:
    _check_order(transforms, findings)
    _check_extensions(chain.written, transforms, findings)
    _check_sampling(transforms, findings)
    fields = _pipeline(source, transforms, findings)
    if fields is None:
        return None
    return Data(source, tuple(transform for _, transform in transforms), fields, (), span, chain.name)


def _check_names(written: list[Chain], sections: list[Section], findings: list[Finding]) -> bool:
    """Whether several sources have names, each its own, and what names one names one that is there."""
    before = len(findings)
    names: dict[str, Section] = {}
    for chain in written if len(written) > 1 else ():
        section = chain.written
        option = section.option("name")
        if option is None:
            message = f"[{section.name}] is one of {len(written)} sources, and has no name"
            help = "write `name = labelled`, for instance: its fields are `labelled.image` and so on"
            findings.append(Finding("NC111", message, section.span, help=help))
        elif not IDENTIFIER.match(option.value):
            message = f"`{option.value}` cannot be a source's name"
            findings.append(
                Finding("NC111", message, option.value_span, help="letters, digits and `_`, no digit first")
            )
        elif option.value in names:
            notes = (Note(names[option.value].span, "the first"),)
            message = f"there are two sources called `{option.value}`"
            findings.append(Finding("NC107", message, option.value_span, notes, help="give one another name"))
        else:
            names[option.value] = section
    for chain in written:
        option = chain.written.option("splits")
        if option is not None and len(written) == 1:
            message = "`splits` is for one of several sources, and there is one"
            help = "leave it out: shares, folds or lists of the source say who is in which split"
            findings.append(Finding("NC105", message, option.span, help=help))
        elif option is not None and "train" not in split_list(option.value):
            message = f"nothing is trained on the source `{chain.name}`, which has no `train` split"
            help = "`splits = train, …`, or judge a run on other data: `netcfg eval RUN --data DIR`"
            findings.append(Finding("NC105", message, option.value_span, help=help))
    for section in sections:
        option = None if _is(section, Source) else section.option("source")
        if option is not None and option.value not in names and len(findings) == before:
            message = f"there is no source `{option.value}`"
            help = did_you_mean(option.value, names) or "give the source that `name`, or leave `source` out"
            findings.append(Finding("NC501", message, option.value_span, help=help))
    joined = [section for section in sections if _is(section, Joined)]
    if joined and len(written) == 1:
        message = "[joined] makes one batch of several sources, and there is one"
        findings.append(
            Finding("NC112", message, joined[0].span, help="leave it out, or add a source with a `name`")
        )
    if len(joined) > 1:
        findings.append(Finding("NC107", "[joined] is written twice", joined[1].span))
    return len(findings) == before


def _together(
    parts: list[Data], written: list[Chain], joined: Joined | None, span: Span, reserved: Reserved
) -> Data | None:
    """Several sources side by side, or one below the other."""
    findings = reserved.findings
    first = parts[0]
    whole = Data(first.source, first.transforms, {}, (), span, first.name, tuple(parts), joined)
    before = len(findings)
    fields: dict[str, FieldSpec] = {}
    if joined is None:
        for part in parts:
            fields |= {name: part.fields[own] for name, own in whole.called(part).items()}
        _check_lengths(parts, written, findings)
        findings += _not_judged(parts, written)
        # Bare names first, which are written most.
        fields = {**first.fields, **fields}
    else:
        section = next(one for one in reserved.sections("Data") if _is(one, Joined))
        _check_rows(joined, section, parts, findings)
        for part, chain in zip(parts, written, strict=True):
            _add_joined(part, chain, parts, fields, findings)
        fields[SOURCE_FIELD] = FieldSpec((), "class", tuple(part.name for part in parts))
    return whole._replace(fields=fields) if not has_errors(findings[before:]) else None


def _not_judged(parts: list[Data], written: list[Chain]) -> Iterator[Finding]:
    """Splits that some source has, and the first one, whose samples they are side by side, has not."""
    first, *others = parts
    option = written[0].written.option("splits")
    judged: tuple[Split, ...] = ("validation", "test")
    lacking = [split for split in judged if not first.source.may_have(split)]
    has = {one.name: split for split in lacking for one in others if one.source.may_have(split)}
    if not has or option is None:
        return
    name, split = next(iter(has.items()))
    splits = f"{' and '.join(lacking)} split{'s' * (len(lacking) > 1)}"
    message = (
        f"nothing is judged on the {splits}: side by side the samples are those of the first source, and "
        f"`{first.name}` has none there, as `{name}` has"
    )
    help = f"`splits = …, {split}` for `{first.name}`, another source first, or [joined], which judges each"
    yield Finding("NC506", message, option.value_span, help=help, severity="warning")


def _check_rows(joined: Joined, section: Section, parts: list[Data], findings: list[Finding]) -> None:
    """`rows` says how many of each."""
    counts, option = joined.counts(), section.option("rows")
    if counts is None or option is None:
        return
    names = [part.name for part in parts]
    for name in counts:
        if name not in names:
            item = next(item for item in joined.rows or () if item.partition(":")[0].strip() == name)
            message = f"there is no source `{name}`"
            findings.append(Finding("NC501", message, option.item_span(item), help=did_you_mean(name, names)))
    missing = [name for name in names if name not in counts]
    if missing and not any(name not in names for name in counts):
        message = f"`rows` says nothing of the source `{missing[0]}`"
        help = f"`rows = {', '.join(f'{name}: {counts.get(name, 8)}' for name in names)}`"
        findings.append(Finding("NC502", message, option.value_span, help=help))


def _add_joined(
    part: Data, chain: Chain, parts: list[Data], fields: dict[str, FieldSpec], findings: list[Finding]
) -> None:
    """The fields of one of several joined sources."""
    # Frames and tokens are padded to the longest of a batch, whosever they are.
    ragged = [
        name
        for name, spec in part.fields.items()
        if any(not isinstance(one, int) for one in spec.shape[spec.axes[:1] in ("T", "L") :])
    ]
    unlike: dict[str, list[str]] = {}
    for name, spec in part.fields.items():
        known = fields.setdefault(name, spec)
        if name == SOURCE_FIELD:
            message = (
                f"`{part.name}` has a field `{name}`, and [joined] calls so which source a sample comes from"
            )
            findings.append(Finding("NC111", message, chain.written.span, help="leave one of them out"))
        elif name in ragged:
            message = (
                f"`{name}` of `{part.name}` is {spec}, of another size in each sample, and cannot be joined"
            )
            help = "sizes in numbers, by [resize], or the sources side by side, without [joined]"
            findings.append(Finding("NC502", message, chain.written.span, help=help))
        elif (known.shape, known.kind, known.names) != (spec.shape, spec.kind, spec.names):
            other = next(one for one in parts if name in one.fields)
            unlike.setdefault(other.name, []).append(name)
        elif spec.absent:  # labels that one of them lacks count in no figure of all
            fields[name] = known._replace(absent=tuple(dict.fromkeys([*known.absent, *spec.absent])))
    for before, names in unlike.items():
        findings.append(_unlike(part, before, names, fields, chain))


def _unlike(
    part: Data, other: str, names: list[str], known: Mapping[str, FieldSpec], chain: Chain
) -> Finding:
    """One finding for all fields that are other in one source than in one before it: what comes first, most likely."""
    name = names[0]
    one, two = known[name], part.fields[name]
    message = f"`{name}` is {_described(one)} in `{other}`, and {_described(two)} in `{part.name}`"
    if names[1:]:
        message += f"; {', '.join(f'`{each}`' for each in names[1:])} differ{'s' * (len(names) == 2)}, too"
    pictures = (
        one.kind == two.kind and one.kind in PICTURES and one.shape != two.shape and one.names == two.names
    )
    listed = ", ".join(names)
    help = (
        f"[resize] with `source = {part.name}` makes them alike"
        if pictures
        else f"the same ones in both, or [leave_out] with `fields = {listed}`, `source = {part.name}`: gaps there"
    )
    return Finding("NC502", message, chain.written.span, help=help)


def _described(spec: FieldSpec) -> str:
    names = f" of {', '.join(spec.names)}" if spec.names else ""
    return f"{spec.kind} {spec}{names}" if spec.shape else f"a {spec.kind}{names}"


def _check_lengths(parts: list[Data], written: list[Chain], findings: list[Finding]) -> None:
    """Sizes that differ from sample to sample have a name, which means one thing in a program."""
    first: dict[object, Data] = {}
    for part, chain in zip(parts, written, strict=True):
        for name, spec in part.fields.items():
            for size in spec.shape:
                other = part if isinstance(size, int) else first.setdefault(size, part)
                if other is not part:
                    message = (
                        f"`{name}` of `{part.name}` is {spec}, and so long are samples of `{other.name}`, too"
                    )
                    help = "[sample_frames] in one of them, `when = always`: two lengths that differ cannot be told"
                    findings.append(Finding("NC502", message, chain.written.span, help=help))
                    return


def fields_of(parts: Parts) -> Callable[[], Mapping[str, FieldSpec]]:
    """The fields of a program's data, worked out when first asked for; what is wrong with them others say."""

    @cache
    def fields() -> Mapping[str, FieldSpec]:
        data = read_data(Reserved(parts, []))
        if data is not None:
            return data.fields
        return BROKEN if "Data" in parts.spans else {}

    return fields


def _check_order(transforms: list[tuple[Section, DataStep]], findings: list[Finding]) -> None:
    late = misplaced(transform for _, transform in transforms)
    for section, transform in transforms:
        if transform is late:
            message = (
                f"[{section.name}] changes single samples, and stands after one that changes whole batches"
            )
            findings.append(Finding("NC112", message, section.span, help="put it higher up"))


def _check_extensions(
    written: Section, transforms: list[tuple[Section, DataStep]], findings: list[Finding]
) -> None:
    """What adds to the source's samples sees them as they come from there."""
    before = changing = written
    for section, transform in transforms:
        late = before if transform.follows_source else changing
        if transform.extends_source and late is not written:
            message = f"[{section.name}] works on the frames of the source, and stands after [{late.name}]"
            help = f"put it right after [{written.name}]"
            findings.append(Finding("NC112", message, section.span, help=help))
        before = section
        changing = changing if transform.extends_source else section


def _check_sampling(transforms: list[tuple[Section, DataStep]], findings: list[Finding]) -> None:
    """Only one block says which samples an epoch shows."""
    chosen = [section for section, step in transforms if isinstance(step, Sampler)]
    names = list(dict.fromkeys(section.name for section in chosen))
    if len(names) > 1:
        notes = (Note(chosen[0].span, "the first"),)
        message = f"[{names[0]}] and [{names[1]}] both say which samples an epoch shows"
        findings.append(Finding("NC112", message, chosen[-1].span, notes, help="take one of them out"))


def _pipeline(
    source: Source, transforms: list[tuple[Section, DataStep]], findings: list[Finding]
) -> dict[str, FieldSpec] | None:
    trained = _fields_in(source, transforms, True, findings)
    if trained is None:
        return None
    # Twice, as some transforms run in training alone: networks must be given one shape in both.
    judged = _fields_in(source, transforms, False, findings)
    if judged is None:
        return None
    for name, spec in trained.items():
        if name not in judged or judged[name].shape != spec.shape:
            findings.append(_other_in_evaluation(name, spec, judged.get(name), transforms))
            return None
    return trained


def _fields_in(
    source: Source, transforms: list[tuple[Section, DataStep]], training: bool, findings: list[Finding]
) -> dict[str, FieldSpec] | None:
    """The fields after all transforms in the splits that are trained on, or in the others."""
    fields = source.fields()
    for section, transform in transforms:
        for key, names in transform.asked_fields().items():
            unknown = next((name for name in names if name not in fields), None)
            if unknown is not None:
                found = _unknown_field(unknown, key, section, fields)
                findings.append(replace(found, help=_not_there(source) or found.help))
                return None
        try:
            fields = transform.fields_in(fields, training)
        except ShapeError as error:
            option = section.option(error.option) if error.option else None
            span = option.value_span if option else section.span
            # A field is missing: what is in data that are not there nobody can say.
            help = (_not_there(source) if error.code == "NC501" else None) or error.help
            findings.append(Finding("NC502", f"[{section.name}] {error}", span, help=help))
            return None
    return fields


def _not_there(source: Source) -> str | None:
    """That the place of a source's data does not exist, in words; None where it does, or is not said."""
    place = source.model_dump(include={"path"}).get("path")
    if place is None or Path(str(place)).expanduser().exists():
        return None
    there = shown_path(Path(str(place)))
    return f"there is no {there}, where its fields stand; paths count from where netcfg is started"


def _other_in_evaluation(
    name: str, trained: FieldSpec, judged: FieldSpec | None, transforms: list[tuple[Section, DataStep]]
) -> Finding:
    """A field that a network would be given in two shapes."""
    section, step = next(one for one in reversed(transforms) if one[1].when != "always")
    if judged is None:
        there = "is not there outside of it"
    else:
        there = f"{judged} outside of it"
    message = (
        f"[{section.name}] is for `when = {step.when}` alone: `{name}` is {trained} in training, and {there}"
    )
    help = "write what the other splits need below it, such as `[center_crop]` or `[resize]` with `when = evaluation`"
    return Finding("NC502", message, section.span, help=help)


def _unknown_field(name: str, key: str, section: Section, fields: Mapping[str, FieldSpec]) -> Finding:
    option = section.option(key)
    span = option.item_span(name) if option else section.span
    return Finding("NC501", f"the data have no field `{name}`", span, help=did_you_mean(name, fields))


def check_fields_used(data: Data, reserved: Reserved) -> None:
    """A field that is asked for by name must be of use to somebody, if only to a later transform."""
    # A block that stands for several sources is of use where one of them needs what it says.
    of_use: dict[int, dict[tuple[str, str], bool]] = {}
    written: dict[int, tuple[Section, dict[str, None]]] = {}
    for part, chain in zip(data.each, chains(reserved), strict=True):
        steps: list[Source | DataStep] = [part.source, *part.transforms]
        for section, asked, used in zip((chain.written, *chain.steps), steps, part.needed, strict=True):
            known = written.setdefault(id(section), (section, {}))[1]
            known.update(dict.fromkeys(used))
            needs = of_use.setdefault(id(section), {})
            for key, names in asked.asked_fields().items():
                for name in names:
                    needs[key, name] = needs.get((key, name), False) or name in used
    for place, (section, known_used) in written.items():
        for (key, name), is_needed in of_use[place].items():
            option = section.option(key)
            if not is_needed and option is not None:
                message = f"no network, loss or metric takes the data field `{name}`"
                help = did_you_mean(name, known_used) or "leave it out"
                reserved.findings.append(Finding("NC207", message, option.item_span(name), help=help))


def check_spoiled(
    data: Data, losses: Mapping[str, Loss], written: Mapping[str, Section], reserved: Reserved
) -> None:
    """A loss may not read what is of one sample where pictures show two."""
    for part, chain in zip(data.each, chains(reserved), strict=True):
        _check_spoiled(data, part, chain, losses, written, reserved)


def _check_spoiled(
    data: Data,
    part: Data,
    chain: Chain,
    losses: Mapping[str, Loss],
    written: Mapping[str, Section],
    reserved: Reserved,
) -> None:
    fields: Mapping[str, FieldSpec] = part.source.fields()
    for section, step in zip(chain.steps, part.transforms, strict=True):
        own = step.spoils(fields)
        spoilt = {name: own[inner] for name, inner in data.called(part).items() if inner in own}
        for name, loss in losses.items():
            key = next((key for key, read in loss.reads.items() if read in spoilt), None)
            if key is not None:
                field, place = loss.reads[key], written[name]
                option = place.option(key)
                message = (
                    f"[{place.name}] reads `{field}`, which is of one sample, and [{section.name}] mixes two"
                )
                span = option.value_span if option else place.span
                notes = (Note(section.span, "mixed here"),)
                reserved.findings.append(Finding("NC402", message, span, notes, help=spoilt[field]))
        if any(name in fields for name in own):
            return
        fields = step.fields_in(fields, training=True)


def check_batches(data: Data, training: Training, reserved: Reserved) -> None:
    """Batches must be of sizes that the data allow."""
    counts = _check_batch_rows(data, training, reserved)
    sampling = [
        (section, step, count)
        for part, chain, count in zip(data.each, chains(reserved), counts, strict=True)
        for section, step in zip(chain.steps, part.transforms, strict=True)
    ]
    for section, step, count in sampling:
        wrong = step.batch_conflict(count) if isinstance(step, Sampler) else None
        if wrong is not None:
            message = f"[{section.name}] {wrong}"
            help = "let `batch_size` of [training] be that, or some times as much"
            reserved.findings.append(Finding("NC502", message, section.span, help=help))
    if training.eval_frames is not None and not any(
        spec.axes.startswith("T") and not isinstance(spec.shape[0], int)
        for part in data.each
        for spec in part.source.fields().values()
    ):
        for section in reserved.sections("General"):
            option = section.option("eval_frames")
            if option is not None:
                message = (
                    "`eval_frames` bounds batches of clips, each as long as it is, and the data have none"
                )
                help = "`eval_batch_size` bounds them by the number of samples"
                reserved.findings.append(Finding("NC502", message, option.value_span, help=help))


def _check_batch_rows(data: Data, training: Training, reserved: Reserved) -> list[int]:
    """How many samples of each source a batch has, which all together must be as many as [training] says."""
    if data.joined is None:
        return [training.batch_size] * len(data.each)
    counts, size = data.joined.counts(), training.batch_size
    section = next(one for one in reserved.sections("Data") if _is(one, Joined))
    rows = rows_of(data, size)
    if counts is None and size % len(data.parts):
        message = f"`batch_size = {size}` cannot be shared alike by {len(data.parts)} sources"
        help = f"`batch_size = {rows[0] * len(rows)}`, or `rows` here"
        reserved.findings.append(Finding("NC502", message, section.span, help=help))
    elif counts is not None and sum(rows) != size:
        option = section.option("rows")
        message = f"`rows` are {sum(rows)} samples, and `batch_size` of [training] is {size}"
        help = f"`batch_size = {sum(rows)}` in [training]"
        span = option.value_span if option else section.span
        reserved.findings.append(Finding("NC502", message, span, help=help))
    return rows


def check_clips(data: Data, reserved: Reserved) -> None:
    """What is added to a source's samples, and of use to somebody, needs the clips they come from."""
    checking = [
        (chain.written, part, *row)
        for part, chain in zip(data.each, chains(reserved), strict=True)
        for row in zip(chain.steps, part.transforms, part.needed[1:], strict=True)
    ]
    for written, part, section, transform, wanted in checking:
        adds = transform.extends_source and transform.reads(wanted) != wanted
        if adds and not part.source.has_clips:
            message = (
                f"[{section.name}] needs frames that follow each other, and [{written.name}] has no clips"
            )
            notes = (Note(written.span, "the source is here"),)
            help = "a source of clips, such as [synthetic_faces]"
            reserved.findings.append(Finding("NC502", message, section.span, notes, help=help))
