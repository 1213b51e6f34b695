"""The service as tests meet it, wherever it runs: in one process, or as a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx2
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from pixtools.testing.cluster import Cluster
from pixtools.testing.spaces import Bucket, s3_client

TRACES = {"jobs": "id", "stages": "job_id", "events": "job_id", "burials": "job_id"}
"""Tables that may remind of a job, and where they name it."""
PASSING = ("wakeups", "alembic_version")
"""Tables whose rows come and go on their own, or are not of the service."""


class Served(Protocol):
    """What a test asks of a service, beside HTTP."""

    @property
    def url(self) -> str:
        """Where it listens."""
        ...

    @property
    def http(self) -> httpx2.Client:
        """A client of it."""
        ...

    @property
    def homes(self) -> tuple[str, ...]:
        """What links to its files begin with."""
        ...

    def words(self) -> str:
        """All that it has printed."""
        ...

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        ...

    def rows_of(self, job_id: str) -> list[str]:
        """The tables that remind of a job, once for each row."""
        ...

    def files(self) -> set[str]:
        """Every file, its key below `objects/`."""
        ...


def hands(service: Served) -> int:
    """How many jobs it takes up at once: in one process, one more than its workers."""
    return 2 if isinstance(service, Deployed) else 3


@dataclass(slots=True)
class Deployed:
    """A cluster, seen like a service in one process."""

    cluster: Cluster
    database: str
    bucket: Bucket
    _store: Any = field(init=False)

    def __post_init__(self) -> None:
        self._store = s3_client(self.bucket)

    @property
    def url(self) -> str:
        return self.cluster.url

    @property
    def http(self) -> httpx2.Client:
        return self.cluster.http

    @property
    def homes(self) -> tuple[str, ...]:
        return (f"{self.bucket.endpoint}/{self.bucket.name}/",)

    def words(self) -> str:
        return self.cluster.words()

    def rows(self) -> dict[str, int]:
        with self.facts() as facts:
            tables = facts.execute(
                text(
                    "SELECT table_name FROM information_schema.tables"
                    " WHERE table_schema = 'public'"
                )
            ).scalars()
            return {
                name: facts.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                for name in sorted(tables)
                if name not in PASSING
            }

    def rows_of(self, job_id: str) -> list[str]:
        with self.facts() as facts:
            found: list[str] = []
            for table, column in TRACES.items():
                sql = f'SELECT count(*) FROM "{table}" WHERE "{column}" = :job'
                count = facts.execute(text(sql), {"job": job_id}).scalar_one()
                found += [table] * count
            return found

    def files(self) -> set[str]:
        pages = self._store.get_paginator("list_objects_v2")
        return {
            f"objects/{item['Key']}"
            for page in pages.paginate(Bucket=self.bucket.name)
            for item in page.get("Contents", ())
        }

    def say(self, statement: str, **values: Any) -> None:
        """Change facts past the service."""
        with self.facts() as facts:
            facts.execute(text(statement), values)
            facts.commit()

    @contextmanager
    def facts(self) -> Iterator[Connection]:
        """A connection to its database."""
        engine = create_engine(self.database, poolclass=NullPool)
        with engine.connect() as connection:
            yield connection
