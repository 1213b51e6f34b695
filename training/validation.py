"""How good a network is on photographs it has never seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from training.networks import Denoiser
from training.photos import Photo, noisy, psnr

SIGMAS = (0, 15, 25, 50)
"""Standard deviations out of 255; at 0 nothing may be harmed."""

Scores = dict[str, float]
"""Mean decibels by σ, named like `25`."""


def scores(network: Denoiser, photos: list[Photo]) -> Scores:
    """Return the mean PSNR over `photos` of what `network` makes of them."""
    return {
        str(sigma): _mean(
            psnr(denoised(network, noisy(photo, sigma, number), sigma), photo.pixels)
            for number, photo in enumerate(photos)
        )
        for sigma in SIGMAS
    }


def baseline(photos: list[Photo]) -> Scores:
    """Return the mean PSNR of the noisy photographs themselves."""
    return {
        str(sigma): _mean(
            psnr(noisy(photo, sigma, number), photo.pixels)
            for number, photo in enumerate(photos)
        )
        for sigma in SIGMAS
        if sigma
    }


def denoised(
    network: Denoiser, pixels: NDArray[np.float32], sigma: float
) -> NDArray[np.float32]:
    """Denoise one height × width × 3 picture in float32."""
    device = next(network.parameters()).device
    picture = torch.from_numpy(pixels).to(device).permute(2, 0, 1)[None]
    level = torch.tensor([sigma / 255.0], device=device)
    with torch.inference_mode():
        clean = network(picture, level)
    answer: NDArray[np.float32] = clean[0].permute(1, 2, 0).float().cpu().numpy()
    return answer


def _mean(values: Iterable[float]) -> float:
    return round(float(np.mean(list(values))), 3)
