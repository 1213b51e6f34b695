"""The denoiser's weights, for whoever administers them from the command line."""

from __future__ import annotations

from pathlib import Path

from pixtools.domain.plan import Model
from pixtools.domain.weights import Import, Weights
from pixtools.settings import Settings
from pixtools.workers import weights


def import_weights(settings: Settings, file: Path, name: Model | None) -> Import:
    """Take weights in, for every process that starts from now on."""
    return weights.import_weights(file, settings.weights_dir, name)


def installed(settings: Settings) -> list[Weights]:
    """All weights that are here."""
    return weights.installed(settings.weights_dir)


def remove_weights(settings: Settings, name: Model) -> None:
    """Take imported weights away."""
    weights.remove_weights(settings.weights_dir, name)
