"""What workers and schedulers measure of themselves (names: the contract's, §9)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pixtools.domain.errors import ConfigurationInvalid

SECONDS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class WorkerMeters:
    """The series of one worker process, pixel children counted in its memory."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        where = self.registry = registry or CollectorRegistry()
        self.waited = Histogram(
            "pixtools_job_queue_wait_seconds",
            "How long stages waited until they first began.",
            ("lane",),
            registry=where,
            buckets=SECONDS,
        )
        self.took = Histogram(
            "pixtools_job_duration_seconds",
            "From a stage's begin to its end.",
            ("lane",),
            registry=where,
            buckets=SECONDS,
        )
        self.active = Gauge(
            "pixtools_jobs_active",
            "Slots at work, by the lane whose message woke them.",
            ("lane",),
            registry=where,
        )
        self.retries = Counter(
            "pixtools_task_retries_total",
            "Stages that were begun again after an attempt had failed.",
            ("task",),
            registry=where,
        )
        self.failures = Counter(
            "pixtools_task_failures_total",
            "Messages that were refused or that ended in a fault of ours.",
            ("task",),
            registry=where,
        )
        Gauge(
            "pixtools_worker_rss_bytes",
            "Resident memory of the worker process and its pixel children.",
            registry=where,
        ).set_function(resident_bytes)


class SchedulerMeters:
    """The series of one scheduler: what it sees of the broker and the outbox."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        where = self.registry = registry or CollectorRegistry()

        def by_queue(name: str, about: str) -> Gauge:
            return Gauge(f"pixtools_{name}", about, ("queue",), registry=where)

        self.depth = by_queue("queue_depth", "Stages that wait and may begin now.")
        self.consumers = by_queue("queue_consumers", "Worker processes that listen.")
        self.dead = by_queue("dead_letters", "Messages that nobody could understand.")
        self.lag = Gauge(
            "pixtools_outbox_lag_seconds",
            "For how long the oldest due wake-up has not been passed on.",
            registry=where,
        )
        self.up = Gauge(
            "pixtools_rabbitmq_up",
            "1 while RabbitMQ answers this scheduler, else 0.",
            registry=where,
        )
        self.reclaimed = Counter(
            "pixtools_leases_reclaimed_total",
            "Stages taken from workers that had fallen silent.",
            registry=where,
        )


@contextmanager
def exposed(registry: CollectorRegistry, port: int) -> Iterator[None]:
    """Serve the series at /metrics of a port for a block; nothing if it is 0."""
    if not port:
        yield
        return
    from prometheus_client import start_http_server

    try:
        server, thread = start_http_server(port, registry=registry)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"METRICS_PORT {port} can't be used: {reason}."
        raise ConfigurationInvalid(text) from None
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def resident_bytes() -> float:
    """Memory of this process and its children, as Linux counts it; else 0."""
    try:
        return float(sum(_resident(pid) for pid in ("self", *_children())))
    except OSError:
        return 0.0


def _children() -> list[str]:
    found = Path("/proc/self/task").glob("*/children")
    return [pid for each in found for pid in each.read_text().split()]


def _resident(pid: str) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0  # it ended while we looked
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
