"""The networks' numbers, which the engine and the model card rely on."""

from __future__ import annotations

import itertools

import pytest

from pixtools.engine.denoise.variants import FAST, QUALITY, VARIANTS, Variant

MEGABYTE = 1_000_000


def test_quality_is_the_published_network() -> None:
    """Twenty convolutions of 64 channels, without batch normalisation."""
    assert QUALITY.parameters == 668_227
    assert QUALITY.macs_per_pixel == 667_008
    assert QUALITY.halo == 20


def test_fast_multiplies_a_quarter_as_often_at_most() -> None:
    assert FAST.macs_per_pixel * 4 <= QUALITY.macs_per_pixel


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_weights_fit_into_the_package(variant: Variant) -> None:
    assert variant.parameters * 4 < 3 * MEGABYTE


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_layers_fit_together(variant: Variant) -> None:
    widths = variant.widths
    assert len(widths) == variant.depth
    assert all(one[1] == other[0] for one, other in itertools.pairwise(widths))
    assert widths[-1][1] == 3 * variant.shuffle**2


def test_only_a_conditional_network_is_told_the_noise() -> None:
    assert (QUALITY.inputs, FAST.inputs) == (3, 13)
