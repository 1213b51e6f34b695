"""What the API measures of itself."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


@dataclass(frozen=True, slots=True)
class Meters:
    """The API's own series, in a registry that telemetry may add to."""

    registry: CollectorRegistry
    latency: Histogram
    uploaded: Counter
    rejections: Counter
    unlimited: Counter
    sign_in_failures: Counter


def meters(registry: CollectorRegistry | None = None) -> Meters:
    """Register the API's series; times in seconds, until the last byte of a body."""
    where = registry if registry is not None else CollectorRegistry()
    return Meters(
        registry=where,
        latency=Histogram(
            "pixtools_api_request_latency_seconds",
            "Time from a request's first byte to the answer's head.",
            ("method", "route", "status"),
            registry=where,
            buckets=LATENCY_BUCKETS,
        ),
        uploaded=Counter(
            "pixtools_upload_bytes_total",
            "Bytes of images that came through the API.",
            registry=where,
        ),
        rejections=Counter(
            "pixtools_api_rate_limit_rejections_total",
            "Requests refused because their client asked too often.",
            ("route",),
            registry=where,
        ),
        unlimited=Counter(
            "pixtools_api_rate_limit_bypasses_total",
            "Requests let through uncounted because Redis did not answer.",
            ("route",),
            registry=where,
        ),
        sign_in_failures=Counter(
            "pixtools_api_sign_in_failures_total",
            "Requests that came with a key or token that is not known.",
            registry=where,
        ),
    )
