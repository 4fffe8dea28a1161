"""What passes hand each other of `{Optimizer}`."""

from __future__ import annotations

from typing import NamedTuple

from netcfg.program import Average, Phase
from netcfg.syntax import Section


class Steps(NamedTuple):
    """What `{Optimizer}` says, with the sections it was written as."""

    phases: list[tuple[Section, Phase]]
    averages: list[tuple[Section, Average]]

    def changing(self) -> list[tuple[int, frozenset[str]]]:
        """What each step changes, in order, with the number of the phases before it."""
        changed = [
            (place, frozenset(phase.optimizer.networks)) for place, (_, phase) in enumerate(self.phases)
        ]
        changed += [(one.place, frozenset(one.section.networks)) for _, one in self.averages]
        return sorted(changed, key=lambda change: change[0])
