"""How fast noise goes, and in how much memory: fresh processes that take turns."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from benchmarks.denoise.ours import Ours
from benchmarks.sources import source
from benchmarks.stopwatch import Shift
from pixtools.workers.launch import environment as child_environment

ROOT: Final = Path(__file__).resolve().parents[2]

TORCH: Final = "PIXTOOLS_BENCH_TORCH"
"""Names a Python that has PyTorch."""

EAGER: Final = "eager"
_PATIENCE_SECONDS: Final = 900
_NOISE: Final = 25.0


@dataclass(frozen=True, slots=True)
class Size:
    """A picture of the benchmark: how often it is done, and whether PyTorch may."""

    title: str
    width: int
    height: int
    rounds: int
    eager: bool = True

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


SIZES: Final = (
    Size("1 MP", 1152, 864, 3),
    Size("4 MP", 2304, 1728, 2),
    Size("12 MP", 4000, 3000, 1, eager=False),
)
SMALL: Final = (Size("0.1 MP", 384, 256, 1),)


@dataclass(slots=True)
class Pace:
    """One contender at one size."""

    name: str
    size: Size
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    @property
    def per_second(self) -> float:
        """Megapixels per second on all cores, as the clock on the wall has it."""
        return self.size.megapixels / (statistics.median(self.wall_ms) / 1000.0)

    @property
    def per_cpu_second(self) -> float:
        """Megapixels per second of processor time."""
        return self.size.megapixels / (statistics.median(self.cpu_ms) / 1000.0)

    def add(self, shift: Shift) -> None:
        """Count a process: the last of its times is a warm one."""
        self.wall_ms.append(shift["wall_ms"][-1])
        self.cpu_ms.append(shift["cpu_ms"][-1])
        self.peak_mb = max(self.peak_mb, shift["peak_mb"])


Say = Callable[[str], None]


def paces(
    contenders: Mapping[Ours, Path | None], sizes: Sequence[Size], work: Path, say: Say
) -> list[Pace]:
    """Time every contender at every size; `contenders` says where weights lie.

    PyTorch takes its turns where the environment names a Python that has it.
    """
    found = []
    for size in sizes:
        picture = noisy_file(size, work)
        turns = [
            (Pace(one.name, size), _ours(one, home, picture, work))
            for one, home in contenders.items()
        ]
        if size.eager and os.environ.get(TORCH):
            turns.append((Pace(EAGER, size), _eager(size)))
        for number in range(size.rounds):
            for pace, command in turns:
                say(f"{pace.name}, {size.title}, round {number + 1} of {size.rounds}")
                pace.add(_run(command))
        found += [pace for pace, _ in turns]
    return found


def floors() -> dict[str, float]:
    """Multiplications per second of processor time, by precision."""
    command = [sys.executable, "-m", "benchmarks.denoise.floor"]
    rates: dict[str, float] = _run(command, OPENBLAS_NUM_THREADS="1")
    return rates


def noisy_file(size: Size, work: Path) -> Path:
    """A photo of that size, drawn by code, with noise of σ = 25, as JPEG."""
    path = work / f"noisy-{size.width}.jpg"
    if not path.exists():
        drawn = source("12mp", work)
        with Image.open(drawn) as image:
            whole = image.convert("RGB").resize((size.width, size.height))
        pixels = np.asarray(whole, np.float32)
        grain = np.random.default_rng(size.width).standard_normal(
            pixels.shape, np.float32
        )
        bytes_ = np.clip(np.rint(pixels + grain * _NOISE), 0, 255).astype(np.uint8)
        Image.fromarray(bytes_).save(path, quality=95)
    return path


def _ours(one: Ours, home: Path | None, picture: Path, work: Path) -> list[str]:
    out = work / "made"
    out.mkdir(parents=True, exist_ok=True)
    told = {
        "model": one.model,
        "precision": one.precision,
        "models": str(home) if home else "",
        "source": str(picture),
        "out": str(out),
        "repeats": 1,
    }
    return [sys.executable, "-m", "benchmarks.denoise.stint", json.dumps(told)]


def _eager(size: Size) -> list[str]:
    told = {"width": size.width, "height": size.height, "repeats": 1}
    python = os.environ[TORCH]
    return [python, "-m", "benchmarks.denoise.eager", json.dumps(told)]


def _as_children_are_started(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of pixel children, whose allocator is set up there."""
    paths = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
    return {**child_environment(os.environ), "PYTHONPATH": paths, **more}


def _run(command: Sequence[str], **environment: str) -> Any:  # noqa: ANN401 - JSON
    answer = subprocess.run(
        command,
        env=_as_children_are_started(environment),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    if answer.returncode:
        raise RuntimeError(f"{command[2]} failed: {answer.stderr.strip()[-500:]}")
    return json.loads(answer.stdout.strip().splitlines()[-1])
