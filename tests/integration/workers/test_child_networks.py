"""The real child and its networks: told where they are, asked for them at once."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.networks import blurring, by_chance

from pixtools.domain.errors import WorkerLost
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Denoise, Encode, OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

CLEAN = OutputPlan(
    id="a", action="denoise", encode=Encode(format="png"), denoise=Denoise()
)
ML = WorkersConfig(count=1, kept=0, kept_heavy=1, denoise_threads=1)


@pytest.fixture
def noisy(tmp_path: Path) -> Path:
    """Grey, with noise of 20 out of 255."""
    grain = np.random.default_rng(7).normal(128, 20, (96, 160, 3))
    path = tmp_path / "noisy.png"
    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(path)
    return path


def cleaned(pool: ProcessRenderer, source: Path, **wish: object) -> OutputFacts:
    plan = RenderPlan(outputs=(replace(CLEAN, denoise=Denoise(**wish)),))  # type: ignore[arg-type] # a test's own words
    report = pool.render(
        source,
        plan,
        source.parent,
        assets={},
        limits=Limits(),
        checkpoint=lambda _: None,
        timeout=60,
        heavy=True,
    )
    assert report.failures == ()
    return report.outputs[0]


def test_a_child_denoises_by_the_weights_it_was_told_of(
    noisy: Path, tmp_path: Path
) -> None:
    """And stays the same child, although a network makes it large."""
    weights = by_chance(blurring(tmp_path / "weights", "fast"), "quality")
    with ProcessRenderer(replace(ML, models_dir=weights)) as pool:
        pool.warm()
        said = pool.capabilities()
        assert "denoise" in said.actions
        assert said.models == ("quality", "fast")
        (child,) = pool.children()
        assert cleaned(pool, noisy, model="fast").model == "fast"
        found = cleaned(pool, noisy)
        assert found.model == "quality"
        assert found.noise_sigma == pytest.approx(20, rel=0.15)
        assert [(one.pid, one.jobs) for one in pool.children()] == [(child.pid, 2)]


def test_weights_that_are_broken_are_found_before_there_is_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which, and what to do."""
    weights = blurring(tmp_path / "weights", "fast")
    (weights / "denoise-fast.onnx").write_bytes(b"no network")
    with (
        caplog.at_level(logging.WARNING),
        ProcessRenderer(replace(ML, models_dir=weights)) as pool,
        pytest.raises(WorkerLost),
    ):
        pool.warm()
    assert "weights of the denoiser fast can't be used" in caplog.text
