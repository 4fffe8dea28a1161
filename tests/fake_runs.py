"""Folders that look like finished runs, for what reads these without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from netcfg.cli.new import text_of


def fake_run(
    folder: Path, program: str, seed: int, metrics: Mapping[str, Mapping[str, float | None]]
) -> Path:
    """A run of a program of faces' expressions, with figures by metric, the main one first, on both splits."""
    folder.mkdir(parents=True)
    judged = {"schema": 2, "losses": {"loss": 0.5}, "metrics": metrics}
    first = next(iter(metrics))
    started = {"program": program, "settings": [f"au={seed + 1}"], "seed": seed}
    ended = {
        "best_epoch": 2,
        "epochs": 2,
        "monitor": {"name": first, "value": metrics[first][first]},
        "validation": judged,
        "test": judged,
    }
    lines = [
        {
            "epoch": epoch,
            "step": 3 * epoch,
            "train": {"loss": 1 / epoch},
            "validation": judged,
            "best": epoch == 2,
        }
        for epoch in (1, 2)
    ]
    (folder / "run.json").write_text(json.dumps(started))
    (folder / "resolved.cfg").write_text(text_of("Mine", "expression", "small").replace("$image_size", "32"))
    (folder / "result.json").write_text(json.dumps(ended))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder
