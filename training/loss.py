"""What is made small: the error of each patch, in shares of what its noise allows."""

from __future__ import annotations

from torch import Tensor

FLOOR = 1.5
GROWTH = 1.15
"""A good denoiser's mean square error is near FLOOR + 1.2·σ^GROWTH, out of 255²."""

SMALLEST = 1e-3
"""Share of the expected error below which a patch stops to count for more."""

INVISIBLE = 255.0**2 / 10.0**4
"""A mean square error, out of 255², that nobody sees: 40 dB."""


def relative_error(denoised: Tensor, clean: Tensor, noisy: Tensor) -> Tensor:
    """Return the mean over patches of √(error / expected error).

    PSNR is a logarithm: a tenth less error counts alike at any noise, and in an empty
    sky as in leaves. A plain mean square would be spent on the noisiest patches, and
    the mean of mere shares on those with most detail; the root lies between that and
    the logarithm, which would be spent on patches that are black.
    """
    error = mean_square(denoised - clean)
    share = error / expected_error(clean, noisy)
    # √(share + SMALLEST) - √SMALLEST, by a way on which nothing cancels out.
    return (share / ((share + SMALLEST).sqrt() + SMALLEST**0.5)).mean()


def expected_error(clean: Tensor, noisy: Tensor) -> Tensor:
    """Return the mean square error, out of 255², that each patch's noise allows."""
    spoiled = (noisy - clean).square().mean((1, 2, 3)).sqrt() * 255.0
    return FLOOR + 1.2 * spoiled.pow(GROWTH)


def allowance(denoised: Tensor, clean: Tensor) -> Tensor:
    """Return what a twin's error in each patch is measured by, out of 255².

    That is the error which is left anyway. Without what nobody sees being added,
    black and clean patches would be all that counts.
    """
    return mean_square(denoised - clean) + INVISIBLE


def mean_square(error: Tensor) -> Tensor:
    """Return each patch's mean square error, out of 255²."""
    return error.square().mean((1, 2, 3)) * 255.0**2
