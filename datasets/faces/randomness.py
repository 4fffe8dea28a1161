"""Random numbers that depend on nothing but their key."""

import zlib

import numpy as np


def generator(seed: int, *key: int, purpose: str) -> np.random.Generator:
    """A generator for one purpose of one subject, clip or frame.

    Equal keys give equal numbers in every process and in any order of calls; no global state is read.
    """
    entropy = [seed, zlib.crc32(purpose.encode()), *key]
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy)))
