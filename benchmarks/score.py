"""How much of the picture is left: SSIMULACRA2 against the best scaling we know.

The reference is the source decoded in full by Pillow and scaled by its Lanczos, before
any encoding. 100 is identical, 90 is hard to tell apart, 70 is high quality.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from benchmarks.jobs import Job, Wanted


class Judge:
    """Scores files of one job; equal files are scored once."""

    def __init__(self, job: Job, source: Path, scratch: Path) -> None:
        """Draw nothing yet; `scratch` is where references are written."""
        self._wanted = {wanted.id: wanted for wanted in job.wanted}
        self._source = source
        self._scratch = scratch
        self._scores: dict[tuple[str, str], float] = {}

    def score(self, id: str, path: Path) -> float | None:
        """The score; None at a size not asked for, or without the package for it."""
        if find_spec("ssimulacra2") is None:
            return None
        key = (id, hashlib.sha256(path.read_bytes()).hexdigest())
        if key not in self._scores:
            score = self._compared(self._wanted[id], path)
            if score is None:
                return None
            self._scores[key] = score
        return self._scores[key]

    def _compared(self, wanted: Wanted, path: Path) -> float | None:
        from ssimulacra2 import compute_ssimulacra2

        with Image.open(path) as opened:
            image = opened.convert("RGB")
        reference = self._reference(wanted)
        with Image.open(reference) as opened:
            if opened.size != image.size:
                return None
        shown = self._scratch / "shown.png"
        image.save(shown, compress_level=0)
        return float(compute_ssimulacra2(str(reference), str(shown)))

    def _reference(self, wanted: Wanted) -> Path:
        path = self._scratch / f"reference-{wanted.id}.png"
        if not path.exists():
            self._scratch.mkdir(parents=True, exist_ok=True)
            with Image.open(self._source) as opened:
                image = _scaled(opened.convert("RGB"), wanted)
            image.save(path, compress_level=0)
        return path


def _scaled(image: Image.Image, wanted: Wanted) -> Image.Image:
    side = wanted.side
    if side is None:
        return image
    if wanted.fit == "cover":
        return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    factor = min(1.0, side / max(image.size))
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)
