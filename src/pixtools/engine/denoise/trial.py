"""Whether a network takes noise away, tried on a picture made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixtools.domain.errors import WeightsUnusable
from pixtools.engine.denoise.variants import Variant

_SIDE: Final = 96
_SIGMA: Final = 25.0 / 255.0
_LEAST_GAIN: Final = 1.0
"""Decibels that any denoiser gains on so plain a picture; good ones gain ten."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Decibels to the clean picture, before and after."""

    before: float
    after: float


def tried(raw: bytes, variant: Variant) -> Trial:
    """Run a network of ours, given as ONNX, once.

    Raises:
        WeightsUnusable: Its answer holds no numbers, or the noise.
    """
    clean = _picture()
    grain = np.random.default_rng(25).standard_normal(clean.shape)
    noisy = (clean + grain * _SIGMA).astype(np.float32)
    answer = _run(raw, variant, noisy)
    if not np.isfinite(answer).all():
        raise WeightsUnusable(
            "With these weights the network answers with values that are no numbers."
        )
    trial = Trial(_decibels(noisy, clean), _decibels(answer, clean))
    if trial.after < trial.before + _LEAST_GAIN:
        raise WeightsUnusable(
            "These weights take no noise away: on a test picture they lead from "
            f"{trial.before:.1f} dB to {trial.after:.1f} dB. They have to predict the "
            "noise of RGB values from 0 to 1."
        )
    return trial


def _picture() -> NDArray[np.float32]:
    """Slopes in three colours, with a disc whose edge is sharp."""
    down, across = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32) / _SIDE
    slopes = np.stack([down, across, 1.0 - down * across]) * np.float32(0.6) + 0.2
    disc = (down - 0.5) ** 2 + (across - 0.4) ** 2 < 0.06
    return np.where(disc, 1.0 - slopes, slopes).astype(np.float32)[None]


def _run(
    raw: bytes, variant: Variant, noisy: NDArray[np.float32]
) -> NDArray[np.float32]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        raw, options, providers=["CPUExecutionProvider"]
    )
    given: dict[str, Any] = {"image": noisy}
    if variant.conditional:
        given["sigma"] = np.full((1, 1, 1, 1), _SIGMA, np.float32)
    (answer,) = session.run(["denoised"], given)
    found: NDArray[np.float32] = answer
    return found


def _decibels(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    error = float(np.mean(np.square(one - other, dtype=np.float64)))
    return round(float(-10.0 * np.log10(max(error, 1e-10))), 2)
