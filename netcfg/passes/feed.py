"""Pass: `{Data}` becomes a source, its pipeline, and the fields they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from netcfg.blocks.base import ShapeError
from netcfg.blocks.fields import FieldSpec
from netcfg.blocks.general.training import Training
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.samplers.base import Sampler
from netcfg.blocks.sources.base import Source
from netcfg.blocks.transforms.base import DataStep, misplaced
from netcfg.passes.collect import Parts
from netcfg.passes.reserved import Reserved
from netcfg.passes.sizes import BROKEN
from netcfg.program import Data
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Section


def read_data(reserved: Reserved) -> Data | None:
    """The data of a program, or None where there are none or something in them is wrong."""
    sections, findings = reserved.sections("Data"), reserved.findings
    span = reserved.parts.spans.get("Data")
    if span is None:
        return None
    if not sections:
        help = "write `[synthetic_faces]`"
        findings.append(Finding("NC403", "{Data} has no source", span, help=help))
        return None
    source = reserved.checked(sections[0], "data", Source)
    transforms = []
    for section in sections[1:]:
        transform = reserved.checked(section, "data", DataStep)
        if transform is not None:
            transforms.append((section, transform))
    if source is None or len(transforms) < len(sections) - 1:
        return None
    _check_order(transforms, findings)
    _check_extensions(sections[0], transforms, findings)
    _check_sampling(transforms, findings)
    fields = _pipeline(source, transforms, findings)
    if fields is None:
        return None
    return Data(source, tuple(transform for _, transform in transforms), fields, (), span)


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
                findings.append(_unknown_field(unknown, key, section, fields))
                return None
        try:
            fields = transform.fields_in(fields, training)
        except ShapeError as error:
            option = section.option(error.option) if error.option else None
            span = option.value_span if option else section.span
            findings.append(Finding("NC502", f"[{section.name}] {error}", span, help=error.help))
            return None
    return fields


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
    steps: list[Source | DataStep] = [data.source, *data.transforms]
    asking = zip(reserved.sections("Data"), steps, data.needed, strict=True)
    for section, asked, used in asking:
        for key, names in asked.asked_fields().items():
            option = section.option(key)
            for name in names:
                if name not in used and option is not None:
                    message = f"no network, loss or metric takes the data field `{name}`"
                    help = did_you_mean(name, used) or "leave it out"
                    reserved.findings.append(Finding("NC207", message, option.item_span(name), help=help))


def check_spoiled(
    data: Data, losses: Mapping[str, Loss], written: Mapping[str, Section], reserved: Reserved
) -> None:
    """A loss may not read what is of one sample where pictures show two."""
    fields: Mapping[str, FieldSpec] = data.source.fields()
    for section, step in zip(reserved.sections("Data")[1:], data.transforms, strict=True):
        spoilt = step.spoils(fields)
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
        if any(name in fields for name in spoilt):
            return
        fields = step.fields_in(fields, training=True)


def check_batches(data: Data, training: Training, reserved: Reserved) -> None:
    """Batches must be of sizes that the data allow."""
    for section, step in zip(reserved.sections("Data")[1:], data.transforms, strict=True):
        wrong = step.batch_conflict(training.batch_size) if isinstance(step, Sampler) else None
        if wrong is not None:
            message = f"[{section.name}] {wrong}"
            help = "let `batch_size` of [training] be that, or some times as much"
            reserved.findings.append(Finding("NC502", message, section.span, help=help))
    if training.eval_frames is not None and not any(
        spec.axes.startswith("T") and not isinstance(spec.shape[0], int)
        for spec in data.source.fields().values()
    ):
        for section in reserved.sections("General"):
            option = section.option("eval_frames")
            if option is not None:
                message = (
                    "`eval_frames` bounds batches of clips, each as long as it is, and the data have none"
                )
                help = "`eval_batch_size` bounds them by the number of samples"
                reserved.findings.append(Finding("NC502", message, option.value_span, help=help))


def check_clips(data: Data, reserved: Reserved) -> None:
    """What is added to a source's samples, and of use to somebody, needs the clips they come from."""
    written, *sections = reserved.sections("Data")
    for section, transform, wanted in zip(sections, data.transforms, data.needed[1:], strict=True):
        adds = transform.extends_source and transform.reads(wanted) != wanted
        if adds and not data.source.has_clips:
            message = (
                f"[{section.name}] needs frames that follow each other, and [{written.name}] has no clips"
            )
            notes = (Note(written.span, "the source is here"),)
            help = "a source of clips, such as [synthetic_faces]"
            reserved.findings.append(Finding("NC502", message, section.span, notes, help=help))
