"""What processes ask of the machine they run on."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

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


_OWN_GROUP = Path("/proc/self/autogroup")


@pytest.mark.parametrize("leads", [True, False])
def test_who_leads_a_session_lets_it_yield(leads: bool) -> None:
    """Never one that others share: a terminal's, with all that runs in it."""
    program = (
        "from pixtools.wiring.machine import let_session_yield as let\n"
        f"from pathlib import Path\nlet(7)\nshown = Path({str(_OWN_GROUP)!r})\n"
        "print(shown.read_text().split()[-1] if shown.exists() else 'none')"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(
        words, capture_output=True, text=True, check=True, start_new_session=leads
    )
    ours = _OWN_GROUP.read_text().split()[-1] if _OWN_GROUP.exists() else "none"
    wanted = "7" if leads and ours != "none" else ours
    assert said.stdout.strip() == wanted
