"""Optical flow: found, kept, written as pictures."""
