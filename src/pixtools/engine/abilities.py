"""What this installation of the engine can do, by asking libvips."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import pyvips

from pixtools.domain.plan import Model
from pixtools.engine.config import EngineConfig
from pixtools.engine.denoise.session import Denoisers
from pixtools.engine.encode import SAVERS
from pixtools.engine.header import LOADERS

_ACTIONS: Final = ("convert", "metadata", "resize", "watermark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """Names of formats, actions and networks, and libvips' version as "8.18.7"."""

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    actions: tuple[str, ...]
    libvips: str
    models: tuple[Model, ...] = ()


def abilities(denoisers: Denoisers | None = None) -> Abilities:
    """Ask libvips which of our formats it was built with, and who removes noise."""
    readable = [name for name, nick in LOADERS.items() if _knows(nick)]
    if find_spec("pillow_heif") is None:
        readable = [name for name in readable if name != "heic"]
    models = (denoisers or Denoisers(EngineConfig())).names()
    return Abilities(
        readable=tuple(readable),
        writable=tuple(name for name, nick in SAVERS.items() if _knows(nick)),
        actions=tuple(sorted((*_ACTIONS, "denoise"))) if models else _ACTIONS,
        libvips=".".join(str(pyvips.version(part)) for part in range(3)),
        models=models,
    )


def _knows(nick: str) -> bool:
    return bool(pyvips.type_find("VipsOperation", nick))
