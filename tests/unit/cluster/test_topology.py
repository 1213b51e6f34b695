"""What `make cluster` runs, with which settings, on whose servers."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts.cluster import servers, topology
from scripts.cluster.member import Member

NAMED = {
    "DATABASE_URL": "postgresql://db/photos",
    "RABBITMQ_URL": "amqp://mq",
    "REDIS_URL": "redis://r",
    "S3_BUCKET": "photos",
}


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of `make services`, instead of starting it."""
    asked: list[str] = []

    def provided(wanted: list[str]) -> dict[str, str]:
        asked.extend(wanted)
        return dict.fromkeys(wanted, "ours")

    monkeypatch.setattr(servers, "_provided", provided)
    return asked


def members(**environ: str) -> dict[str, Member]:
    ranks = topology.ranks(environ, Path("room"))
    return {member.name: member for rank in ranks for member in rank}


def test_servers_that_are_named_are_not_replaced(asked_for: list[str]) -> None:
    """Nobody's photos go into another database than the one that was named."""
    assert servers.lines(NAMED) == {}
    assert asked_for == []


@pytest.mark.parametrize("missing", NAMED)
def test_only_what_nobody_named_is_brought_along(
    missing: str, asked_for: list[str]
) -> None:
    given = {name: url for name, url in NAMED.items() if name != missing}
    servers.lines(given)
    assert len(asked_for) == 1
    assert missing in servers.NAMED_BY[asked_for[0]]


@pytest.mark.parametrize("name", ["AWS_S3_BUCKET", "STORAGE_URL"])
def test_a_store_has_several_names(name: str, asked_for: list[str]) -> None:
    servers.lines({**NAMED, "S3_BUCKET": "", name: "photos"})
    assert asked_for == []


def test_keys_of_another_store_don_t_reach_the_one_brought_along(
    asked_for: list[str],
) -> None:
    """AWS keys without a bucket are often there for other reasons."""
    servers.lines({**NAMED, "S3_BUCKET": "", "AWS_ACCESS_KEY_ID": "somebody's"})
    assert asked_for == ["s3"]


def test_first_the_api_ends_then_workers_then_who_wakes_them() -> None:
    ranks = topology.ranks({}, Path("room"))
    names = [[member.name for member in rank] for rank in ranks]
    assert names == [["api"], ["worker", "ml"], ["scheduler"]]


def test_each_worker_has_its_own_queue_and_heartbeat() -> None:
    found = members(WORKERS="4")
    assert found["worker"].command[-1] == "default_queue"
    assert found["ml"].command[-1] == "ml_inference_queue"
    beats = {found[name].environ["WORKER_HEARTBEAT_FILE"] for name in ("worker", "ml")}
    assert len(beats) == 2
    assert found["worker"].environ["WORKERS"] == "4"


def test_the_cluster_waits_for_its_scheduler_too(tmp_path: Path) -> None:
    ranks = topology.ranks({}, tmp_path)
    scheduler = ranks[-1][0]
    heartbeat = Path(scheduler.environ["SCHEDULER_HEARTBEAT_FILE"])
    assert not scheduler.ready(scheduler)
    heartbeat.touch()
    assert scheduler.ready(scheduler)
    scheduler.started = heartbeat.stat().st_mtime + 1
    assert not scheduler.ready(scheduler)


def test_processes_of_one_machine_don_t_fight_for_a_port() -> None:
    found = members(METRICS_PORT="9100")
    ports = {found[name].environ["METRICS_PORT"] for name in ("worker", "ml")}
    assert len(ports | {found["scheduler"].environ["METRICS_PORT"]}) == 3
    assert "METRICS_PORT" not in members()["scheduler"].environ


def test_the_address_is_what_the_api_says() -> None:
    api = members()["api"]
    assert topology.address(api) is None
    api.heard.append("PixTools runs at http://[::1]:8000 (stop it with Ctrl-C)")
    assert topology.address(api) == "http://[::1]:8000"
