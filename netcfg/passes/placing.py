"""Putting blocks into their places: paths, whose parameters they have, what files they start from, and how many."""

from __future__ import annotations

from netcfg.blocks.base import Block
from netcfg.blocks.network.net import Net
from netcfg.graph import WeightRequest
from netcfg.passes.collect import ProgramSize
from netcfg.passes.drafts import NOTHING, Context, Draft, Place, Site, Wire
from netcfg.passes.infer import Inference
from netcfg.passes.sharing import SharingError, difference, differs, shared_block
from netcfg.source import Finding, Note, Span
from netcfg.syntax import Section

MAX_BLOCKS = 200_000
"""So many blocks may all networks of a program have together."""
SMALLER = "a smaller `repeat`, fewer `copies` or rows"
MOST_DRAWN = 20_000
"""So much of a broken network is understood at most."""


class Placing:
    """The blocks of one network so far; of each, `inference` knows what it gives.

    With those of the networks before it, of which `size` keeps count, they are `most_blocks` at most.
    """

    def __init__(
        self, findings: list[Finding], inference: Inference, most_blocks: int, size: ProgramSize
    ) -> None:
        self.findings = findings
        self.inference = inference
        self.most_blocks = most_blocks
        self.size = size
        self.is_full = max(size.blocks, size.expansions) > most_blocks  # which was said of a network before
        self.drafts: list[Draft] = []
        self.weights: list[WeightRequest] = []
        self.holders: dict[str, Draft] = {}
        self.refused: list[Span] = []
        self.too_large = False
        self.counts: dict[str, int] = {}
        self.paths: dict[str, Draft] = {}
        self.folders: dict[str, Draft] = {}
        self.has_duplicates = False

    def numbered(self, name: str, folder: str) -> str:
        """A name as it is: one that ends in a dot is the next number in the folder that it says."""
        if not name.endswith("."):
            return name
        path = f"{folder}.{name}"
        self.counts[path] = self.counts.get(path, -1) + 1
        return f"{name}{self.counts[path]}"

    def place(self, block: Block, section: Section, site: Site) -> Place | None:
        """Where a block or a template's use stands; None where it cannot share what it asks to (reported)."""
        place = site.context.place.below(block.name or str(site.number), block.weights_from)
        if block.shared_with is not None:
            try:
                other = shared_block(block, section, site.names)
            except SharingError as error:
                self.findings.append(error.finding)
                return None
            return place._replace(holder=other.holder) if other.holder else None
        if block.weights not in (None, "None"):
            self.request(place, block, section)
        return place

    def draft(
        self,
        place: Place,
        block: Block,
        section: Section,
        wires: list[Wire],
        position: int | None,
        context: Context,
        kin: int | None = None,
    ) -> Wire:
        """Put the next block there; the wire is what it gives."""
        self.size.blocks += 1
        if self.size.blocks > self.most_blocks:
            self.report_too_large(section)
            return NOTHING
        if context.position is not None:
            position = context.position
        freeze = context.freeze or block.freeze
        draft = Draft(
            *place,
            block,
            section,
            wires,
            position,
            context.scopes,
            freeze,
            context.over,
            kin,
            context.again,
            context.once,
        )
        self._check_path(draft)
        if place.holder != place.path:
            self._check_shared(draft)
        else:
            self.holders[place.path] = draft
        self.drafts.append(draft)
        return self.inference.place(draft)

    def _check_path(self, draft: Draft) -> None:
        """Report a path that another block has, or that leads into one; once, as the rest mostly follows."""
        path, folder = draft.path, draft.path.rpartition(".")[0]
        other = self.paths.setdefault(path, draft)
        other = self.folders.get(path, other)
        # A block below another's path would be a part of that block's module, beside its parameters.
        while folder and folder not in self.folders:
            self.folders[folder] = draft
            other = self.paths.get(folder, other)
            folder = folder.rpartition(".")[0]
        if other is draft or self.has_duplicates:
            return
        self.has_duplicates = True
        option = draft.section.option("name")
        notes = (Note(other.section.span, f"`{other.path}` is here"),)
        equal = other.path == path
        message = (
            f"`{path}` is the path of two blocks"
            if equal
            else f"`{path}` and `{other.path}` cannot both be blocks"
        )
        help = "say the turn in the name: `$turn`, `$row`, `$number`, or end it with a dot"
        self.findings.append(
            Finding("NC107", message, option.value_span if option else draft.section.span, notes, help=help)
        )

    def _check_shared(self, draft: Draft) -> None:
        """Report a block that is not of the kind of the one whose parameters it uses, once for a use."""
        holder = self.holders.get(draft.holder)
        what = difference(draft.block, holder.block if holder else None)
        use = draft.scopes[0].span if draft.scopes else draft.section.span
        if what is not None and use not in self.refused:
            self.refused.append(use)
            self.findings.append(differs(use, draft.path, draft.holder, what))
        if use in self.refused:
            draft.holder = draft.path  # what only follows from it stays silent

    def request(self, place: Place, asked: Net | Block, section: Section) -> None:
        """Take note of the file of weights that a block asks for."""
        option = section.option("weights")
        span = option.value_span if option else section.span
        row = asked.output_row if isinstance(asked, Net) else None
        part = "" if isinstance(asked, Net) else asked.weights_from or ""
        request = WeightRequest(place.path, str(asked.weights), asked.layout, asked.adapt, row, span)
        self.weights.append(request._replace(source_path=place.source, part=part))

    def report_too_large(self, section: Section, size: str | None = None, help: str = SMALLER) -> None:
        """The network becomes more than can be; said once in a program."""
        if self.too_large:
            return
        self.too_large = True
        if self.is_full:
            return
        message = f"the program expands to {size}"
        if size is None:
            others = self.size.blocks - 1 - len(self.drafts)
            message = f"the program expands to more than {self.most_blocks:,} blocks"
            if others:
                message += f": {len(self.drafts):,} in this network so far, and {others:,} in those before it"
        self.findings.append(Finding("NC304", message, section.span, help=help))
