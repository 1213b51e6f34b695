"""What this installation of the engine can do, by asking libvips."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

import pyvips

from pixtools.engine.encode import SAVERS
from pixtools.engine.header import LOADERS

_ACTIONS: Final = ("convert", "metadata", "resize", "watermark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """Names of formats and actions, and libvips' version as "8.18.7"."""

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    actions: tuple[str, ...]
    libvips: str


def abilities() -> Abilities:
    """Ask libvips which of our formats it was built with."""
    readable = [name for name, nick in LOADERS.items() if _knows(nick)]
    if find_spec("pillow_heif") is None:
        readable = [name for name in readable if name != "heic"]
    return Abilities(
        readable=tuple(readable),
        writable=tuple(name for name, nick in SAVERS.items() if _knows(nick)),
        actions=_ACTIONS,
        libvips=".".join(str(pyvips.version(part)) for part in range(3)),
    )


def _knows(nick: str) -> bool:
    return bool(pyvips.type_find("VipsOperation", nick))
