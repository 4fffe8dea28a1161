"""What leaves: exported Python beside the compiled network, its import beside `import torch`, ONNX beside PyTorch.

    python tests/benchmarks/bench_export.py [--rounds 15] [--threads 2]

Both ways take their batches in turn; the median of the rounds' ratios counts. Below 1 the export is faster.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

import netcfg
from netcfg.builder.exports.export import Asked, export
from netcfg.passes.read import shipped_folder

FILES = ("zoo/resnet18", "zoo/vit_b_32", "zoo/frames_lstm")


def ratio(first: Callable[[], object], second: Callable[[], object], rounds: int) -> float:
    """How long the first takes beside the second."""
    found = []
    for _ in range(rounds):
        times = []
        for call in (first, second):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        found.append(times[0] / times[1])
    return statistics.median(found)


def started(text: str) -> Callable[[], object]:
    """A fresh process that runs a text."""
    return lambda: subprocess.run([sys.executable, "-c", text], check=True)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for file in FILES:
        program = netcfg.load(shipped_folder() / f"{file}.cfg")
        (name, graph), *_ = program.networks.items()
        networks = netcfg.build(program)
        network = networks[name].eval()
        x = torch.randn(2, *(int(str(size)) for size in next(iter(graph.inputs.values())).shape))
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            written = Path(folder) / "net.py"
            export("py", program, networks, [name], written, Asked())
            export("onnx", program, networks, [name], written.with_suffix(".onnx"), Asked())
            spec = importlib.util.spec_from_file_location("exported", written)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            loaded = module.load()
            session = _session(written.with_suffix(".onnx"), options.threads)
            given = {next(iter(graph.inputs)): x.numpy()}
            network(x), loaded(x), session.run(None, given)
            python = ratio(lambda: loaded(x), lambda: network(x), options.rounds)  # noqa: B023
            onnx = ratio(lambda: session.run(None, given), lambda: network(x), options.rounds)  # noqa: B023
            imported = ratio(
                started(f"import sys; sys.path.insert(0, {folder!r}); import net"),
                started("import torch"),
                max(3, options.rounds // 3),
            )
        print(f"{file:18} python {python:5.3f}   onnx {onnx:5.3f}   import {imported:5.3f} of torch's")


def _session(file: Path, threads: int):  # type: ignore[no-untyped-def]
    import onnxruntime

    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(file, chosen, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
