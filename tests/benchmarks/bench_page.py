"""The HTML page with a thousand blocks: how large it is, and how quickly it draws, moves and enlarges."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import netcfg

BLOCKS = 1000
FRAMES = """(async () => {
  const start = performance.now();
  for (let frame = 0; frame < 60; frame += 1) {
    MOVE;
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - start) / 60;
})()"""
MOVES = {"move": "netcfg.y -= 15; netcfg.look()", "enlarge": "netcfg.zoom(1.005)"}
WORK = {
    "draw": "netcfg.draw()",
    "search": "netcfg.search('convolutional')",
    "choose a block": "netcfg.choose('Big.b500', true)",
}


def text() -> str:
    """A chain with sums of what is a few blocks back."""
    rows = ["{Big}", "[net]", "channels = 8", "height = 64", "width = 64"]
    for block in range(BLOCKS):
        if block > 20 and block % 7 == 0:
            rows += ["[combine_add]", f"name = b{block}", f"combine_layers = -1, b{block - 2 - block % 11}"]
        else:
            rows += ["[convolutional]", f"name = b{block}", "filters = 8", "kernel_size = 3", "pad = 1"]
    return "\n".join(rows)


def main() -> None:
    """Print sizes and times; without a browser only the former."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "draw"))
    from browser import CHROMIUM, Browser

    start = time.perf_counter()
    page = netcfg.picture(netcfg.load(text())).page()
    print(f"{BLOCKS} blocks: {len(page) / 1e6:.2f} MB written in {time.perf_counter() - start:.2f} s")
    if CHROMIUM is None:
        print("there is no chromium on this machine")
        return
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(Path(folder))
        browser.open(page)
        for name, script in WORK.items():
            took = browser.evaluate(
                f"(() => {{ const a = performance.now(); {script}; return performance.now() - a }})()"
            )
            print(f"{name}: {took:.0f} ms")
        for name, script in MOVES.items():
            print(f"{name}: {browser.evaluate(FRAMES.replace('MOVE', script)):.1f} ms a frame")
        browser.close()


if __name__ == "__main__":
    main()
