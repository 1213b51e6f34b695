"""Which networks there are: the package's own, and those that were imported.

A network is its weights and their card, and perhaps twins of them in eight bits, each
for noise of some strength: steps that are fine enough for what weak noise leaves to see
are too few for all that strong noise stirs up.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from pixtools.domain.errors import DenoiserUnusable
from pixtools.domain.plan import Model, Precision
from pixtools.engine.denoise.processor import multiplies_bytes

SHIPPED: Final = Path(__file__).parent
"""Where the package's own weights stand."""

NAMES: Final[tuple[Model, ...]] = get_args(Model)
"""Every network that may be there, best first."""

_MOST_HALO: Final = 128
_MULTIPLES: Final = (1, 2, 4)


class Files(NamedTuple):
    """Where a network lies: its weights, its card, and twins in eight bits, if any."""

    weights: Path
    card: Path
    twins: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class File:
    """Weights for pictures whose noise, out of 255, is weaker than `below`."""

    path: Path
    sha256: str
    below: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Files of weights, for weak noise first, and what their card says of them.

    A result depends on `halo` pixels around it. Tiles begin at multiples of
    `multiple` pixels. A `conditional` network is told how strong the noise is.
    """

    name: Model
    files: tuple[File, ...]
    halo: int
    multiple: int
    conditional: bool


def files_of(home: Path, name: str) -> Files:
    """What the files of a network are called in a folder; twins only where they are."""
    stem = f"denoise-{name}"
    twins = tuple(sorted(home.glob(f"{stem}-int8*.onnx")))
    return Files(home / f"{stem}.onnx", home / f"{stem}.json", twins)


def available(folder: Path | None) -> tuple[Model, ...]:
    """The networks that are there, best first, by their names alone."""
    return tuple(name for name in NAMES if _home(name, folder))


def weights_of(name: Model, folder: Path | None, precision: Precision) -> Weights:
    """What the card of a network says; raises DenoiserUnusable."""
    home = _home(name, folder)
    if home is None:
        there = ", ".join(available(folder)) or "none"
        raise DenoiserUnusable(
            f"Expected one of the denoisers that are here ({there}) "
            f"but received {name!r}."
        )
    try:
        card = json.loads(files_of(home, name).card.read_bytes())
        return _read(name, card, _files(card, files_of(home, name), precision))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DenoiserUnusable(
            f"The card of the denoiser {name} can't be read; "
            "import its weights again or remove them."
        ) from error


def _home(name: Model, folder: Path | None) -> Path | None:
    """The folder that holds a network: what was imported wins."""
    for home in (folder, SHIPPED):
        if home is not None and files_of(home, name).weights.is_file():
            return home
    return None


def _files(
    card: dict[str, Any], files: Files, precision: Precision
) -> tuple[File, ...]:
    """The weights in the precision that is wanted: all of its twins, or themselves."""
    wanted = precision == "int8" or (precision == "auto" and multiplies_bytes())
    twins = tuple(_twin(files, told) for told in card.get("int8", ()))
    if twins and wanted and all(twin.path in files.twins for twin in twins):
        _check(twins)
        return twins
    return (File(files.weights, str(card["sha256"])),)


def _twin(files: Files, told: dict[str, Any]) -> File:
    below = math.inf if told["below"] is None else float(told["below"])
    path = files.weights.with_name(str(told["file"]))
    return File(path, str(told["sha256"]), below)


def _check(twins: Sequence[File]) -> None:
    """That there is one for noise of any strength, the next one for stronger noise."""
    borders = [twin.below for twin in twins]
    if borders != sorted(set(borders)) or borders[-1] != math.inf:
        raise ValueError(f"twins for noise below {borders}")


def _read(name: Model, card: dict[str, Any], files: tuple[File, ...]) -> Weights:
    halo, multiple = int(card["halo"]), int(card["multiple"])
    if not 0 < halo <= _MOST_HALO or multiple not in _MULTIPLES:
        raise ValueError(f"halo {halo}, multiple {multiple}")
    return Weights(
        name=name,
        files=files,
        halo=halo,
        multiple=multiple,
        conditional=bool(card["conditional"]),
    )
