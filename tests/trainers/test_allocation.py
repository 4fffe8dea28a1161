"""Memory that is freed and asked for again is not mapped anew."""

import os
import platform
import subprocess
import sys

import pytest

COUNT = """
import resource, sys
if sys.argv[1] == "kept":
    from netcfg.trainers.machine.allocation import keep_freed_memory
    keep_freed_memory()
    assert "torch" not in sys.modules
import torch
def step():
    return torch.ones(16, 1024, 1024).sum()  # 64 MB
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
step()
print(sorted(faults() for _ in range(11))[5])  # where memory is short, the kernel takes back what one step left
"""


def faults(way: str, **settings: str) -> int:
    """Of the step in the middle of eleven, by their number."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "THP_"))}
    done = subprocess.run(
        [sys.executable, "-c", COUNT, way], env=kept | settings, capture_output=True, check=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library can be told to")
def test_a_step_finds_the_memory_of_the_one_before() -> None:
    assert faults("kept") * 20 < faults("given back")


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only GNU's C library can be told to")
def test_the_environment_has_the_last_word() -> None:
    settings = {"MALLOC_TRIM_THRESHOLD_": "131072", "THP_MEM_ALLOC_ENABLE": "0"}
    assert faults("kept", **settings) * 2 > faults("given back", **settings)
