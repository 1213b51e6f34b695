"""Weights of one's own do the work from the moment they are imported."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image
from tests.checkpoints import blurring, checkpoint

from pixtools.engine.denoise.variants import QUALITY
from pixtools.testing.serving import command


def typed(here: Path, *words: str) -> str:
    """What `pixtools …` prints, where it succeeds."""
    done = subprocess.run(
        command(*words), cwd=here, env=os.environ, check=False,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_photo_is_denoised_by_imported_weights(tmp_path: Path) -> None:
    """From a checkpoint of PyTorch to a picture with less noise, without PyTorch."""
    grain = np.random.default_rng(1).normal(128, 25, (96, 128, 3))
    noisy = grain.clip(0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    weights = tmp_path / "dncnn_color_blind.pth"
    weights.write_bytes(checkpoint(blurring(QUALITY)))
    typed(tmp_path, "models", "import", weights.name)
    said = json.loads(
        typed(tmp_path, "process", "noisy.png", "--denoise", "--out", "out", "--json")
    )
    (output,) = said["outputs"]
    assert output["model"] == "quality"
    (made,) = (tmp_path / "out").rglob("*.png")
    with Image.open(made) as image:
        assert np.asarray(image).std() < noisy.std() / 2
