"""Pieces of photos pass by without the kernel handing out their pages each time."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

_PROGRAM = """
import resource
from pixtools.wiring.machine import keep_freed_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

keep_freed_memory()
piece = bytes(1 << 20)
copies = [bytearray(piece) for _ in range(4)]
del copies
before = faults()
for _ in range(100):
    copies = [bytearray(piece) for _ in range(4)]
    del copies
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Others have no choice.")
def test_what_is_freed_is_at_hand_for_what_comes_next() -> None:
    """Four hundred pieces of 256 pages each would be 100,000 faults."""
    words = [sys.executable, "-c", _PROGRAM]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert int(said) < 10_000
