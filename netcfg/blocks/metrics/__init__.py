"""Figures of merit: a file each, called as the section."""
