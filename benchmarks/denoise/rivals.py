"""Known methods, each as good as a person can set it who knows the clean picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
"""Height × width × RGB, 0..1 before noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """A method; it is told the true σ, out of 1, and one of its `settings`.

    Of the settings the one counts that is best for a σ on these very pictures: what
    is tuned is tuned in the rival's favour.
    """

    name: str
    title: str
    package: str
    settings: tuple[float, ...]
    run: Callable[[Floats, float, float], NDArray[Any]]


def _total_variation(noisy: Floats, sigma: float, weight: float) -> NDArray[Any]:
    from skimage.restoration import denoise_tv_chambolle

    clean: Callable[..., NDArray[Any]] = denoise_tv_chambolle
    return clean(noisy, weight=weight * sigma, channel_axis=-1)


def _wavelets(noisy: Floats, sigma: float, factor: float) -> NDArray[Any]:
    from skimage.restoration import denoise_wavelet

    found: NDArray[Any] = denoise_wavelet(
        noisy,
        sigma=factor * sigma,
        method="BayesShrink",
        channel_axis=-1,
        convert2ycbcr=True,
        rescale_sigma=True,
    )
    return found


def _nonlocal_means(noisy: Floats, sigma: float, factor: float) -> NDArray[Any]:
    from skimage.restoration import denoise_nl_means

    found: NDArray[Any] = denoise_nl_means(
        noisy,
        patch_size=5,
        patch_distance=6,
        h=factor * sigma,
        sigma=sigma,
        fast_mode=True,
        channel_axis=-1,
    )
    return found


def _opencv(noisy: Floats, sigma: float, factor: float) -> NDArray[Any]:
    import cv2

    bytes_ = np.rint(np.clip(noisy[..., ::-1], 0.0, 1.0) * 255.0).astype(np.uint8)
    strength = factor * sigma * 255.0
    clean: Callable[..., NDArray[Any]] = cv2.fastNlMeansDenoisingColored
    found = clean(bytes_, None, strength, strength, 7, 21)
    return np.asarray(found[..., ::-1] / np.float32(255.0))


def _bm3d(noisy: Floats, sigma: float, factor: float) -> NDArray[Any]:
    import bm3d

    found: NDArray[Any] = bm3d.bm3d_rgb(noisy.astype(np.float64), factor * sigma)
    return found


RIVALS: Final = (
    Rival(
        name="tv",
        title="total variation (scikit-image)",
        package="scikit-image",
        settings=(0.4, 0.6, 0.8, 1.0, 1.3),
        run=_total_variation,
    ),
    Rival(
        name="wavelet",
        title="wavelets, BayesShrink (scikit-image)",
        package="scikit-image",
        settings=(0.8, 1.0, 1.2),
        run=_wavelets,
    ),
    Rival(
        name="nlm",
        title="non-local means (scikit-image)",
        package="scikit-image",
        settings=(0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
        run=_nonlocal_means,
    ),
    Rival(
        name="opencv",
        title="fast non-local means, colour (OpenCV)",
        package="opencv-python-headless",
        settings=(0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0),
        run=_opencv,
    ),
    Rival(
        name="bm3d",
        title="BM3D, colour (bm3d)",
        package="bm3d",
        settings=(1.0,),
        run=_bm3d,
    ),
)

JUDGES: Final = ("bm3d", "wavelet")
"""Those that are asked about more pictures: the best of them, and a quick one."""
