"""Hundreds of jobs while something breaks: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

import pytest
from tests.chaos.cluster.house import House
from tests.chaos.cluster.scenarios import ALONE, TOGETHER, Scenario
from tests.chaos.cluster.table import Row

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each fault alone where a report is wanted."""
    apart = metafunc.config.getoption("--chaos-report", None)
    metafunc.parametrize("scenario", ALONE if apart else TOGETHER, ids=str)


@pytest.fixture(scope="module")
def house(build: Callable[..., AbstractContextManager[House]]) -> Iterator[House]:
    """Two of each process."""
    with build(api=2, workers=2, schedulers=2) as opened:
        yield opened


def test_every_accepted_job_ends_as_promised_and_once(
    house: House, scenario: Scenario, seed: int, stands: Callable[[Row], None]
) -> None:
    """Its files are what the engine gives; no lease, token or upload is left over."""
    run = house.run(scenario.name, seed, may_stray=scenario.may_stray)
    house.mend()
    try:
        row = run.carry_out([partial(each, house, run) for each in scenario.sabotages])
    finally:
        house.mend()
    stands(row)
