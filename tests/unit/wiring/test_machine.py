"""What processes ask of the machine they run on."""

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


_NICENESS = """
from pathlib import Path

def niceness():
    shown = Path("/proc/self/autogroup")
    words = shown.read_text().split() if shown.exists() else []
    return words[-1] if words else "none"  # and so where a kernel shares otherwise
"""
_YIELD = """
from pixtools.wiring.machine import let_session_yield
let_session_yield(7)
"""


@pytest.mark.parametrize("leads", [True, False])
def test_who_leads_a_session_lets_it_yield(leads: bool) -> None:
    """Never one that others share: a terminal's, with all that runs in it."""
    before = _niceness("", leads)
    wanted = "7" if leads and before != "none" else before
    assert _niceness(_YIELD, leads) == wanted


def _niceness(first: str, leads: bool) -> str:
    words = [sys.executable, "-c", f"{_NICENESS}{first}print(niceness())"]
    return subprocess.run(
        words, capture_output=True, text=True, check=True, start_new_session=leads
    ).stdout.strip()
