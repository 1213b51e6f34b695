"""Weights of chance: as slow as any others, where no better ones are at hand yet."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.denoise.ours import Ours
from pixtools.domain.plan import Model
from pixtools.engine.denoise.cards import card
from pixtools.engine.denoise.variants import VARIANTS


def stand_ins(there: list[Ours], folder: Path) -> list[Ours]:
    """Networks that are not `there`, with weights of chance in `folder`."""
    if find_spec("onnx") is None:
        return []
    models: tuple[Model, ...] = ("quality", "fast")
    missing = [model for model in models if all(one.model != model for one in there)]
    for model in missing:
        _made(model, folder)
    return [Ours(model, "float32") for model in missing]


def _made(model: Model, folder: Path) -> None:
    from pixtools.engine.denoise.graph import model as network

    variant, chance = VARIANTS[model], np.random.default_rng(1)
    weights = {
        name: chance.normal(0.0, 0.02, shape).astype(np.float32)
        for name, shape in variant.shapes.items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    raw = network(variant, weights).SerializeToString()
    path = folder / f"denoise-{model}.onnx"
    path.write_bytes(raw)
    told = card(path.name, raw, variant)
    path.with_suffix(".json").write_text(json.dumps(told), "utf-8")
