"""From settings to what each process of a cluster is told."""

from __future__ import annotations

import pytest

from pixtools.settings import Settings
from pixtools.wiring.cluster import scheduler_config


@pytest.mark.parametrize(("lease", "reap"), [(60, 10), (4, 2)])
def test_after_a_short_lease_nobody_waits_long(lease: float, reap: float) -> None:
    """The dead are looked for at least twice in a lease."""
    settings = Settings(rabbitmq_url="amqp://localhost/", lease_seconds=lease)
    assert scheduler_config(settings).reap == reap
