"""From settings to what each process of a cluster is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.settings import Settings
from pixtools.wiring.cluster import scheduler_config, worker_config


@pytest.mark.parametrize(("lease", "reap"), [(60, 10), (4, 2)])
def test_after_a_short_lease_nobody_waits_long(lease: float, reap: float) -> None:
    """The dead are looked for at least twice in a lease."""
    settings = Settings(rabbitmq_url="amqp://localhost/", lease_seconds=lease)
    assert scheduler_config(settings).reap == reap


def test_a_heartbeat_that_nobody_may_write_stops_the_start(tmp_path: Path) -> None:
    """Else an orchestrator kills a healthy process for want of it."""
    (tmp_path / "beat").touch()
    for file in (tmp_path / "gone" / "beat", tmp_path, tmp_path / "beat" / "beat"):
        told = Settings(worker_heartbeat_file=file, scheduler_heartbeat_file=file)
        with pytest.raises(ConfigurationInvalid, match="WORKER_HEARTBEAT_FILE"):
            worker_config(told, ("default_queue",))
        with pytest.raises(ConfigurationInvalid, match="SCHEDULER_HEARTBEAT_FILE"):
            scheduler_config(told)


def test_a_heartbeat_is_not_there_before_the_process_is_ready(tmp_path: Path) -> None:
    """Readiness is told by it."""
    file = tmp_path / "beat"
    scheduler_config(Settings(scheduler_heartbeat_file=file))
    assert not file.exists()
    file.touch()
    scheduler_config(Settings(scheduler_heartbeat_file=file))
