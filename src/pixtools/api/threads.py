"""In whose threads the work of requests is done.

Each kind has threads of its own, so that none can take another's: a store that has
become slow holds up uploads, not polls; a thousand open streams hold up neither.
What only asks or changes a few facts is done in the default threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from anyio import CapacityLimiter


@dataclass(frozen=True, slots=True)
class Threads:
    """Beside the default ones; a limit is kept for each kind."""

    moving: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 32))
    """Pieces of files on their way into the store or out of it."""
    errands: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 16))
    """Whole objects that are verified, copied or erased."""
    gating: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 8))
    """Callers who are told apart."""
    lookups: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 16))
    """Names that are looked up; whoever answers for them may be slow on purpose."""
    watching: CapacityLimiter = field(default_factory=partial(CapacityLimiter, 8))
    """Looks at what streams and long polls wait for."""
