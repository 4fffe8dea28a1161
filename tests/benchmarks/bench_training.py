"""Whether data keep up with training: both rates over two epochs of the demo preset."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from netcfg.passes.read import shipped_folder


def main() -> None:
    """Train two epochs in a folder of their own and print what `metrics.jsonl` recorded."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "netcfg", "train", str(shipped_folder() / "aunet_of_horizontal.cfg")]
        command += ["--preset", "demo", "--epochs", "2", "--run-dir", str(run)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for line in (run / "metrics.jsonl").read_text().splitlines():
            record = json.loads(line)
            rates = record["rates"]
            print(
                f"epoch {record['epoch']}: steps {rates['step_samples_per_second']:.0f} samples/s, "
                f"data {rates['data_samples_per_second']:.0f} samples/s, "
                f"waited for data {100 * rates['waiting_share']:.1f} % of the time",
                flush=True,
            )


if __name__ == "__main__":
    main()
