"""Who is tested in which fold of a face database, and who of the others is for validation."""

from __future__ import annotations

from collections.abc import Sequence

from netcfg.blocks.fields import Split
from netcfg.source import NetcfgError

BP4D_FOLDS = (
    "F001 F002 F008 F009 F010 F016 F018 F023 M001 M004 M007 M008 M012 M014".split(),
    "F003 F005 F011 F013 F020 F022 M002 M005 M010 M011 M013 M016 M017 M018".split(),
    "F004 F006 F007 F012 F014 F015 F017 F019 F021 M003 M006 M009 M015".split(),
)
"""BP4D's test subjects. Source: AUNets, which takes the folds of DRML (Zhao et al. 2016)."""

DISFA_FOLDS = (
    "SN001 SN002 SN009 SN010 SN016 SN026 SN027 SN030 SN032".split(),
    "SN006 SN011 SN012 SN013 SN018 SN021 SN024 SN028 SN031".split(),
    "SN003 SN004 SN005 SN007 SN008 SN017 SN023 SN025 SN029".split(),
)
"""DISFA's test subjects, nine a fold. Source: JAA-Net (Shao et al. 2018), and most work since."""


def subjects_of_split(
    subjects: Sequence[str], split: Split, tested: Sequence[str], fold: int, validation: int
) -> list[str]:
    """The subjects of one split, sorted.

    `tested` are those of the fold's test split. Of the others, `validation` ones are for validation, from position
    fold + 2 (counted from 0) of their sorted list on, as AUNets takes one; where there are too few, the last ones.
    Errors: `NetcfgError` where a split would be empty.
    """
    test = sorted(set(subjects) & set(tested))
    others = sorted(set(subjects) - set(tested))
    start = max(0, min(fold + 2, len(others) - validation))
    held_out = others[start : start + validation]
    chosen = {
        "train": [name for name in others if name not in held_out],
        "validation": held_out,
        "test": test,
    }[split]
    if not chosen:
        raise NetcfgError(
            f"fold {fold} leaves the {split} split without a subject: of the {len(set(subjects))} in the data "
            f"{len(test)} are tested in this fold, and {len(held_out)} of the others are for validation\n"
            "help: another `fold`, fewer `validation_subjects`, or more of the database",
            code="NC506",
        )
    return chosen


def dealt_subjects(subjects: Sequence[str], folds: int) -> list[list[str]]:
    """Subjects of data that have no folds of their own: the sorted ones dealt out in turn."""
    names = sorted(set(subjects))
    return [names[fold::folds] for fold in range(folds)]
