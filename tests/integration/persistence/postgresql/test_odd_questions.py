"""Questions that PostgreSQL would not even read."""

from __future__ import annotations

from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import list_jobs
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.migrate import migrate
from pixtools.testing.house import House


def test_what_names_no_batch_has_no_jobs(postgres_url: str) -> None:
    config = PersistenceConfig(url=postgres_url)
    migrate(config)
    database = SqlDatabase(config)
    house = House(database=database)
    for batch_id in ("\x00", "x"):
        found = list_jobs(house.service, JobQuery(tenant="ann", batch_id=batch_id))
        assert not found.jobs
    database.close()
