"""What sections are made of, for those who write their own: everything an author needs comes from here.

The names are imported when they are asked for, so that reading a file of one kind does not load the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# At once: when the file `made` is imported later, its module would take the place of the function under this name.
from netcfg.blocks.made import made as made

if TYPE_CHECKING:
    from netcfg.blocks.base import AxesError as AxesError
    from netcfg.blocks.base import Block as Block
    from netcfg.blocks.base import Reference as Reference
    from netcfg.blocks.base import Section as Section
    from netcfg.blocks.base import ShapeError as ShapeError
    from netcfg.blocks.fields import FieldSpec as FieldSpec
    from netcfg.blocks.fields import Split as Split
    from netcfg.blocks.losses.base import Loss as Loss
    from netcfg.blocks.meeting import ByAxes as ByAxes
    from netcfg.blocks.metrics.base import Metric as Metric
    from netcfg.blocks.metrics.judgement import Figures as Figures
    from netcfg.blocks.optimizers.base import Optimizer as Optimizer
    from netcfg.blocks.optimizers.schedules import Schedule as Schedule
    from netcfg.blocks.refusals import expect_known as expect_known
    from netcfg.blocks.refusals import expect_rank as expect_rank
    from netcfg.blocks.samplers.base import Sampler as Sampler
    from netcfg.blocks.samples import ClipSamples as ClipSamples
    from netcfg.blocks.samples import Draw as Draw
    from netcfg.blocks.samples import Sample as Sample
    from netcfg.blocks.samples import Samples as Samples
    from netcfg.blocks.samples import SampleTable as SampleTable
    from netcfg.blocks.sources.base import Found as Found
    from netcfg.blocks.sources.base import Source as Source
    from netcfg.blocks.transforms.base import Transform as Transform
    from netcfg.shapes import Shape as Shape

_HOMES = {
    "AxesError": "base",
    "Block": "base",
    "ByAxes": "meeting",
    "ClipSamples": "samples",
    "Draw": "samples",
    "FieldSpec": "fields",
    "Figures": "metrics.judgement",
    "Found": "sources.base",
    "Loss": "losses.base",
    "Metric": "metrics.base",
    "Optimizer": "optimizers.base",
    "Reference": "base",
    "Sample": "samples",
    "SampleTable": "samples",
    "Sampler": "samplers.base",
    "Samples": "samples",
    "Schedule": "optimizers.schedules",
    "Section": "base",
    "Shape": "base",
    "ShapeError": "base",
    "Source": "sources.base",
    "Split": "fields",
    "Transform": "transforms.base",
    "expect_known": "refusals",
    "expect_rank": "refusals",
}

__all__ = [
    "AxesError", "Block", "ByAxes", "ClipSamples", "Draw", "FieldSpec", "Figures", "Found", "Loss", "Metric",
    "Optimizer", "Reference", "Sample", "SampleTable", "Sampler", "Samples", "Schedule", "Section", "Shape",
    "ShapeError", "Source", "Split", "Transform", "expect_known", "expect_rank", "made",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the file of a name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'netcfg.blocks' has no attribute {name!r}")
    return getattr(import_module(f"netcfg.blocks.{_HOMES[name]}"), name)
