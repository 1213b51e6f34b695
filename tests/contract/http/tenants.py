"""Two tenants on one service, and the routes that one of them tries on the other.

The routes are read out of the OpenAPI document: a new one is tried without a word here,
and one with a kind of id that nobody has made yet says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.contract.http.site import GIF, PIPELINE, Site
from tests.gates import a_gate, a_key_of

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.persistence.engine import open_engine
from pixtools.persistence.migrate import migrate
from pixtools.persistence.tables import metadata
from pixtools.testing.house import House

MINE, THEIRS = "ann", "mallory"
OWN_BUSINESS = frozenset({"api_keys"})
"""Tables in which asking itself may leave a mark: when a key was used."""


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the document."""

    method: str
    path: str
    operation: Mapping[str, Any]

    @property
    def ids(self) -> list[str]:
        """The names of what stands in its path."""
        return re.findall(r"\{(\w+)\}", self.path)

    def filled(self, ids: Mapping[str, str]) -> str:
        """Its path with these ids."""
        return self.path.format(**ids)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(slots=True)
class Tenants:
    """A service with a database, in which `MINE` has one of everything."""

    folder: Path
    site: Site = field(init=False)
    config: PersistenceConfig = field(init=False)
    ids: dict[str, str] = field(init=False)
    keys: dict[str, str] = field(init=False)
    _stack: ExitStack = field(init=False, default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.config = PersistenceConfig(url=f"sqlite:///{self.folder}/facts.sqlite3")
        migrate(self.config)
        database = SqlDatabase(self.config)
        self._stack.callback(database.close)
        house = House(database=database)
        self.keys = {tenant: a_key_of(house, tenant) for tenant in (MINE, THEIRS)}
        self.site = Site(house=house, gate=a_gate(house))
        self.ids = self._one_of_everything()

    def close(self) -> None:
        """Let go of the database."""
        self._stack.close()

    def client(self, tenant: str) -> TestClient:
        """Asks as a tenant."""
        headers = {"Authorization": f"Bearer {self.keys[tenant]}"}
        return TestClient(self.site.app, headers=headers, follow_redirects=False)

    def routes(self) -> Iterator[Route]:
        """Every operation that is described."""
        for path, item in self.site.app.openapi()["paths"].items():
            for method, operation in item.items():
                yield Route(method.upper(), path, operation)

    def ask(self, tenant: str, route: Route, path: str, **more: Any) -> httpx2.Response:
        """Ask a route as a tenant, with a body that would do if it takes any."""
        kinds = route.operation.get("requestBody", {}).get("content", {})
        sent: dict[str, Any] = {"json": {}} if "application/json" in kinds else {}
        return self.client(tenant).request(route.method, path, **(sent | more))

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table that is somebody's."""
        engine = open_engine(self.config)
        with engine.connect() as connection:
            found = {
                table.name: sorted(map(repr, connection.execute(select(table))))
                for table in metadata.sorted_tables
                if table.name not in OWN_BUSINESS
            }
        engine.dispose()
        return found

    def _one_of_everything(self) -> dict[str, str]:
        """Ids of what `MINE` has, by the names that paths have for them."""
        mine = self.client(MINE)
        batch = mine.post("/v1/batches", json={}).json()["batch_id"]
        sandbox = mine.post("/v1/webhook-sandbox").json()
        form = {
            "pipeline": json.dumps(PIPELINE),
            "batch_id": batch,
            "webhook_url": sandbox["url"],
        }
        made = mine.post("/v1/jobs", files={"file": ("a.gif", GIF)}, data=form)
        assert made.status_code == 202, made.text
        ended = mine.post("/v1/jobs", files={"file": ("a.gif", GIF)}, data=form)
        mine.post(f"/v1/jobs/{ended.json()['job_id']}/cancel")
        path = f"/v1/jobs/{ended.json()['job_id']}/deliveries"
        told = mine.get(path).json()["data"]
        return {
            "job_id": made.json()["job_id"],
            "batch_id": batch,
            "delivery_id": told[0]["id"],
            "sandbox_id": sandbox["sandbox_id"],
        }
