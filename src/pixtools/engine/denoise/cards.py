"""What stands on the card of any weights, trained here or elsewhere."""

from __future__ import annotations

import hashlib
from typing import Any

from pixtools.engine.denoise.variants import Variant


def card(name: str, raw: bytes, variant: Variant) -> dict[str, Any]:
    """What the engine has to know of the file `name` that holds `raw`, as JSON."""
    return {
        "file": name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "bytes": len(raw),
        "variant": variant.name,
        "depth": variant.depth,
        "channels": variant.channels,
        "parameters": variant.parameters,
        "macs_per_pixel": round(variant.macs_per_pixel),
        "halo": variant.halo,
        "multiple": variant.shuffle,
        "conditional": variant.conditional,
    }
