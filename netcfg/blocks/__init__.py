"""All section types. A new family is one more line here."""

from netcfg.blocks import (
    activation,
    audetnet,
    backbones,
    combine,
    connected,
    convolution,
    data,
    general,
    losses,
    metrics,
    network,
    normalisation,
    optimizers,
    pooling,
    routing,
)
from netcfg.blocks.base import BLOCKS, SECTIONS, Block, Section, ShapeError

__all__ = [
    "BLOCKS", "SECTIONS", "Block", "Section", "ShapeError", "activation", "audetnet", "backbones", "combine",
    "connected", "convolution", "data", "general", "losses", "metrics", "network", "normalisation", "optimizers",
    "pooling", "routing",
]  # fmt: skip
