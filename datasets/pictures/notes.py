"""What a person should know about the data, but what stops nothing: said once, on stderr."""

from __future__ import annotations

import sys

_SAID: set[str] = set()


def say(text: str) -> None:
    if text not in _SAID:
        _SAID.add(text)
        print(f"note: {text}", file=sys.stderr)
