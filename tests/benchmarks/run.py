"""All benchmarks, one command: `python tests/benchmarks/run.py`. Ratios of one run, never assertions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = (
    "bench_compile",
    "bench_draw",
    "bench_diff",
    "bench_network",
    "bench_blocks",
    "bench_generator",
    "bench_step",
    "bench_checkpoint",
    "bench_hydra",
    "bench_audetnet",
    "bench_training",
    "bench_faces",
    "bench_flow",
    "bench_data_show",
    "bench_frames",
    "bench_losses",
    "bench_metrics",
    "bench_page",
    "bench_pictures",
    "bench_programs",
    "bench_export",
)

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    wanted = sys.argv[1:] or list(NAMES)
    for name in wanted:
        sys.argv = [name]  # some read arguments of their own
        print(f"--- {name}", flush=True)
        importlib.import_module(name).main()
