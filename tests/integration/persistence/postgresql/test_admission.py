"""A queue's size holds for all who submit at once, however many servers they ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pixtools.domain.errors import PixtoolsError
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.testing.house import House

AT_ONCE = 12


def answers(submit: Callable[[int], object]) -> Counter[str]:
    """What many who submit at the same moment are told."""

    def one(number: int) -> str:
        try:
            submit(number)
        except PixtoolsError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, range(3 * AT_ONCE)))


@pytest.fixture
def houses(database: SqlDatabase, config: PersistenceConfig) -> Iterator[list[House]]:
    """Two servers on one database, who give no two jobs the same id."""
    one, other = House(database=database), House(database=SqlDatabase(config))
    other.service = replace(other.service, ids=one.service.ids)
    yield [one, other]
    other.database.close()


def test_no_more_jobs_wait_than_may(houses: list[House]) -> None:
    for house in houses:
        house.rule(queue_size=5)
    told = answers(lambda number: houses[number % 2].submit(tenant=f"t{number}"))
    assert told == {"taken": 5, "queue_full": 3 * AT_ONCE - 5}


def test_no_tenant_has_more_than_its_share(houses: list[House]) -> None:
    for house in houses:
        house.rule(queue_size=1000, tenant_share=0.004)
    tenants = ("one", "two")
    told = answers(lambda number: houses[number % 2].submit(tenant=tenants[number % 2]))
    assert told["taken"] == 8
