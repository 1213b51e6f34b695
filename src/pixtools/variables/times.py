"""How long a time may be at most: "for ever", as far as clocks and dates can add it."""

from __future__ import annotations

from typing import Final

LONGEST_SECONDS: Final = 3_155_760_000
"""A hundred years."""

LONGEST_HOURS: Final = LONGEST_SECONDS // 3600
