"""`{Table NAME}`: a line of column names, then rows; and the block that one row makes of a use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netcfg.passes.expressions import ExpressionError, named_in
from netcfg.passes.variables import VariableScope
from netcfg.source import Finding, Note, Span
from netcfg.syntax import Cell, Group, Option, Section
from netcfg.words import counted

DEFAULT = "-"
"""A cell that says nothing: the option's own default."""


@dataclass(slots=True, eq=False, repr=False)
class Table:
    """A table as written; `is_broken` where something in it was reported."""

    columns: list[Cell]
    rows: list[list[Cell]]
    span: Span
    is_broken: bool = False

    def cell(self, column: str, row: int) -> Option | None:
        """A cell as an option called like its column; None where there is no such column, or the cell is `-`."""
        for index, name in enumerate(self.columns):
            if name.value == column:
                cell = self.rows[row][index]
                return None if cell.value == DEFAULT else cell.called(column)
        return None


def read_table(group: Group, name: str, findings: list[Finding]) -> Table:
    """The table of a group; what is wrong with it is reported, each mistake at its place."""
    before = len(findings)
    columns, *rows = group.rows or [[]]
    if not rows:
        help = "a line of column names, then a line for each row"
        findings.append(Finding("NC116", f"the table `{name}` has no rows", group.span, help=help))
    named: dict[str, Cell] = {}
    for column in columns:
        first = named.setdefault(column.value, column)
        if first is not column:
            notes = (Note(first.span, "first here"),)
            findings.append(Finding("NC116", f"two columns are called `{column.value}`", column.span, notes))
    for row in rows:
        _check_row(row, columns, findings)
    for section in group.sections:
        message = f"[{section.name}] stands in a table, which holds rows"
        findings.append(Finding("NC112", message, section.span, help="put it into a network or template"))
    return Table(columns, rows, group.span, len(findings) > before)


def _check_row(row: list[Cell], columns: list[Cell], findings: list[Finding]) -> None:
    if len(row) == len(columns):
        return
    notes = (Note(columns[0].span, "the columns are named here"),)
    message = f"a row of {counted(len(row), 'cell')} under {counted(len(columns), 'column')}"
    place = row[len(columns)] if len(row) > len(columns) else row[-1]
    help = (
        "lists in a cell have commas and no spaces"
        if len(row) > len(columns)
        else f"`{DEFAULT}` is the default"
    )
    findings.append(Finding("NC116", message, place.span, notes, help=help))


def row_of(
    section: Section, table: Table, row: int, known: Mapping[str, object] | None, scope: VariableScope
) -> tuple[Section, dict[str, str]]:
    """The block of one row, and the columns that its own options name, as variables.

    `known` are the options that a column may set, unless the use states them.
    """
    stated = {option.key for option in section.options}
    named = {name for option in section.options for name in named_in(option.value)}
    options = [option for option in section.options if option.key != "rows"]
    local: dict[str, str] = {}
    failed = section.malformed
    for column in (cell.value for cell in table.columns):
        cell = table.cell(column, row)
        if cell is None:
            continue
        if column in named:
            try:
                local[column] = scope.replaced(cell.value)
            except ExpressionError as error:
                scope.variables.report(error, cell.value_span, f"`{column}` ", scope.parameters)
                failed = True
        if column not in stated and (known is None or column in known):
            options.append(cell)
    # A cell may hold a variable where the section itself names none.
    return replace(section, options=options, has_variables=True, malformed=failed), local
