"""What the processor is quick at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_INSTRUCTIONS: Final = {
    "avx512_vnni", "avx_vnni", "amx_int8",  # x86
    "asimddp", "i8mm",  # ARM
}  # fmt: skip
"""Linux' words for products of bytes that are summed up in one instruction."""


def multiplies_bytes(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether products of bytes are much quicker than those of fractions."""
    try:
        with cpuinfo.open(encoding="ascii", errors="replace") as lines:
            for line in lines:
                if line.startswith(("flags", "Features")):
                    return not _INSTRUCTIONS.isdisjoint(line.split())
    except OSError:
        pass
    return False
