"""All benchmarks, one command: `python tests/benchmarks/run.py`. Ratios of one run, never assertions."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = ("bench_compile", "bench_network", "bench_training", "bench_faces")

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    for name in sys.argv[1:] or NAMES:
        print(f"--- {name}", flush=True)
        importlib.import_module(name).main()
