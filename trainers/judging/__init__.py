"""Figures of merit over a split."""
