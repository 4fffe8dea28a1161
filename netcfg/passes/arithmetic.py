"""Pass: what a loss or metric reads may be arithmetic, `input = (a - b) ** 2`, which becomes a [formula] of the model.

Requires: the model and its signals by name. Ensures: every such option names a signal, which the formula makes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from netcfg.blocks.formula_text import HERE, FormulaError, read_formula
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.network.formula import Formula
from netcfg.blocks.registry import find
from netcfg.graph import Graph, Signal
from netcfg.passes.defaults import renamed
from netcfg.passes.drafts import Draft, Wire
from netcfg.passes.infer import Inference
from netcfg.passes.reserved import Reserved
from netcfg.source import Finding, did_you_mean
from netcfg.syntax import Option, Section

READ = ("input", "target")
"""The options of metrics, and of most losses, that name signals."""
_ARITHMETIC = re.compile(r"[-+*/()<>\[]|==|!=")


def with_arithmetic(
    model: Graph, signals: Mapping[str, Signal], reserved: Reserved, findings: list[Finding]
) -> Graph:
    """The model with a [formula] for each option of a loss or metric that computes."""
    inference = Inference(findings)
    # Formulas are placed behind the model's own nodes, whose numbers stay what signals say.
    inference.nodes = list(model.nodes)
    made: dict[str, Signal] = {}
    for group in ("Loss", "Metric"):
        sections = [
            _section(section, group, signals, inference, made, findings)
            for section in reserved.sections(group)
        ]
        reserved.replace(group, sections)
    nodes = tuple(node for node in inference.nodes if node is not None)
    return replace(model, nodes=nodes, named={**model.named, **made}) if made else model


def _section(
    section: Section,
    group: str,
    signals: Mapping[str, Signal],
    inference: Inference,
    made: dict[str, Signal],
    findings: list[Finding],
) -> Section:
    """A section that names what its formulas give."""
    kind = find("loss" if group == "Loss" else "metric", section.name)
    keys = kind.signal_options if kind is not None and issubclass(kind, Loss) else READ
    options = []
    for option in section.options:
        if option.key not in keys or option.value in signals or not _computes(option.value):
            options.append(option)
            continue
        named = section.option("name")
        path = f"{named.value if named else section.name}.{option.key}"
        signal = None if path in made else _computed(path, option, section, signals, inference, findings)
        if signal is None:
            return replace(section, malformed=True)
        made[path] = signal
        options.append(option.with_value(path))
    return replace(section, options=options)


def _computes(text: str) -> bool:
    """Whether it is more than a name; a number is compared with, as it stands."""
    try:
        float(text)
    except ValueError:
        return _ARITHMETIC.search(text) is not None
    return False


def _computed(
    path: str,
    option: Option,
    section: Section,
    signals: Mapping[str, Signal],
    inference: Inference,
    findings: list[Finding],
) -> Signal | None:
    """What a formula gives; None where it cannot be (reported)."""
    try:
        formula = read_formula(option.value)
    except FormulaError as error:
        span = option.item_span(error.item) if error.item else option.value_span
        findings.append(Finding("NC105", f"`{option.key}` must be {error}", span, help=error.help))
        return None
    wires = []
    for name in formula.parsed.names:
        signal = signals.get(name)
        if signal is None:
            help = did_you_mean(name, signals)
            if name == HERE:
                help = "no block stands before a loss or metric: name the signal"
            findings.append(
                Finding("NC401", f"there is no signal `{name}`", option.item_span(name), help=help)
            )
            return None
        wires.append(Wire(signal.producer, signal.port))
    block = Formula(name=path.rpartition(".")[2], value=formula)
    written = replace(section, options=[renamed(option, "value")])
    wire = inference.place(Draft(path, path, path, block, written, wires, None, (), False))
    return inference.signal(wire, None)
