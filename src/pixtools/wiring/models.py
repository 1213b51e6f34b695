"""The denoiser's weights, for whoever administers them from the command line."""

from __future__ import annotations

from pathlib import Path

from pixtools.domain.plan import Model
from pixtools.domain.weights import Import, Weights
from pixtools.settings import Settings
from pixtools.workers import weights


def models_dir(settings: Settings) -> Path:
    """Where imported weights rest."""
    return settings.models_dir or settings.pixtools_data_dir / "models"


def import_weights(settings: Settings, file: Path, name: Model | None) -> Import:
    """Take weights in, for every process that starts from now on."""
    return weights.import_weights(file, models_dir(settings), name)


def installed(settings: Settings) -> list[Weights]:
    """All weights that are here."""
    return weights.installed(models_dir(settings))


def remove_weights(settings: Settings, name: Model) -> None:
    """Take imported weights away."""
    weights.remove_weights(models_dir(settings), name)
