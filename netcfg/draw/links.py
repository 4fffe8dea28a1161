"""Links from a picture into the text of its program."""

from __future__ import annotations

import os
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from netcfg.draw.entry import is_shipped, root_of
from netcfg.source import NetcfgError, SourceFile, Span, did_you_mean

DEFAULT = "{file}#L{line}"
"""A path relative to the picture and a line, as code hosts read it: the same on every machine."""
FIELDS = ("file", "path", "line", "column")


@dataclass(frozen=True)
class Links:
    """How a part's place becomes an address; no address at all where `template` is empty.

    The template may hold `{file}` (relative to `folder`, where the picture will lie), `{path}` (absolute),
    `{line}` and `{column}`.
    """

    template: str = DEFAULT
    folder: str = "."

    def href(self, spans: Sequence[Span]) -> str:
        """The address of the first of the spans that can be linked to; empty where none can."""
        if not self.template:
            return ""
        for span in spans:
            if _can_be_linked(span.file):
                return self._address(span)
        return ""

    def _address(self, span: Span) -> str:
        # A template may hold the name of a scheme or host; only what is filled in is quoted.
        path = os.path.abspath(span.file.name)
        file = os.path.relpath(path, os.path.abspath(self.folder))
        return self.template.format(
            file=_quoted(file), path=_quoted(path), line=span.line, column=span.column
        )


def check_template(template: str) -> None:
    """Raises `NetcfgError` for a template that has other fields than those of `Links`."""
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        unknown = [name for name in fields if name not in FIELDS]
        if not unknown:
            template.format(**dict.fromkeys(FIELDS, 1))
            return
        help = did_you_mean(unknown[0], FIELDS) or ""
        raise NetcfgError(f"--link {template}: there is no `{{{unknown[0]}}}`\nhelp: {help}", code="NC801")
    except ValueError as error:
        raise NetcfgError(f"--link {template}: {error}", code="NC801") from None


@lru_cache
def _can_be_linked(file: SourceFile) -> bool:
    """Not a text without a file, as netcfg makes some, nor a file in the depths of an installation, whose place
    differs.
    """
    return os.path.isfile(file.name) and (not is_shipped(file) or is_shipped(root_of(file)))


def _quoted(path: str) -> str:
    return quote(path.replace(os.sep, "/"))
