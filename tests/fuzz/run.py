"""`python tests/fuzz/run.py COUNT`: so many mutants of shipped files and schema-made programs through the commands.

Prints whatever is no finding, with the line that repeats it; exits with 1 where there was anything.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from through_commands import KINDS, faults_of, text_of

SAY_EVERY_SECONDS = 60


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1_000, help="of each kind (default 1000)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first (default 0)")
    parser.add_argument("--kind", choices=tuple(KINDS), help="only these")
    parser.add_argument("--show", action="store_true", help="print the texts")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    started = said = time.monotonic()
    for seed in range(options.first, options.first + options.count):
        for kind in [options.kind] if options.kind else KINDS:
            counts[kind] += 1
            counts["faulty"] += _one(kind, seed, options.show)
        if time.monotonic() - said > SAY_EVERY_SECONDS:
            said = time.monotonic()
            _say(counts, said - started)
    _say(counts, time.monotonic() - started)
    return int(counts["faulty"] > 0)


def _one(kind: str, seed: int, show: bool) -> bool:
    text = text_of(kind, seed)
    if show:
        print(text)
    faults = faults_of(text)
    for fault in faults:
        print(
            f"{kind} {seed}: {fault}\n  again: python {sys.argv[0]} 1 --kind {kind} --first {seed}",
            flush=True,
        )
    return bool(faults)


def _say(counts: Counter[str], seconds: float) -> None:
    ran = ", ".join(f"{counts[kind]:,} {kind}s" for kind in KINDS)
    print(f"{ran}: {counts['faulty']} faulty, {seconds:,.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
