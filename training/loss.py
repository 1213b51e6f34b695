"""What is made small: the error of each patch, in shares of what its noise allows."""

from __future__ import annotations

from torch import Tensor

FLOOR = 1.5
GROWTH = 1.15
"""A good denoiser's mean square error is near FLOOR + 1.2·σ^GROWTH, out of 255²."""


SMALLEST = 1e-3
"""Share of the expected error below which a patch stops to count for more."""


def relative_error(denoised: Tensor, clean: Tensor, noisy: Tensor) -> Tensor:
    """Return the mean over patches of √(error / expected error).

    PSNR is a logarithm: a tenth less error counts alike at any noise, and in an empty
    sky as in leaves. A plain mean square would be spent on the noisiest patches, and
    the mean of mere shares on those with most detail; the root lies between that and
    the logarithm, which would be spent on patches that are black.
    """
    error = (denoised - clean).square().mean((1, 2, 3)) * 255.0**2
    share = error / expected_error(clean, noisy)
    return ((share + SMALLEST).sqrt() - SMALLEST**0.5).mean()


def expected_error(clean: Tensor, noisy: Tensor) -> Tensor:
    """Return the mean square error, out of 255², that each patch's noise allows."""
    spoiled = (noisy - clean).square().mean((1, 2, 3)).sqrt() * 255.0
    return FLOOR + 1.2 * spoiled.pow(GROWTH)
