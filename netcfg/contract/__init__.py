"""The contract of sections: what a class says of itself, against what it does.

`verify` builds the example of a section's page and variations of its options, and yields a line for each untruth.
The tests of the project and `netcfg blocks --verify` run the same checks.
"""

from __future__ import annotations

from collections.abc import Iterator

from netcfg.blocks.base import Block, Section
from netcfg.contract.breach import Breach
from netcfg.contract.pages import verify_page
from netcfg.contract.threads import one_thread

__all__ = ["Breach", "verify"]


def verify(kind: type[Section]) -> Iterator[Breach]:
    """What is untrue about a section type. Imports torch, and takes from milliseconds to a few seconds."""
    yield from verify_page(kind)
    if issubclass(kind, Block):
        from netcfg.contract.network.verify import verify_block

        with one_thread():
            yield from verify_block(kind)
