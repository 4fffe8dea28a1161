"""The contract of sections: what a class says of itself, against what it does.

`verify` builds the example of a section's page and variations of its options, and yields a line for each untruth.
The tests of the project and `netcfg blocks --verify` run the same checks.
"""

from __future__ import annotations

from collections.abc import Iterator

from netcfg.blocks.base import Block, Section
from netcfg.contract.breach import Breach, what_was_raised
from netcfg.contract.pages import verify_page

__all__ = ["Breach", "verify"]


def verify(kind: type[Section]) -> Iterator[Breach]:
    """What is untrue about a section type. Imports torch, and takes from milliseconds to a few seconds."""
    from netcfg.contract.seeds import one_thread

    yield from verify_page(kind)
    try:
        with one_thread():
            yield from _verify_kind(kind)
    except Exception as error:  # of a method of the author's that no check was asking
        found, write = what_was_raised(error), "the method that raises it"
        yield Breach(kind.type_name, "class", "", "no exception", found, write)


def _verify_kind(kind: type[Section]) -> Iterator[Breach]:
    """By what it is a kind of. The checks of a kind are imported for it alone."""
    from netcfg.blocks.losses.base import Loss
    from netcfg.blocks.metrics.base import Metric
    from netcfg.blocks.optimizers.base import Optimizer
    from netcfg.blocks.optimizers.schedules import Schedule
    from netcfg.blocks.samplers.base import Sampler
    from netcfg.blocks.sources.base import Source
    from netcfg.blocks.transforms.base import Transform

    if issubclass(kind, Block):
        from netcfg.contract.network.verify import verify_block

        yield from verify_block(kind)
    elif issubclass(kind, Loss):
        from netcfg.contract.losses import verify_loss

        yield from verify_loss(kind)
    elif issubclass(kind, Optimizer):
        from netcfg.contract.optimizers import verify_optimizer

        yield from verify_optimizer(kind)
    elif issubclass(kind, Schedule):
        from netcfg.contract.schedules import verify_schedule

        yield from verify_schedule(kind)
    elif issubclass(kind, Metric):
        from netcfg.contract.metrics import verify_metric

        yield from verify_metric(kind)
    elif issubclass(kind, Transform):
        from netcfg.contract.transforms import verify_transform

        yield from verify_transform(kind)
    elif issubclass(kind, Sampler):
        from netcfg.contract.samplers import verify_sampler

        yield from verify_sampler(kind)
    elif issubclass(kind, Source):
        from netcfg.contract.sources import verify_source

        yield from verify_source(kind)
