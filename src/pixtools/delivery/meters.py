"""What is measured of telling clients (names: the contract's, §9)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from pixtools.jobs.tell import Recorded


class OutboundMeters:
    """The series of one process that sends."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        where = registry or CollectorRegistry()
        self.deliveries = Counter(
            "pixtools_webhook_deliveries_total",
            "Attempts to tell a client, by what came of them.",
            ("result",),
            registry=where,
        )
        self.turns = Counter(
            "pixtools_webhook_circuit_transitions_total",
            "How often hosts began to fail, were tried again, and recovered.",
            ("from", "to"),
            registry=where,
        )

    def note(self, recorded: Recorded) -> None:
        """Count what was recorded: delivered, failed, or to be retried."""
        if not recorded.kept:
            self.deliveries.labels("lost").inc()
            return
        results = {"pending": "retried"}
        self.deliveries.labels(results.get(recorded.state, recorded.state)).inc()
        for turn in recorded.turned:
            self.turns.labels(*turn).inc()
