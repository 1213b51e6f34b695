"""How much memory the real child takes for the job that it is measured by."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from pixtools.domain.limits import MIB
from pixtools.testing.images import photo_jpeg


def test_a_child_is_small_at_its_work_and_smaller_after_it(
    tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    """The gallery of a 12-megapixel photo, three times: at most 60 MiB, then 35."""
    photo_jpeg(tmp_path / "photo.jpg", 4000, 3000)
    answer = subprocess.run(
        [sys.executable, "-c", _GALLERY_JOBS, str(tmp_path)],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=True,
    )
    peak, after = map(int, answer.stdout.split())
    assert peak <= 60 * MIB
    assert after <= 35 * MIB


_GALLERY_JOBS: Final = """
import re, sys, time
from pathlib import Path
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Box, Encode, Mark, OutputPlan, RenderPlan
from pixtools.workers.pool import ProcessRenderer
jpeg = Encode(format="jpg", quality=80)
boxes = [Box(width=side, height=side) for side in (2048, 1024, 512)]
boxes.append(Box(width=200, height=200, fit="cover"))
plan = RenderPlan(outputs=tuple(
    OutputPlan(id=str(i), action="resize", encode=jpeg, box=box)
    for i, box in enumerate(boxes)))
folder = Path(sys.argv[1])
with ProcessRenderer() as renderer:
    for _ in range(3):
        report = renderer.render(folder / "photo.jpg", plan, folder, assets={},
            limits=Limits(), checkpoint=lambda _: None, timeout=60)
        assert len(report.outputs) == 4, report
    (child,) = renderer.children()
    status = Path(f"/proc/{child.pid}/status").read_text()
    peak = re.search(r"VmHWM:\\s*(\\d+)", status)
    deadline = time.monotonic() + 60  # it trims when no job has come for a moment
    while renderer.children()[0].rss_bytes > 35 << 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    print(int(peak[1]) * 1024, renderer.children()[0].rss_bytes)
"""
