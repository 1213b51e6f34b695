"""What light jobs feel of a flood of denoising: `python -m benchmarks.flood`.

One service in one process, as `make run` starts it. Light jobs (2 MP to WebP at 800)
follow one another, alone and beside large noisy photos that wait to be denoised, in
turns, so that whatever else the machine does befalls both. The networks are those that
are shipped, or of MODELS_DIR.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks import machine
from pixtools.testing.images import photo_jpeg
from pixtools.testing.serving import Serving, serving

MOST: Final = 1.5
"""Times longer that a light job may take at the 95th percentile."""
FLOOD: Final = 6
SIGMA: Final = 15.0
_LIGHT: Final = {"id": "light", "action": "resize", "width": 800, "format": "webp"}
_HEAVY: Final = {"id": "heavy", "action": "denoise", "format": "jpg"}


@dataclass(slots=True)
class Times:
    """Milliseconds from sending a light job to knowing its end."""

    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if light jobs wait for longer than they may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=20, help="light ones in a round")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, serving() as site:
        light = photo_jpeg(Path(folder) / "light.jpg", 1600, 1200).read_bytes()
        times = _measured(site, light, _noisy(Path(folder)), asked.rounds, asked.jobs)
    for name, found in (("alone", times.alone), ("beside a flood", times.beside)):
        print(
            f"{name}: median {statistics.median(found):.0f}, p95 {_p95(found):.0f} ms"
        )
    ratio = _p95(times.beside) / _p95(times.alone)
    met = ratio <= MOST
    print(f"{'met' if met else 'MISSED'}: {ratio:.2f} times the p95, may be {MOST:g}")
    print(f"load averages: {machine.load()}")
    return 0 if met else 1


def _measured(
    site: Serving, light: bytes, heavy: bytes, rounds: int, jobs: int
) -> Times:
    times = Times()
    for _ in range(rounds):
        _run(site, light)
        times.alone += [_run(site, light) for _ in range(jobs)]
        flood = [_sent(site, heavy, _HEAVY) for _ in range(FLOOD)]
        while not any(_job(site, each)["started_at"] for each in flood):
            time.sleep(0.05)
        times.beside += [_run(site, light) for _ in range(jobs)]
        if all(_job(site, each)["finished_at"] for each in flood):
            raise SystemExit("The flood was over too soon to tell anything.")
        for each in flood:
            site.http.delete(f"/v1/jobs/{each}").raise_for_status()
    return times


def _run(site: Serving, photo: bytes) -> float:
    began = time.perf_counter()
    job_id = _sent(site, photo, _LIGHT)
    while not _job(site, job_id, wait=20)["finished_at"]:
        pass
    return (time.perf_counter() - began) * 1000


def _sent(site: Serving, photo: bytes, step: Mapping[str, object]) -> str:
    answer = site.http.post(
        "/v1/jobs",
        files={"file": ("photo.jpg", photo)},
        data={"pipeline": json.dumps([step]), "archive": "false"},
    )
    answer.raise_for_status()
    job_id: str = answer.json()["job_id"]
    return job_id


def _job(site: Serving, job_id: str, wait: float = 0) -> dict[str, Any]:
    found: dict[str, Any] = site.http.get(
        f"/v1/jobs/{job_id}", params={"wait": wait}
    ).json()
    return found


def _noisy(folder: Path) -> bytes:
    with Image.open(photo_jpeg(folder / "large.jpg", 4000, 3000)) as image:
        pixels = np.asarray(image, dtype=np.float32)
    grain = np.random.default_rng(1).normal(0.0, SIGMA, pixels.shape)
    spoiled = (pixels + grain).clip(0, 255).astype(np.uint8)
    Image.fromarray(spoiled).save(folder / "noisy.jpg", quality=92)
    return (folder / "noisy.jpg").read_bytes()


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(0.95 * len(times))]


if __name__ == "__main__":
    sys.exit(main())
