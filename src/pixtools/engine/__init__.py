"""A pure pixel library: a path and a plan in, files and facts out.

    from pixtools.engine import Denoisers, EngineConfig, open_engine, probe, render

Importing this package loads nothing; the first of these names that is used
loads libvips.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixtools.engine.config import EngineConfig
    from pixtools.engine.denoise.session import Denoisers
    from pixtools.engine.header import probe
    from pixtools.engine.pipeline import render
    from pixtools.engine.vips import open_engine

__all__ = ["Denoisers", "EngineConfig", "open_engine", "probe", "render"]

_HOMES = {
    "Denoisers": "pixtools.engine.denoise.session",
    "EngineConfig": "pixtools.engine.config",
    "open_engine": "pixtools.engine.vips",
    "probe": "pixtools.engine.header",
    "render": "pixtools.engine.pipeline",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
