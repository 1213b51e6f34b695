"""How much of the picture is left: SSIMULACRA2 against the best scaling we know.

The reference is the source decoded in full by Pillow and scaled by its Lanczos, before
any encoding. 100 is identical, 90 is hard to tell apart, 70 is high quality.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from benchmarks.jobs import Job, Wanted
from benchmarks.sources import source


def judged(
    job: Job, files: Mapping[tuple[str, str], Path], work: Path
) -> dict[tuple[str, str], float | None]:
    """The scores of all contenders' files of one job, by contender and output."""
    judge = Judge(job, source(job.source, work / "sources"), work / job.name)
    return {(who, id): judge.score(id, path) for (who, id), path in files.items()}


class Judge:
    """Scores files of one job; equal files are scored once."""

    def __init__(self, job: Job, source: Path, scratch: Path) -> None:
        """Draw nothing yet; `scratch` is where pictures are written to be compared."""
        scratch.mkdir(parents=True, exist_ok=True)
        self._wanted = {wanted.id: wanted for wanted in job.wanted}
        self._source = source
        self._scratch = scratch
        self._drawn: dict[str, list[Image.Image]] = {}
        self._scores: dict[tuple[str, str], float] = {}

    def score(self, id: str, path: Path) -> float | None:
        """The score; None at a size not asked for, or without the package for it."""
        key = (id, hashlib.sha256(path.read_bytes()).hexdigest())
        if key not in self._scores:
            score = self._compared(self._wanted[id], path)
            if score is None:
                return None
            self._scores[key] = score
        return self._scores[key]

    def _compared(self, wanted: Wanted, path: Path) -> float | None:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        shown = self._scratch / "shown.png"
        scores = []
        for reference in self._references(wanted):
            if reference.size != image.size:
                return None
            if reference.tobytes() == image.tobytes():
                return 100.0
            if find_spec("ssimulacra2") is None:
                return None
            image.save(shown, compress_level=0)
            scores.append(_ssimulacra2(reference, shown))
        return max(scores)

    def _references(self, wanted: Wanted) -> list[Image.Image]:
        if wanted.id not in self._drawn:
            with Image.open(self._source) as opened:
                self._drawn[wanted.id] = _scaled(opened.convert("RGB"), wanted)
        return self._drawn[wanted.id]


def _ssimulacra2(reference: Image.Image, shown: Path) -> float:
    from ssimulacra2 import compute_ssimulacra2

    path = shown.with_name("reference.png")
    reference.save(path, compress_level=0)
    return float(compute_ssimulacra2(str(path), str(shown)))


def _scaled(image: Image.Image, wanted: Wanted) -> list[Image.Image]:
    """The best scaling; a middle between two pixels may be cut there or beside it."""
    side = wanted.side
    if side is None:
        return [image]
    factor = side / (min if wanted.fit == "cover" else max)(image.size)
    factor = min(1.0, factor)
    size = (round(image.width * factor), round(image.height * factor))
    whole = image.resize(size, Image.Resampling.LANCZOS)
    if wanted.fit == "inside":
        return [whole]
    corners = {
        ((size[0] - side + odd) // 2, (size[1] - side + odd) // 2) for odd in (0, 1)
    }
    exact = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    return [exact, *(whole.crop((x, y, x + side, y + side)) for x, y in corners)]
