"""Losses: a file each, called as the section."""
