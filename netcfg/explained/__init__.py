"""For every code of a finding: what to do, a file that is wrong in that way, and the same file put right.

A test runs all examples: the wrong one gives just this code, the right one gives none. What only data, a run or a
command line can show has a command instead, and says so.
"""

from netcfg.explained.explanation import Explanation
from netcfg.explained.programs import PROGRAMS
from netcfg.explained.runs import RUNS
from netcfg.explained.texts import TEXTS

EXPLANATIONS: dict[str, Explanation] = {**TEXTS, **PROGRAMS, **RUNS}

__all__ = ["EXPLANATIONS", "Explanation"]
