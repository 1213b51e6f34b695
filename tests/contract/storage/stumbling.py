"""A store that stumbles: what is asked of it, and how long it may take to give up."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.stopwatch import Stopwatch

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
UNHURRIED = timedelta(seconds=2)
ENDURANCE = timedelta(minutes=1)
"""Where a call has to get through in the end, however the machine stalls meanwhile."""


def until_given_up(call: Callable[[], object]) -> float:
    """How long a call took to raise StorageUnavailable, while this machine ran."""
    with Stopwatch() as watch, pytest.raises(StorageUnavailable):
        call()
    return watch.seconds
