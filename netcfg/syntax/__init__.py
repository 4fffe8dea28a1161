"""Text to tree: the grammar, the parser, and the nodes with their places."""

from netcfg.syntax.parser import parse
from netcfg.syntax.tree import File, Group, Include, Option, Section

__all__ = ["File", "Group", "Include", "Option", "Section", "parse"]
