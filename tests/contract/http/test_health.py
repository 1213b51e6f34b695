"""Whether the service lives, is ready, and reaches what it depends on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from tests.contract.http.site import Site

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import DatabaseUnavailable

CLUSTER = ("database", "redis", "rabbitmq", "s3")
EMBEDDED = ("database", "storage", "workers")


def away() -> None:
    raise DatabaseUnavailable


def probes(
    *names: str, **others: Callable[[], object]
) -> dict[str, Callable[[], object]]:
    return dict.fromkeys(names, lambda: None) | others


def test_it_lives(site: Site) -> None:
    assert site.ask("GET", "/api/livez").json() == {"status": "alive"}
    assert site.ask("GET", "/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("names", [EMBEDDED, CLUSTER])
def test_it_is_well_while_every_dependency_answers(names: tuple[str, ...]) -> None:
    site = Site(probes=probes(*names))
    answer = site.ask("GET", "/api/health")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "healthy",
        "dependencies": dict.fromkeys(names, "ok"),
    }


def test_it_is_unwell_as_soon_as_one_does_not() -> None:
    site = Site(probes=probes(*EMBEDDED, storage=away, workers=lambda: False))
    answer = site.ask("GET", "/api/health")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unhealthy",
        "dependencies": {
            "database": "ok",
            "storage": "unreachable",
            "workers": "unreachable",
        },
    }


@pytest.mark.parametrize("name", ["redis", "rabbitmq", "workers"])
def test_it_stays_ready_without_what_accepting_a_job_does_not_need(name: str) -> None:
    site = Site(probes=probes(*CLUSTER, **{name: away}))
    assert site.ask("GET", "/api/readyz").json() == {
        "status": "healthy",
        "dependencies": {"database": "ok", "s3": "ok"},
    }
    assert site.ask("GET", "/api/health").json()["dependencies"][name] == "unreachable"


@pytest.mark.parametrize(
    ("names", "name"),
    [(EMBEDDED, "database"), (EMBEDDED, "storage"), (CLUSTER, "s3")],
)
def test_it_is_not_ready_without_what_accepting_a_job_needs(
    names: tuple[str, ...], name: str
) -> None:
    answer = Site(probes=probes(*names, **{name: away})).ask("GET", "/api/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["dependencies"][name] == "unreachable"


def test_a_dependency_that_hangs_is_unreachable() -> None:
    hung = threading.Event()
    site = Site(
        config=ApiConfig(probe_timeout=0.05), probes={"database": lambda: hung.wait(9)}
    )
    try:
        answer = site.ask("GET", "/api/health")
    finally:
        hung.set()
    assert answer.json()["dependencies"] == {"database": "unreachable"}
