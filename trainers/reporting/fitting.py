"""Tables that no terminal is too narrow for."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


class FittingTable(Table):
    """A table; where its cells do not fit side by side, a line for each cell with the name of its column.

    No figure is ever cut: half of one reads like another.
    """

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Rows side by side, or below each other."""
        wanted = Measurement.get(console, options.update(max_width=_ENDLESS), self).maximum
        if wanted <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        for text in (self.title, *self._lines(), self.caption):
            if text:
                yield text if isinstance(text, Text) else Text.from_markup(str(text))

    def _lines(self) -> list[str]:
        names = [str(column.header) for column in self.columns]
        lines = []
        for first, *cells in zip(*(column.cells for column in self.columns), strict=True):
            lines.append(str(first) or "-")
            lines += [f"  {name}: {cell}" for name, cell in zip(names[1:], cells, strict=True) if cell]
        return lines


_ENDLESS = 1_000_000
