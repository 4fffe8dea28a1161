"""The codes of all findings: stable numbers, readable names, and what each means.

NC0xx syntax, NC1xx schema, NC2xx wiring, NC3xx shape, NC4xx training, NC5xx data, NC6xx weights, NC7xx extensions,
NC8xx commands, files and machines.
A number, once given, keeps its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Code(NamedTuple):
    """A kind of finding; `netcfg.explained` has an example of each."""

    id: str
    name: str
    meaning: str

    @property
    def guide(self) -> str:
        """The page of `examples/` that deals with its topic; empty where none does."""
        return next((page for page, codes in _GUIDES.items() if self.id in codes.split()), "")


_GUIDES = {
    "examples/start.md": "NC001 NC002 NC003 NC006 NC101 NC403",
    "examples/coming_from.md": "NC011 NC102 NC103",
    "examples/own_data.md": "NC501 NC502 NC504 NC505 NC506 NC507",
    "examples/several_networks.md": (
        "NC206 NC210 NC211 NC212 NC401 NC404 NC407 NC408 NC409 NC410 NC411 NC412 NC415 NC420"
    ),
    "examples/exports.md": "NC808",
    "examples/extensions/README.md": "NC012 NC701 NC702 NC703 NC704",
}
"""Pages by the codes whose topic they deal with."""

_ROWS = [
    ("NC001", "malformed-line", "A line is neither a header, an option nor a comment."),
    ("NC002", "malformed-header", "A header is not closed, names nothing, or has something behind it."),
    ("NC003", "outside-group", "A block stands outside any group, or an option outside any block."),
    ("NC004", "unreadable-file", "A file does not exist or may not be read."),
    ("NC005", "not-text", "A file is binary, its text is not UTF-8, or it is no .cfg file."),
    ("NC006", "empty-file", "A file holds no group at all."),
    ("NC007", "include-not-found", "An included file is neither beside the including file nor among the shipped ones."),
    ("NC008", "include-cycle", "A file includes itself, directly or through others."),
    ("NC009", "malformed-expression", "A `$name` or `${…}` cannot be read or computed."),
    ("NC010", "empty-value", "An option has nothing after its `=`."),
    ("NC011", "darknet-file", "A darknet file, which is a language of its own."),
    ("NC012", "broken-extension", "An included Python file of blocks fails when it runs."),
    ("NC013", "control-character", "A text holds a character that a terminal would obey, such as an escape code."),
    ("NC014", "include-outside", "An include leaves the folders that a program may read."),
    ("NC015", "beyond-limit", "A text that variables make, or a chain of includes, goes beyond a stated limit."),
    ("NC101", "unknown-group", "A group is neither a network nor one of the reserved groups."),
    ("NC102", "unknown-block", "A block type is not known in its group."),
    ("NC103", "unknown-option", "A block has no option of that name."),
    ("NC104", "missing-option", "An option that has no default is not written."),
    ("NC105", "wrong-value", "A value is of the wrong type or outside the stated range."),
    ("NC106", "duplicate-option", "An option is written twice in one block."),
    ("NC107", "duplicate-name", "Two blocks of one network, or two signals, have the same name."),
    ("NC108", "unknown-variable", "A variable is used or set that nothing declares."),
    ("NC109", "duplicate-definition", "A network, template, preset or variable is there twice, or hides a block type."),
    ("NC110", "template-cycle", "A template is used in its own expansion."),
    ("NC111", "bad-name", "A name cannot be used: it is not a word, or PyTorch uses it itself."),
    ("NC112", "misplaced-block", "A block stands where it may not: [net] must come first in its network."),
    ("NC113", "unknown-preset", "A preset is asked for that the file does not have."),
    ("NC114", "unknown-activation", "An activation is not known. In AUDetNet files it acts as none, with a warning."),
    ("NC115", "overridden-option", "An option of an AUDetNet file has no effect, or stands for another."),
    ("NC116", "wrong-table", "A table is missing, empty, or has a row or column that does not fit."),
    ("NC117", "unmet-expectation", "Something is not as a network or template expects it with [expect]."),
    ("NC201", "unknown-reference", "A block names another that does not exist."),
    ("NC202", "forward-reference", "A block names one that only comes later."),
    ("NC203", "self-reference", "A block names itself."),
    ("NC204", "unknown-port", "A block has no port of that name."),
    ("NC205", "wrong-input-count", "A block is given more or fewer inputs than it takes."),
    ("NC206", "unfed-input", "No data field and no block feeds a network's input."),
    ("NC207", "unused-field", "A data field is asked for that no network, loss or metric takes."),
    ("NC208", "empty-network", "A network has no block that computes anything."),
    ("NC209", "unused-block", "Nothing reads a block's output."),
    ("NC210", "misplaced-parameters", "A block with parameters stands where nothing can train it."),
    ("NC211", "unused-network", "A network is declared, and {Model} does not use it."),
    ("NC212", "unwired-networks", "Several networks train together, and no {Model} says how they connect."),
    ("NC213", "unlike-shared", "A block uses the parameters of another that is of a different kind."),
    ("NC301", "shape-mismatch", "A block cannot take the shape it is given, or shapes that must agree do not."),
    ("NC302", "kernel-too-large", "A kernel or pool does not fit into its input."),
    ("NC303", "unknown-size", "A size must be known here and is only symbolic."),
    ("NC304", "too-large", "A network is larger than the stated limits."),
    ("NC305", "wrong-axes", "A block is given a signal of other axes, or of another kind, than it takes."),
    ("NC401", "unknown-signal", "A loss, metric or optimizer names a signal that does not exist."),
    ("NC402", "target-mismatch", "A loss or metric compares shapes that do not agree."),
    ("NC403", "incomplete-training", "A loss, an optimizer or a data source is missing."),
    ("NC404", "unsupported-training", "A way of training that netcfg does not know yet."),
    ("NC405", "not-finite", "A loss became NaN or infinite."),
    ("NC406", "cannot-resume", "A run folder cannot be continued."),
    ("NC407", "unreached-parameters", "A loss does not reach any parameter that its optimizer trains."),
    ("NC408", "no-gradient", "An optimizer trains a network that is frozen or gets no gradient from its losses."),
    ("NC409", "trained-twice", "Two optimizers train the same network."),
    ("NC410", "untrained-network", "A network that is used and could learn is trained by no optimizer."),
    ("NC411", "phase-never-runs", "An optimizer runs on every n-th batch, and an epoch has fewer."),
    ("NC412", "unused-loss", "A loss is declared, and no optimizer minimises it."),
    ("NC414", "no-figure", "A metric has no value on what it is given."),
    ("NC415", "wrong-average", "A moving average follows an unlike network, itself, or in a circle."),
    ("NC416", "change-never-comes", "A number is to change, and nothing names it, or it would after the last epoch."),
    ("NC420", "made-once", "A phase would train through what was made once in a batch, for another or too long ago."),
    ("NC421", "no-gradient-there", "A [gradient] differentiates what no gradient passes, or is read outside training."),
    ("NC501", "unknown-field", "A data field is named that the data do not have."),
    ("NC502", "bad-data", "The data cannot be made or read as asked."),
    ("NC503", "other-scale", "Numbers are on the scale of 0 to 255, and pictures are from 0 to 1."),
    ("NC504", "unreadable-picture", "A picture or a video cannot be read, or is of another size than the others."),
    ("NC505", "wrong-labels", "A file of labels, lists, boxes or landmarks holds what is none of these."),
    ("NC506", "missing-data", "A folder, a file, the labels of a unit or a whole split of the data is not there."),
    ("NC507", "unpaired-labels", "Labels and pictures do not fit together."),
    ("NC508", "no-flow", "Between these pictures no optical flow can be found."),
    ("NC509", "gap-of-a-source", "What is read is a gap in the samples of one of several sources."),
    ("NC601", "weights-not-found", "A file of weights does not exist or cannot be fetched."),
    ("NC602", "weights-mismatch", "A file of weights belongs to another network."),
    ("NC603", "weights-unreadable", "A file of weights is damaged or of an unknown kind."),
    ("NC701", "failing-section", "The code of a section raises an error: of one's own, mostly."),
    ("NC702", "untrue-section", "A section gives another thing than it declares: a shape, a field, a figure."),
    ("NC703", "broken-package", "An installed package brings sections, and cannot be imported."),
    ("NC704", "changed-extension", "A Python file that a run keeps a copy of has changed since."),
    ("NC801", "wrong-command", "An option of a command, or its value, is not understood, or not beside the others."),
    ("NC802", "not-found", "A command names a file, a run, a network or a word that does not exist."),
    ("NC803", "not-overwritten", "Where something is to be written, there is something else."),
    ("NC804", "cannot-write", "A file or a folder cannot be made, read or written as the system stands."),
    ("NC805", "in-use", "Another process works in this folder."),
    ("NC806", "lost-process", "A process that a command had started ended by itself."),
    ("NC807", "missing-equipment", "This machine lacks what is asked for: a device, a compiler, a part of a library."),
    ("NC808", "cannot-leave", "A network cannot be written in the form it is exported in, or computes other numbers."),
    ("NC809", "damaged-run", "A file of a run is missing or damaged, or the run was copied in part."),
]  # fmt: skip


def guides_of(codes: Iterable[str]) -> list[str]:
    """The pages that deal with what some findings are about, each once, in their order."""
    return list(dict.fromkeys(page for code in codes if (page := CODES[code].guide)))


CODES: dict[str, Code] = {row[0]: Code(*row) for row in _ROWS}
