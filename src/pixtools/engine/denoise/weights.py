"""Which networks there are: the package's own, and those that were imported.

A network is its weights and their card, and perhaps its weights in eight bits as well.
"""

from __future__ import annotations

import json
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
    """Where a network lies: its weights, their twin in eight bits, and its card."""

    weights: Path
    small: Path
    card: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of weights, and what its card says of it.

    A result depends on `halo` pixels around it. Tiles begin at multiples of
    `multiple` pixels. A `conditional` network is told how strong the noise is.
    """

    name: Model
    path: Path
    sha256: str
    halo: int
    multiple: int
    conditional: bool


def files_of(home: Path, name: str) -> Files:
    """What the files of a network are called in a folder, there or not."""
    kinds = (".onnx", "-int8.onnx", ".json")
    return Files(*(home / f"denoise-{name}{kind}" for kind in kinds))


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
        return _read(name, card, _file(card, files_of(home, name), precision))
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


def _file(card: dict[str, Any], files: Files, precision: Precision) -> tuple[Path, str]:
    """The weights' path and SHA-256, in the precision that is wanted."""
    small = card.get("int8")
    wanted = precision == "int8" or (precision == "auto" and multiplies_bytes())
    if small and wanted and files.small.is_file():
        return files.small, str(small["sha256"])
    return files.weights, str(card["sha256"])


def _read(name: Model, card: dict[str, Any], file: tuple[Path, str]) -> Weights:
    halo, multiple = int(card["halo"]), int(card["multiple"])
    if not 0 < halo <= _MOST_HALO or multiple not in _MULTIPLES:
        raise ValueError(f"halo {halo}, multiple {multiple}")
    return Weights(
        name=name,
        path=file[0],
        sha256=file[1],
        halo=halo,
        multiple=multiple,
        conditional=bool(card["conditional"]),
    )
