"""What is the same in each check: chance, and how many processors it takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Chance from a seed, and afterwards as if nothing had been drawn."""
    import torch

    generator = (
        torch.default_generator
    )  # `torch.manual_seed` would seed all devices, which takes longer than a block
    before = generator.get_state()
    generator.manual_seed(seed)
    try:
        yield
    finally:
        generator.set_state(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """One: for inputs of some hundred numbers, threads wait for each other longer than they compute."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
