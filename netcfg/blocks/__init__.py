"""All section types. A new family is one more line here."""

from netcfg.blocks import (
    activation,
    audetnet,
    augmentation,
    backbones,
    batch,
    clips,
    combine,
    connected,
    convolution,
    data,
    databases,
    f1,
    folders,
    general,
    losses,
    metrics,
    model,
    network,
    normalisation,
    optical_flow,
    optimizers,
    pooling,
    routing,
)
from netcfg.blocks.base import BLOCKS, SECTIONS, Block, Section, ShapeError

__all__ = [
    "BLOCKS", "SECTIONS", "Block", "Section", "ShapeError", "activation", "audetnet", "augmentation", "backbones",
    "batch", "clips", "combine", "connected", "convolution", "data", "databases", "f1", "folders", "general",
    "losses", "metrics", "model", "network", "normalisation", "optical_flow", "optimizers", "pooling", "routing",
]  # fmt: skip
