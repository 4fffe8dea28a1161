"""Runs a page in Chromium without a window: a script acts on it, and what it returns comes back."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
    "--virtual-time-budget=4000",
    "--dump-dom",
]
_RUN = """<script>
(async () => {
  const page = window.netcfg, press = (key, target = document.activeElement) =>
    target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  let answer;
  try { answer = await (async () => { SCRIPT })(); } catch (error) { answer = {failed: String(error.stack)}; }
  document.body.textContent = "ANSWER" + JSON.stringify(answer) + "ANSWER";
})();
</script></body>"""


def in_browser(page: str, script: str, folder: Path, address: str = "") -> Any:
    """What `script`, the body of an async function, returns in the page opened at `#address`.

    `page` and `press(key)` are there for it.
    """
    assert CHROMIUM is not None
    file = folder / "page.html"
    before, end, after = page.rpartition("</body>")
    assert end
    file.write_text(before + _RUN.replace("SCRIPT", script) + after, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", f"{file.as_uri()}#{address}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = re.search("ANSWER(.*)ANSWER", done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    answer = json.loads(html.unescape(found[1]))
    assert not (isinstance(answer, dict) and "failed" in answer), answer
    return answer
