"""The contract of a network's blocks."""
