"""Pass: of joined sources, whose samples count in which losses and metrics.

What a source lacks is a gap in its samples of a batch. Requires: the model, the losses and the metrics. Ensures: no
network, and no block that mixes samples, reads a signal with gaps, and in every loss and metric some samples count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from netcfg.blocks.fields import Split
from netcfg.blocks.losses.base import Loss
from netcfg.blocks.metrics.base import Metric
from netcfg.blocks.network.model import NetworkUse
from netcfg.graph import Graph, Node, Signal
from netcfg.program import Data
from netcfg.source import Finding, Note, did_you_mean
from netcfg.syntax import Section

SPLITS = get_args(Split)

Counting = dict[str, frozenset[int]]
"""By name the places of the sources whose samples count, where these are not all."""


def check_unjoined(written: Mapping[str, Section], findings: list[Finding]) -> None:
    """Without [joined] each sample is of all sources, and no loss or metric can be of one."""
    for section in written.values():
        option = section.option("source")
        if option is not None:
            message = f"[{section.name}] is of the source `{option.value}`, and no sources are joined"
            help = "leave `source` out, or join the sources of {Data} by [joined]"
            findings.append(Finding("NC501", message, option.span, help=help))


def known_of(data: Data, model: Graph, findings: list[Finding]) -> list[frozenset[int]]:
    """Of which sources each node of the model is known, by node number."""
    everyone = frozenset(range(len(data.parts)))
    known: list[frozenset[int]] = []
    readers: dict[int, list[Node]] = {}
    for node in model.nodes:
        if node.is_input:
            known.append(data.givers(node.path))
            continue
        of = everyone.intersection(*(known[signal.producer] for signal in node.inputs))
        if of != everyone and (isinstance(node.block, NetworkUse) or node.block.depends_on_batch()):
            gap = next(signal.producer for signal in node.inputs if known[signal.producer] != everyone)
            readers.setdefault(gap, []).append(node)
            of = everyone  # what reads it in its turn has done nothing wrong
        known.append(of)
    for gap, nodes in readers.items():
        findings.append(_gap(data, model.nodes[gap], everyone - known[gap], nodes))
    return known


def _gap(data: Data, signal: Node, lacking: frozenset[int], readers: list[Node]) -> Finding:
    """One finding for a gap, whoever reads it."""
    first, *others = readers
    what = f"`{first.block.network.name}`" if isinstance(first.block, NetworkUse) else f"[{first.type}]"
    parts = [data.parts[place] for place in sorted(lacking)]
    listed = ", ".join(f"`{part.name}`" for part in parts)
    splits = sorted({split for part in parts for split in part.source.splits or SPLITS}, key=SPLITS.index)
    message = (
        f"{what} reads `{signal.path}`, which is a gap in samples of {listed}, in the split{'s' * (len(splits) > 1)} "
        + ", ".join(f"`{split}`" for split in splits)
    )
    help = (
        "a network and a block that mixes samples read what every joined source has: let "
        f"{listed} have `{signal.path}`, or stand beside the others, without [joined]"
    )
    notes = (
        *(Note(part.span, f"`{part.name}` has no `{signal.path}`") for part in parts),
        *(Note(node.span, "here, too") for node in others),
    )
    return Finding("NC509", message, first.span, notes, help=help)


def counting(
    data: Data,
    known: list[frozenset[int]],
    signals: Mapping[str, Signal],
    judges: Mapping[str, Loss] | Mapping[str, Metric],
    written: Mapping[str, Section],
    findings: list[Finding],
) -> Counting:
    """Whose samples count in each loss, or each metric."""
    names = [part.name for part in data.parts]
    everyone = frozenset(range(len(names)))
    found: Counting = {}
    for name, judge in judges.items():
        of = everyone
        section, option = written[name], written[name].option("source")
        if judge.source is not None:
            if judge.source not in names:
                span = option.value_span if option else section.span
                message = f"there is no source `{judge.source}`"
                findings.append(Finding("NC501", message, span, help=did_you_mean(judge.source, names)))
                continue
            of = frozenset([names.index(judge.source)])
        reads = {key: known[signals[read].producer] for key, read in judge.reads.items() if read in signals}
        of = of.intersection(*reads.values())
        if not of:
            listed = "; ".join(
                f"`{judge.reads[key]}` is known of "
                + (", ".join(f"`{names[place]}`" for place in sorted(places)) or "none")
                for key, places in reads.items()
                if places != everyone
            )
            wanted = f"; it is of `{judge.source}`" if judge.source else ""
            message = f"no sample has all that [{section.name}] reads: {listed}{wanted}"
            help = "compare what one source has, or give the others what they lack"
            findings.append(Finding("NC509", message, section.span, help=help))
        if of != everyone:
            found[name] = of
    return found


__all__ = ["Counting", "check_unjoined", "counting", "known_of"]
