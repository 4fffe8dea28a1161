"""Whole numbers on the command line, as argparse takes them."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """From 1."""
    return whole(text, 1, 10**9)


def not_negative(text: str) -> int:
    """From 0, as seeds and folds are."""
    return whole(text, 0, 2**31 - 1)


def side(text: str) -> int:
    """Of a picture, in pixels."""
    return whole(text, 16, 4_096)


def whole(text: str, least: int, most: int) -> int:
    """A number within limits. Raises what argparse reports."""
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to {most}, found `{text}`")
    return int(text)
