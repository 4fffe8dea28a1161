"""What an export needs beside netcfg, looked for before anything slow is loaded."""

from __future__ import annotations

from importlib.util import find_spec

from netcfg.source import NetcfgError

NEEDED = ("onnx", "onnxscript", "onnxruntime")


def expect_onnx() -> None:
    """Raises `NetcfgError` (NC807) with the install line where something is not installed."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        raise NetcfgError(
            f"{' and '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed, and ONNX files are written "
            "and proven with it\nhelp: `pip install 'netcfg[onnx]'`",
            code="NC807",
        )
