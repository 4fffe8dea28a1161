"""Text to tree: the grammar, the parser, and the nodes with their places."""

from netcfg.syntax.parser import parse
from netcfg.syntax.tree import Cell, File, Group, Include, Option, Section

__all__ = ["Cell", "File", "Group", "Include", "Option", "Section", "parse"]
