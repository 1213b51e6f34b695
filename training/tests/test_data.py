"""What the network is shown: photographs, patches, noise, JPEG."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
import torch.nn.functional as nn
from PIL import Image
from training.bands import HIGHEST, STRONG, WEAK
from training.dice import Dice
from training.jpeg import LUMINANCE, compressed
from training.noise import spoiled
from training.pool import Pool
from training.scenes import camera
from training.scenes.forms import forms
from training.scenes.photographs import photographs
from training.scenes.structures import structures
from training.scenes.textures import bank

CPU = torch.device("cpu")


def test_a_seed_makes_the_same_photographs_again() -> None:
    one, other = (photographs(Dice(CPU, 3), 2, 64) for _ in range(2))
    assert torch.equal(one, other)
    assert not torch.equal(one, photographs(Dice(CPU, 4), 2, 64))


def test_photographs_are_neither_empty_nor_all_alike() -> None:
    tones = photographs(Dice(CPU, 5), 12, 96).float()
    assert tones.shape == (12, 3, 96, 96)
    assert tones.std((1, 2, 3)).median() > 15
    assert tones.mean((1, 2, 3)).std() > 5


def test_what_is_built_repeats_and_has_hard_edges() -> None:
    """Unlike noise, most neighbours are alike and the others far apart."""
    built = structures(Dice(CPU, 6), 12, 96)
    assert built.shape == (12, 3, 96, 96)
    assert torch.equal(built, structures(Dice(CPU, 6), 12, 96))
    step = built.diff(dim=-1).abs().flatten(1)
    edges = step.quantile(0.99, 1) / step.median(1).values.clamp_min(1e-3)
    assert edges.median() > 5


def test_what_is_curved_changes_slowly_along_its_contours() -> None:
    """Where light changes, it mostly changes one way, unlike in noise."""
    dice = Dice(CPU, 10)
    light = forms(dice, 8, 128, bank(dice)).mean(1)
    assert light.isfinite().all()
    curved, random = _oneness(light), _oneness(dice.normal(8, 128, 128))
    assert curved > random + 0.2


def test_a_mosaic_of_one_colour_is_that_colour() -> None:
    flat = torch.tensor([0.2, 0.5, 0.7])[None, :, None, None].expand(1, 3, 16, 16)
    for seed in range(4):
        guessed = camera.mosaicked(Dice(CPU, seed), flat)
        assert torch.allclose(
            guessed[..., 4:-4, 4:-4], flat[..., 4:-4, 4:-4], atol=1e-5
        )


@pytest.mark.parametrize("quality", [40, 75, 95])
def test_jpeg_does_what_a_codec_does(quality: int) -> None:
    """Close to Pillow's, chroma kept whole; a codec rounds more often on its way."""
    pixels = photographs(Dice(CPU, 6), 1, 64)
    made = io.BytesIO()
    Image.fromarray(pixels[0].permute(1, 2, 0).numpy()).save(
        made, "JPEG", quality=quality, subsampling=0
    )
    wanted = np.asarray(Image.open(made), dtype=np.float32)
    answer = compressed(_Fixed(quality), pixels / 255.0)[0].permute(1, 2, 0) * 255
    assert np.abs(answer.numpy() - wanted).mean() < 1.0


def test_noise_has_the_strength_that_it_says() -> None:
    """σ is drawn from 0 to 55, and told within the few percent it is blurred by."""
    grey = torch.full((200, 3, 48, 48), 0.5)
    patches = spoiled(Dice(CPU, 7), grey)
    assert patches.noisy.shape == patches.clean.shape == (200, 3, 32, 32)
    plain = slice(110, 200)
    measured = (patches.noisy - patches.clean)[plain].square().mean((1, 2, 3)).sqrt()
    told = patches.sigma[plain]
    assert ((measured - told).abs() < 0.02 + 0.15 * told).all()
    assert told.max() > 0.9 * HIGHEST
    assert (told == 0).any()


def test_noise_of_a_band_stays_near_it() -> None:
    """What is told is blurred a little; clean patches are weak noise."""
    dice, grey = Dice(CPU, 7), torch.full((200, 3, 48, 48), 0.5)
    weak, strong = (
        spoiled(dice, grey, band.weakest, band.strongest).sigma
        for band in (WEAK, STRONG)
    )
    assert (weak == 0).any()
    assert (strong > 0).all()
    assert 30 / 255 < weak.max() < 40 / 255
    assert 20 / 255 < strong.min() < 30 / 255
    assert strong.max() > 0.9 * HIGHEST


def test_patches_are_cut_from_inside_the_photographs() -> None:
    """Every patch is found again in the pool, in one of eight turns."""
    pool = Pool(Dice(CPU, 8), 2, 32, 2)
    whole = pool.pictures.permute(0, 3, 1, 2).float() / 255.0
    for patch in pool.cut(12, 16):
        if torch.equal(patch[0], patch[1]):
            continue
        turns = [patch.rot90(k, (1, 2)) for k in range(4)]
        turns += [turn.flip(2) for turn in turns]
        assert any(_found(turn, whole) for turn in turns)


def test_renewing_replaces_the_oldest() -> None:
    pool = Pool(Dice(CPU, 9), 4, 32, 2)
    before = pool.pictures.clone()
    pool.renew()
    assert not torch.equal(pool.pictures[:2], before[:2])
    assert torch.equal(pool.pictures[2:], before[2:])
    assert pool.made == 6


def test_the_tables_are_the_standard_s() -> None:
    assert sum(map(sum, LUMINANCE)) == 3688


def _oneness(light: torch.Tensor) -> float:
    """How far gradients within 9 × 9 pixels share one direction, 0 … 1 (Bigün)."""
    across = light[:, 1:-1, 2:] - light[:, 1:-1, :-2]
    down = light[:, 2:, 1:-1] - light[:, :-2, 1:-1]
    products = [across.square(), down.square(), across * down]
    one, other, both = (nn.avg_pool2d(part, 9, 4) for part in products)
    along = torch.hypot(one - other, 2 * both) / (one + other).clamp_min(1e-9)
    return float(along.median())


def _found(patch: torch.Tensor, whole: torch.Tensor) -> bool:
    windows = whole.unfold(2, 16, 1).unfold(3, 16, 1).permute(0, 2, 3, 1, 4, 5)
    return bool((windows - patch).abs().amax((3, 4, 5)).min() < 1e-6)


class _Fixed(Dice):
    """Draws one quality, always."""

    def __init__(self, quality: float) -> None:
        super().__init__(CPU, 0)
        self._quality = quality

    def uniform(self, low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.full(shape, min(high, max(low, self._quality)))
