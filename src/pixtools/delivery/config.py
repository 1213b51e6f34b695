"""How much is sent at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundConfig:
    """Times are in seconds.

    `senders` requests are under way at once, at most `doubtful` of them to hosts that
    have failed before. `backstop` is how long nobody looks when no bell rings. When
    the process stops, requests have `stop_within` to end.
    """

    senders: int = 32
    doubtful: int = 16
    backstop: float = 2.0
    pause_after_trouble: float = 1.0
    stop_within: float = 3.0
