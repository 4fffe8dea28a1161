"""Blocks of networks: a file a family."""
