"""vipsthumbnail, libvips' own command: one run, and one decode, for each output."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.stopwatch import Order, Shift, clock, order, tell

_DIALS = {
    "png": {"effort": "compression"},
    "webp": {"quality": "Q", "effort": "effort"},
    "avif": {"quality": "Q", "effort": "effort"},
    "jpg": {"quality": "Q"},
}
_AS_IT_IS = 100_000
"""A box that no source fills, for outputs that keep their size."""


def work(told: Order) -> dict[str, str]:
    """Run the command once for each file of the order."""
    files = {}
    for wanted in told["wanted"]:
        path = Path(told["out"], f"{wanted['id']}.{wanted['format']}")
        side = wanted["side"] or _AS_IT_IS
        command = ["vipsthumbnail", told["source"], "--size", f"{side}x{side}>"]
        if wanted["fit"] == "cover":
            command[3] = f"{side}x{side}"
            command += ["--smartcrop", "centre"]
        subprocess.run(
            [*command, "--output", f"{path}[{_options(wanted)}]"], check=True
        )
        files[wanted["id"]] = str(path)
    return files


def with_childrens_memory(shift: Shift) -> Shift:
    """The largest of the commands is what the work needs; nothing stays after it."""
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    return {**shift, "peak_mb": peak, "after_mb": 0.0}


def _options(wanted: dict[str, Any]) -> str:
    dials = _DIALS[wanted["format"]].items()
    chosen = [f"{dial}={wanted[ours]}" for ours, dial in dials if wanted[ours]]
    if wanted["format"] == "png" and wanted["effort"]:
        chosen.append("filter=sub")
    return ",".join(["strip", *chosen])


if __name__ == "__main__":
    told = order()
    tell(with_childrens_memory(clock(lambda: work(told), told["repeats"])))
