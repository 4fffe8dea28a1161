"""A program's networks as tables or as data: layers, shapes, parameters, costs, memory, receptive fields."""

from netcfg.summary.data import summary_data, summary_rows
from netcfg.summary.layout import aligned, human
from netcfg.summary.rows import SORTS, Wish
from netcfg.summary.tables import summary_text

__all__ = ["SORTS", "Wish", "aligned", "human", "summary_data", "summary_rows", "summary_text"]
