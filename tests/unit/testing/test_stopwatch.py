"""A stopwatch counts what passes, and hardly anything of a pause of the machine."""

from __future__ import annotations

import pytest
from tests.stopwatch import MOST, Stopwatch


@pytest.mark.parametrize(("passes", "counts"), [(0.2, 0.2), (10.0, MOST)])
def test_a_moment_counts_whole_and_a_long_pause_as_a_moment(
    passes: float, counts: float
) -> None:
    clock = [100.0]
    with Stopwatch(now=lambda: clock[0]) as watch:
        clock[0] += passes
    assert watch.seconds == pytest.approx(counts)
