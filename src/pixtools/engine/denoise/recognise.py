"""Which of our networks the tensors of a file are the weights of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixtools.domain.errors import WeightsUnusable
from pixtools.domain.plan import Model
from pixtools.engine.denoise.checkpoints import Weights
from pixtools.engine.denoise.variants import QUALITY, VARIANTS, Variant

_WRAPPED: Final = ("module.", "_orig_mod.")
"""What PyTorch puts before names, trained in parallel or compiled."""

_BEST_FIRST: Final = ("params_ema", "average", "ema", "")
"""Where averaged weights lie: those are what a training is for."""

Arrays = Mapping[str, NDArray[np.float32]]


def recognise(
    groups: Mapping[str, Weights], wanted: Model | None
) -> tuple[Variant, Arrays]:
    """Find the network, and its weights as float32.

    Raises:
        WeightsUnusable: No group of tensors has all names and shapes of a network of
            ours, or of `wanted`; it says what is different.
    """
    bare = [_bare(groups[place]) for place in _in_order(groups)]
    variants = [VARIANTS[wanted]] if wanted else list(VARIANTS.values())
    for group in bare:
        for variant in variants:
            if _difference(variant, group) is None:
                return variant, {name: group[name].read() for name in variant.shapes}
    nearest = max(bare, key=len, default={})
    raise WeightsUnusable(_sentence(nearest, wanted))


def _in_order(groups: Mapping[str, Weights]) -> list[str]:
    def rank(place: str) -> int:
        return _BEST_FIRST.index(place) if place in _BEST_FIRST else len(_BEST_FIRST)

    return sorted((place for place in groups if groups[place]), key=rank)


def _bare(group: Weights) -> Weights:
    return {_unwrapped(name): weight for name, weight in group.items()}


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPED):
        name = name.partition(".")[2]
    return name


def _difference(variant: Variant, group: Weights) -> str | None:
    """The first thing in which a group is not what the network needs."""
    for name, shape in variant.shapes.items():
        got = group[name].shape if name in group else "nothing"
        if got != shape:
            return f"expected {shape} for {name} but received {got}"
    more = sorted(group.keys() - variant.shapes.keys())
    return (
        f"it has {more[0][:60]}, too, {_count(more)} more than needed" if more else None
    )


def _count(names: list[str]) -> str:
    return "one tensor" if len(names) == 1 else f"{len(names)} tensors"


def _sentence(group: Weights, wanted: Model | None) -> str:
    if not group:
        return "The file holds no tensors with names."
    variant = VARIANTS[wanted] if wanted else _likely(group)
    text = (
        f"These are not the weights of {variant.name} ({variant.depth} convolutions "
        f"3×3 of {variant.channels} channels): {_difference(variant, group)}."
    )
    first = group.get("model.0.weight")
    if first is not None and first.shape[1:2] == (1,):
        text += " They seem to be for grey pictures; colour is needed."
    return text


def _likely(group: Weights) -> Variant:
    """The network that the first convolution may belong to."""
    first = group.get("model.0.weight")
    for variant in VARIANTS.values():
        if first is not None and first.shape[1:2] == (variant.inputs,):
            return variant
    return QUALITY
