"""Whole numbers on the command line, as argparse takes them."""

from __future__ import annotations

import argparse

from netcfg.blocks.general.training import MAX_EPOCHS, MAX_WORKERS


def positive(text: str) -> int:
    """From 1."""
    return whole(text, 1, 10**9)


def not_negative(text: str) -> int:
    """From 0, as seeds and folds are."""
    return whole(text, 0, 2**31 - 1)


def side(text: str) -> int:
    """Of a picture, in pixels."""
    return whole(text, 16, 4_096)


def workers(text: str) -> int:
    """Processes, at most as many as [training] takes."""
    return whole(text, 0, MAX_WORKERS)


def epochs(text: str) -> int:
    """At most as many as [training] takes."""
    return whole(text, 1, MAX_EPOCHS)


class More(int):
    """Epochs that a run is to have beyond those that it was to have."""


def epochs_or_more(text: str) -> int:
    """Epochs in all, or, `+2`, so many `More`."""
    return More(epochs(text[1:])) if text.startswith("+") else epochs(text)


def whole(text: str, least: int, most: int) -> int:
    """A number within limits. Raises what argparse reports."""
    if not text.isdecimal() or len(text) > 20 or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, found `{text}`")
    return int(text)
