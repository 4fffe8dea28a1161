"""How a block says which module computes it: a call that can be made, and can be read.

What is kept is the class with its arguments rather than the module, so that the same word that builds it can also be
written down as Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Made:
    """The call of a class of modules with its arguments."""

    call: Callable[..., nn.Module]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]

    def build(self) -> nn.Module:
        """The module, with fresh parameters."""
        return self.call(*self.arguments, **self.options)


def made(call: Callable[..., nn.Module], /, *arguments: Any, **options: Any) -> Made:
    """`made(nn.Conv2d, 3, 16, kernel_size=3)`: what a block's `lower` gives."""
    return Made(call, arguments, options)
