"""How large a thing may be before it is refused, always before decoding."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one job. Bytes, pixels and sides are of the source unless named.

    `max_pixels` counts width × height × frames of what is decoded, and bounds
    each output as well. `memory_budget_bytes` bounds one worker process.
    """

    max_upload_bytes: int = 30 * MIB
    max_pixels: int = 100_000_000
    max_side: int = 65_535
    max_frames: int = 500
    max_steps: int = 32
    max_output_side: int = 32_768
    memory_budget_bytes: int = 1024 * MIB
    timeout_seconds: float = 300.0
