"""Chromium without a window, driven over a pipe (its DevTools protocol): real keys, pointers and pictures."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REQUIRED = "NETCFG_BROWSER"
"""Where this variable is `required`, as in CI, tests that need a browser fail without one."""


def is_skipped(environment: Mapping[str, str], chromium: str | None) -> bool:
    """Whether the tests of pages are left out: only where nobody asked for them."""
    return chromium is None and environment.get(REQUIRED) != "required"


needs_chromium = pytest.mark.skipif(
    is_skipped(os.environ, CHROMIUM), reason="there is no chromium on this machine"
)
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
    "--remote-debugging-pipe",
]
KEYS = {"Enter": "\r", " ": " ", "Escape": "", "Tab": "\t"}
CODES = {
    "Enter": 13,
    "Escape": 27,
    "Tab": 9,
    " ": 32,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}


MOVE_INTO_VIEW = """(element) => {
  const {x, y, width, height} = element.getBoundingClientRect();
  const part = netcfg.drawing.parts.get(element.closest("#stage [data-node]")?.dataset.node);
  const stage = document.querySelector("#stage").getBoundingClientRect();
  const isIn = x > 0 && x + width < stage.right && y > stage.top && y + height < stage.bottom;
  if (part && !isIn) netcfg.bring(part);
}"""
"""Moves the diagram as a reader would before a click."""


class Browser:
    """One page at a time: `open` it, then act on it as a reader would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # Chromium reads its orders from descriptor 3 and answers to 4.
        command = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        options = [*OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", command, str(CHROMIUM), *options],
            pass_fds=(to_read, to_write),
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        self._numbers = itertools.count(1)
        self._received = b""
        self._session = ""
        self.problems: list[str] = []
        self.begin_anew()

    def begin_anew(self) -> None:
        """Go on in a tab that has no history."""
        self._session = ""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self._ask(f"{domain}.enable")

    def close(self) -> None:
        self._session = ""
        self._ask("Browser.close")
        self.process.wait(10)

    def open(self, page: str, address: str = "", dark: bool = False) -> None:
        """Show a page at `#address`, as a file."""
        handle, name = tempfile.mkstemp(".html", dir=self.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(page)
        self.problems.clear()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self._ask("Page.navigate", url=f"{Path(name).as_uri()}#{address}")
        self.evaluate(
            "new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', done))"
        )
        self.settle()

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page (of what it promises)."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self._ask("Runtime.evaluate", **asked)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def settle(self) -> None:
        """Wait until what was done is seen."""
        self.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
        )

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys as a keyboard does."""
        for key in keys:
            text = KEYS.get(key, "" if key.startswith("Arrow") else key)
            about = {"key": key, "text": text, "modifiers": 8 * shift}
            about["windowsVirtualKeyCode"] = CODES.get(key, ord(key[0].upper()))
            self._ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **about)
            self._ask("Input.dispatchKeyEvent", type="keyUp", **about)
        self.settle()

    def click(self, selector: str, times: int = 1) -> None:
        """Click in the middle of the first element of a selector."""
        self.evaluate(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'nearest'}})")
        self.evaluate(f"({MOVE_INTO_VIEW})(document.querySelector({json.dumps(selector)}))")
        self.settle()
        box = self.evaluate(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self._mouse(kind, *box, button="left", clickCount=count)
        self.settle()

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Move with the button down."""
        self._mouse("mousePressed", *start, button="left", clickCount=1)
        middle = [(first + last) / 2 for first, last in zip(start, end, strict=True)]
        for point in (middle, end):
            self._mouse("mouseMoved", *point, button="left", buttons=1)
        self._mouse("mouseReleased", *end, button="left", clickCount=1)
        self.settle()

    def wheel(self, at: tuple[float, float], delta: tuple[float, float], control: bool = False) -> None:
        """Turn the wheel, or move two fingers."""
        self._mouse("mouseWheel", *at, deltaX=delta[0], deltaY=delta[1], modifiers=2 * control)
        self.settle()

    def resize(self, width: int, height: int) -> None:
        """Make the window so large."""
        asked = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._ask("Emulation.setDeviceMetricsOverride", **asked)
        self.settle()

    def media(self, kind: str) -> None:
        """Show the page as on `print`, or as it is."""
        self._ask("Emulation.setEmulatedMedia", media=kind)
        self.settle()

    def picture(self, file: str | Path) -> None:
        """Take a picture of the page."""
        Path(file).write_bytes(base64.b64decode(self._ask("Page.captureScreenshot")["data"]))

    def printed(self) -> bytes:
        """The page as a PDF."""
        return base64.b64decode(self._ask("Page.printToPDF", printBackground=True)["data"])

    def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._to, json.dumps(order).encode() + b"\0")
        for message in self._messages():
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(message["params"])[:2000])
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]
        raise AssertionError(f"chromium went away during {method}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            first, end, rest = self._received.partition(b"\0")
            if end:
                self._received = rest
                yield json.loads(first)
                continue
            more = os.read(self._from, 1 << 20)
            if not more:
                return
            self._received += more


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of a session; its page has `netcfg`, the page's own object."""
    assert CHROMIUM is not None, f"{REQUIRED} is `required`, and there is no chromium on this machine"
    one = Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()
