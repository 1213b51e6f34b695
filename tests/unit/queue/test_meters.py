"""Metrics have the contract's names, and a port of their own where one is wanted."""

from __future__ import annotations

import socket

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.queue.meters import (
    SchedulerMeters,
    WorkerMeters,
    exposed,
    resident_bytes,
)


def names(registry: CollectorRegistry) -> set[str]:
    return {family.name for family in registry.collect()}


def test_series_have_the_names_that_dashboards_ask_for() -> None:
    assert names(WorkerMeters().registry) == {
        "pixtools_job_queue_wait_seconds",
        "pixtools_job_duration_seconds",
        "pixtools_jobs_active",
        "pixtools_task_retries",
        "pixtools_task_failures",
        "pixtools_worker_rss_bytes",
    }
    assert names(SchedulerMeters().registry) == {
        "pixtools_queue_depth",
        "pixtools_queue_consumers",
        "pixtools_dead_letters",
        "pixtools_outbox_lag_seconds",
        "pixtools_rabbitmq_up",
        "pixtools_leases_reclaimed",
    }


def test_a_port_shows_them_for_as_long_as_the_process_works(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}/metrics"
    with httpx2.Client(trust_env=False) as http:
        with exposed(WorkerMeters().registry, free_port):
            assert "pixtools_worker_rss_bytes" in http.get(url).text
        with pytest.raises(httpx2.TransportError):
            http.get(url)


def test_without_a_port_nothing_listens() -> None:
    with exposed(WorkerMeters().registry, 0):
        pass


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationInvalid, match=f"METRICS_PORT {port} can't"),
            exposed(WorkerMeters().registry, port),
        ):
            raise AssertionError("It was served.")


def test_memory_counts_what_children_hold() -> None:
    assert resident_bytes() > 10_000_000
