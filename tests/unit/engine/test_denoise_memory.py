"""Memory that doesn't grow with the picture, in a process as the children are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
from tests.networks import laid_out

from pixtools.domain.limits import MIB
from pixtools.engine.denoise.variants import Variant

CHILD = """
import sys
from pathlib import Path
from tests.denoising import opened, wanted
from tests.plans import plan
from pixtools.engine import open_engine, render
open_engine()
asked = plan(wanted("jpg", denoise={"model": "fast"}))
report = render(Path(sys.argv[1]), asked, Path(sys.argv[2]), denoisers=opened(Path(sys.argv[3])))
assert not report.failures, report.failures
assert report.outputs[0].model == "fast"
print(report.source.estimated_bytes, report.peak_rss_bytes)
"""
ROOT = Path(__file__).resolve().parents[3]
WIDE = Variant("fast", 2, 64, 2, conditional=True)
"""As wide as the real one, so that its tiles take as much; but not as deep."""


def peak_of(
    width: int, height: int, folder: Path, environ: dict[str, str]
) -> list[int]:
    """Estimated and real bytes of a fresh process."""
    grey = pyvips.Image.gaussnoise(width, height, sigma=20, mean=128).cast("uchar")
    source = folder / "noisy.jpg"
    grey.bandjoin([grey, grey]).copy(interpretation="srgb").jpegsave(source, Q=80)
    chance = np.random.default_rng(1)
    weights = {}
    for index, (inner, outer) in enumerate(WIDE.widths):
        kernel = chance.normal(0, 0.01, (outer, inner, 3, 3)).astype(np.float32)
        weights[f"model.{2 * index}.weight"] = kernel
        weights[f"model.{2 * index}.bias"] = np.zeros(outer, np.float32)
    models = laid_out(folder / "models", WIDE, weights)
    malloc = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "16777216"}
    path = f"{ROOT}:{environ.get('PYTHONPATH', '')}"
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), str(folder), str(models)],
        env=environ | malloc | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [int(word) for word in run.stdout.split()]


@pytest.mark.parametrize("size", [(1200, 900), (7000, 2600)])
def test_a_picture_of_any_size_is_cleaned_in_the_same_memory(
    size: tuple[int, int], tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    estimated, peak = peak_of(*size, tmp_path, unmeasured)
    assert peak <= estimated <= 400 * MIB
    assert peak < 250 * MIB
