"""A store that stumbles: what is asked of it, and how long it may take to give up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from pixtools.domain.errors import StorageUnavailable
from pixtools.domain.limits import MIB

KEY = "processed/a/1.tiff"
KEPT = "processed/kept/1.tiff"
LONG = os.urandom(17 * MIB)
"""Three parts."""
TIMEOUT = timedelta(seconds=1)
PATIENCE = timedelta(seconds=1.5)
BOUND = 2 * (PATIENCE + TIMEOUT).total_seconds()
"""One call may be a request and, after it failed, another one that clears up."""


def until_given_up(call: Callable[[], object]) -> float:
    """How long a call took to raise StorageUnavailable."""
    begun = time.monotonic()
    with pytest.raises(StorageUnavailable):
        call()
    return time.monotonic() - begun
