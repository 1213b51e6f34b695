"""Series that several kinds of processes have (names: the contract's, §9)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from pixtools.domain.usage import Metered


class UsageMeters:
    """What the jobs cost that this process has ended; tenants are not told apart."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, about: str) -> Counter:
            return Counter(f"pixtools_usage_{name}_total", about, registry=registry)

        self._pixels = counter(
            "pixels_processed", "Pixels of the outputs of jobs that have ended."
        )
        self._saved = counter(
            "bytes_saved", "Bytes that outputs are smaller than their sources."
        )
        self._time = counter(
            "compute_time_ms", "CPU milliseconds of jobs that have ended."
        )

    def count(self, cost: Metered) -> None:
        """Add what one job cost."""
        self._pixels.inc(cost.pixels_processed)
        self._saved.inc(cost.bytes_saved)
        self._time.inc(cost.compute_time_ms)
