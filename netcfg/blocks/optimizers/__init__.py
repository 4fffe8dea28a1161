"""Optimizers, and how their rates change."""
