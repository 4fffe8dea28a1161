"""Figures of finished runs as tables and pictures for papers: cells, tests of significance, and how they are written.

Nothing here needs torch; what draws imports Matplotlib, and what tests imports SciPy, when they are called.
"""
