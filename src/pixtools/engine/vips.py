"""libvips, opened safely: no cache, few threads, only loaders that we trust."""

from __future__ import annotations

import logging
from typing import Final

import pyvips

from pixtools.engine.config import EngineConfig

TROUBLE: Final = (pyvips.Error, UnicodeDecodeError, OverflowError)
"""What pyvips raises on bad files; the names inside them may not even be text."""

_LOADERS = ("Jpeg", "Png", "Webp", "Heif", "Tiff", "Nsgif")
_OURS = ("Raw",)
"""Loaders that no file's content chooses, only our own code."""


def open_engine(config: EngineConfig | None = None) -> None:
    """Set libvips up for hostile images. Call it after any fork; cheap to repeat."""
    config = config or EngineConfig()
    logging.getLogger("pyvips").setLevel(logging.ERROR)
    pyvips.cache_set_max(0)
    pyvips.cache_set_max_mem(0)
    pyvips.cache_set_max_files(0)
    pyvips.concurrency_set(config.threads)
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for loader in (*_LOADERS, *_OURS):
        pyvips.operation_block_set(f"VipsForeignLoad{loader}", False)


def begin() -> None:
    """Open the engine, unless the caller has; forget what earlier images left."""
    if pyvips.cache_get_max():
        open_engine()
    pyvips.vips_lib.vips_error_clear()


def said(error: Exception) -> str:
    """What libvips said about a failure, in its own words."""
    return str(error.detail) if isinstance(error, pyvips.Error) else str(error)
