"""Weights by other hands, on their way into a folder that the engine reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from pixtools.domain.errors import ConfigurationInvalid, InvalidRequest
from pixtools.domain.plan import Model
from pixtools.domain.weights import Import
from pixtools.engine.denoise.cards import card
from pixtools.engine.denoise.checkpoints import groups, missing_package
from pixtools.engine.denoise.recognise import Arrays, recognise
from pixtools.engine.denoise.trial import tried
from pixtools.engine.denoise.variants import Variant
from pixtools.engine.denoise.weights import files_of


def import_weights(source: Path, folder: Path, wanted: Model | None) -> Import:
    """Convert a checkpoint, try it, and put it into `folder` with a card.

    Raises:
        WeightsUnusable: It can't be read, is another network's, or takes no noise away.
        ConfigurationInvalid: The folder can't be written.
    """
    variant, arrays = recognise(groups(source), wanted)
    raw = _converted(variant, arrays)
    trial = tried(raw, variant)
    told = card(files_of(folder, variant.name).weights.name, raw, variant) | {
        "data": "Trained by others; nothing is known of it here.",
        "imported_from": {
            "file": source.name,
            "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        },
        "trial": asdict(trial),
    }
    try:
        _put(folder, variant.name, raw, told)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return Import(
        name=cast("Model", variant.name),
        depth=variant.depth,
        channels=variant.channels,
        bytes=len(raw),
        sha256=told["sha256"],
        before=trial.before,
        after=trial.after,
    )


def remove_weights(folder: Path, name: Model) -> None:
    """Take imported weights away.

    Raises:
        InvalidRequest: None were imported by that name.
        ConfigurationInvalid: The folder can't be written.
    """
    weights, card, twins = files_of(folder, name)
    there = [path for path in (weights, *twins, card) if path.exists()]
    if not there:
        raise InvalidRequest(f"No weights were imported for {name}.")
    try:
        for path in there:
            path.unlink()
    except OSError as error:
        raise _unwritable(folder, error) from None


def _converted(variant: Variant, arrays: Arrays) -> bytes:
    try:
        from pixtools.engine.denoise.graph import model
    except ImportError:
        raise missing_package("onnx") from None
    raw: bytes = model(variant, arrays).SerializeToString()
    return raw


def _put(folder: Path, name: str, raw: bytes, told: dict[str, Any]) -> None:
    """Replace weights and card so that they fit together, whenever this ends.

    The weights stand last and fall first: without them a card is not looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = files_of(folder, name)
    for path in (files.weights, *files.twins):
        path.unlink(missing_ok=True)
    _write(files.card, json.dumps(told, indent=2).encode() + b"\n")
    _write(files.weights, raw)


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)


def _unwritable(folder: Path, error: OSError) -> ConfigurationInvalid:
    reason = (error.strerror or "unknown reason").lower()
    return ConfigurationInvalid(f"MODELS_DIR {folder} can't be written: {reason}.")
