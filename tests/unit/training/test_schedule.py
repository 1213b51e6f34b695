"""Training is measured by the clock."""

from __future__ import annotations

import pytest
from training.schedule import WARM_UP, Clock, rate, renewal


class _Watch:
    """Shows the time it is set to."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_the_clock_goes_on_where_an_earlier_run_stopped() -> None:
    watch = _Watch()
    clock = Clock(60.0, 15.0, watch)
    watch.time += 15.0
    assert clock.spent == 30.0
    assert clock.share == 0.5


def test_more_than_all_the_time_is_all() -> None:
    watch = _Watch()
    clock = Clock(60.0, 0.0, watch)
    watch.time += 90.0
    assert clock.share == 1.0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_no_time_at_all_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="Expected seconds above 0 but received"):
        Clock(seconds, 0.0, _Watch())


def test_the_rate_starts_at_nothing_peaks_after_the_warm_up_and_ends_at_nothing() -> (
    None
):
    assert rate(2e-3, 0.0) == 0.0
    assert rate(2e-3, WARM_UP) == 2e-3
    assert rate(2e-3, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_after_the_warm_up_the_rate_only_falls() -> None:
    rates = [rate(1.0, share / 100) for share in range(3, 101)]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("share", [0.05, 0.12, 0.5])
def test_new_photographs_cost_at_most_their_share_of_the_time(share: float) -> None:
    steps = renewal(0.2, 0.03, share)
    assert 0.2 / (0.2 + steps * 0.03) <= share
    assert 0.2 / (0.2 + (steps - 1) * 0.03) > share


def test_photographs_that_cost_nothing_come_with_every_step() -> None:
    assert renewal(0.0, 0.03, 0.1) == 1
