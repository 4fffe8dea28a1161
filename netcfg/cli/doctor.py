"""`netcfg doctor`: what this machine has, and what is missing for what."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from netcfg.cli.output import print_json
from netcfg.files import user_cache

PACKAGES = ("netcfg", "torch", "torchvision", "numpy", "opencv-python", "pillow", "safetensors", "rich")
OPTIONAL = {
    "tensorboard": ("tensorboard", "figures of runs in TensorBoard", "netcfg[tensorboard]"),
    "timm": ("timm", "[backbone] from_library = timm", "timm"),
    "pandas": ("pandas", "`to_frame` in Python", "pandas"),
    "scipy": ("scipy", "`netcfg table --test`", "netcfg[tables]"),
    "onnx": ("onnx", "`netcfg export` as ONNX", "netcfg[onnx]"),
    "onnxscript": ("onnxscript", "`netcfg export` as ONNX", "netcfg[onnx]"),
    "onnxruntime": ("onnxruntime", "`netcfg export` as ONNX", "netcfg[onnx]"),
    "submitit": ("submitit", "`netcfg sweep --launcher slurm`", "netcfg[slurm]"),
    "ray": ("ray", "`netcfg sweep --launcher ray`", "netcfg[ray]"),
}
"""By import name: the package, what it is for, and what to install."""
CODECS = ("mp4v", "MJPG", "FFV1")
"""What videos are written with: .mp4, .avi, and without loss."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.description = "Versions, devices, threads, codecs, the cache's size, and what is missing for what."
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(options: argparse.Namespace) -> int:
    """Look, and print. 1 where something is missing that netcfg cannot do without."""
    found = examined()
    if options.format == "json":
        print_json(found)
    else:
        print("\n".join(_lines(found)))
    return 1 if found["broken"] else 0


def examined() -> dict[str, object]:
    """All of it by name."""
    versions = {name: _version(name) for name in PACKAGES}
    broken = [name for name in _required() if _version(name) is None]
    lacking = [
        {"package": package, "for": purpose, "install": f"pip install '{install}'"}
        for name, (package, purpose, install) in OPTIONAL.items()
        if find_spec(name) is None
    ]
    files, size = _held(user_cache())
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": versions,
        **_machine(),
        "cache": {"folder": str(user_cache()), "files": files, "bytes": size},
        "lacking": lacking,
        "broken": broken,
    }


def _required() -> list[str]:
    """The packages that netcfg's own metadata ask for; none where it is used without being installed."""
    try:
        lines = requires("netcfg") or []
    except PackageNotFoundError:
        return []
    names = (line.split(";")[0] for line in lines if "extra ==" not in line)
    return [name.split(">")[0].split("=")[0].split("<")[0].split("[")[0].strip(" (~!") for name in names]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _machine() -> dict[str, object]:
    """Devices, threads and codecs; each says what kept it from being known."""
    devices: list[str] = ["cpu"]
    threads: int | None = None
    try:
        import torch

        threads = torch.get_num_threads()
        devices += [f"cuda:{n} {torch.cuda.get_device_name(n)}" for n in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            devices.append("mps")
    except (ImportError, OSError, RuntimeError) as error:
        devices.append(f"torch cannot be used: {error}")
    return {"devices": devices, "threads": threads, "cores": os.cpu_count(), "codecs": _codecs()}


def _codecs() -> dict[str, bool]:
    """Whether a video can be written with each, by writing one of one frame; with none where OpenCV does not load."""
    import tempfile

    import numpy as np

    try:
        from netcfg.datasets.pictures.opencv import cv2, quiet
    except ImportError:
        return dict.fromkeys(CODECS, False)

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in CODECS:
            file = Path(folder, name + (".mp4" if name == "mp4v" else ".avi"))
            four = cv2.VideoWriter_fourcc(*name)
            with quiet():
                writer = cv2.VideoWriter(str(file), four, 25.0, (32, 32))
                writer.write(np.zeros((32, 32, 3), np.uint8))
                writer.release()
            found[name] = file.is_file() and file.stat().st_size > 0
    return found


def _held(folder: Path) -> tuple[int, int]:
    """How many files lie below a folder, and their bytes; none where it is not there."""
    sizes = [file.stat().st_size for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
    return len(sizes), sum(sizes)


def _lines(found: dict[str, object]) -> list[str]:
    versions, cache = found["versions"], found["cache"]
    devices, codecs = found["devices"], found["codecs"]
    lacking, broken = found["lacking"], found["broken"]
    assert isinstance(versions, dict)
    assert isinstance(cache, dict)
    assert isinstance(devices, list)
    assert isinstance(codecs, dict)
    assert isinstance(lacking, list)
    assert isinstance(broken, list)
    lines = [f"python     {found['python']} on {found['system']}"]
    lines += [f"{name:<10} {text or 'not installed'}" for name, text in versions.items()]
    lines.append(f"devices    {', '.join(devices)}")
    threads = "\u2013" if found["threads"] is None else found["threads"]
    lines.append(f"threads    {threads} of {found['cores']} cores")
    videos = (f"{name} {'can' if can else 'cannot'} be written" for name, can in codecs.items())
    lines.append(f"videos     {', '.join(videos)}")
    lines.append(f"cache      {cache['files']} files, {cache['bytes'] / 2**20:.1f} MiB in {cache['folder']}")
    lines += [f"lacking    {one['package']}, for {one['for']}: {one['install']}" for one in lacking]
    lines += [f"missing    {name}, which netcfg cannot do without: pip install '{name}'" for name in broken]
    return lines
