"""News between processes over a real PostgreSQL: heard soon, and never in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from queue import SimpleQueue

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from tests.integration.persistence.wire import Wire

from pixtools.jobs.ports.work import Call
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.news import CALLS, Listener, PostgresBell
from pixtools.testing.program import eventually

SOON = 60.0
"""Only ends a test that hangs: a machine may stall for ten seconds."""
Heard = SimpleQueue[tuple[str, str]]


@pytest.fixture
def config(postgres_url: str) -> PersistenceConfig:
    return PersistenceConfig(url=postgres_url)


@pytest.fixture(autouse=True)
def left_alone(config: PersistenceConfig) -> None:
    """The server has noticed that the test before has hung up."""
    engine = create_engine(config.url, poolclass=NullPool)
    ours = text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE"
        " 'pixtools-%' AND datname = current_database()"
    )

    def is_so() -> bool:
        with engine.connect() as connection:
            return not connection.execute(ours).scalar_one()

    eventually(is_so, SOON)


@pytest.fixture
def heard() -> Heard:
    return SimpleQueue()


@pytest.fixture
def listener(config: PersistenceConfig, heard: Heard) -> Iterator[Listener]:
    """A listener that has begun: its first look at all lanes is over."""

    def on_work(lane: Call) -> None:
        heard.put(("work", lane))

    found = Listener(config, on_work, lambda job_id: heard.put(("news", job_id)))
    found.start()
    with closing(found):
        begun(heard)
        yield found


@pytest.fixture
def bell(config: PersistenceConfig) -> Iterator[PostgresBell]:
    with closing(PostgresBell(config)) as found:
        yield found


def begun(heard: Heard) -> None:
    assert [heard.get(timeout=SOON) for _ in CALLS] == [("work", at) for at in CALLS]


def cut(config: PersistenceConfig, name: str) -> int:
    """End all connections of a name, as a restarting server does."""
    engine = create_engine(config.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    statement = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = :name AND datname = current_database()"
    )
    with engine.connect() as connection:
        return len(connection.execute(statement, {"name": name}).all())


def test_work_and_news_reach_other_processes(
    listener: Listener, bell: PostgresBell, heard: Heard
) -> None:
    bell.work(["ml_inference_queue"])
    bell.news("a job")
    assert heard.get(timeout=SOON) == ("work", "ml_inference_queue")
    assert heard.get(timeout=SOON) == ("news", "a job")


def test_who_cares_for_work_only_is_told_of_no_jobs(
    config: PersistenceConfig, bell: PostgresBell
) -> None:
    heard: SimpleQueue[Call] = SimpleQueue()
    with closing(Listener(config, heard.put, on_news=None)) as ear:
        ear.start()
        assert [heard.get(timeout=SOON) for _ in CALLS] == list(CALLS)
        bell.news("a job")
        bell.work(["ml_inference_queue"])
        assert heard.get(timeout=SOON) == "ml_inference_queue"
        engine = create_engine(config.url, poolclass=NullPool)
        with engine.connect() as connection:
            asked = text(
                "SELECT query FROM pg_stat_activity WHERE application_name ="
                " 'pixtools-listener' AND datname = current_database()"
            )
            assert connection.execute(asked).scalars().all() == ["LISTEN pixtools_work"]


def test_news_arrives_at_once(
    listener: Listener, bell: PostgresBell, heard: Heard
) -> None:
    """Within 50 ms, unless the machine is busy with something else."""
    took: list[float] = []
    while len(took) < 50 and min(took, default=1.0) > 0.05:
        began = time.monotonic()
        bell.news(f"job {len(took)}")
        heard.get(timeout=SOON)
        took.append(time.monotonic() - began)
    assert min(took) <= 0.05


def test_who_rings_waits_for_nothing(postgres_url: str) -> None:
    """The server's address answers nobody, and rings return all the same."""
    away = PersistenceConfig(url="postgresql+psycopg://ann@127.0.0.1:1/nowhere")
    with closing(PostgresBell(away)) as bell:
        ringing = threading.Thread(target=bell.work, args=(CALLS,))
        ringing.start()
        ringing.join(SOON)
        assert not ringing.is_alive()


def test_rings_that_say_the_same_are_sent_once(
    listener: Listener, bell: PostgresBell, heard: Heard
) -> None:
    for _ in range(1000):
        bell.news("busy")
    bell.news("last")
    received: list[tuple[str, str]] = []
    while not received or received[-1] != ("news", "last"):
        received.append(heard.get(timeout=SOON))
    assert len(received) < 500


@pytest.mark.parametrize("name", ["pixtools-bell", "pixtools-listener"])
def test_a_cut_connection_is_made_anew(
    name: str,
    listener: Listener,
    bell: PostgresBell,
    heard: Heard,
    config: PersistenceConfig,
) -> None:
    bell.news("before")
    assert heard.get(timeout=SOON) == ("news", "before")
    assert cut(config, name) == 1
    if name == "pixtools-listener":
        begun(heard)
    came: set[tuple[str, str]] = set()

    def is_heard_after() -> bool:
        bell.news("after")
        while not heard.empty():
            came.add(heard.get())
        return ("news", "after") in came

    eventually(is_heard_after, SOON)
    # "before" may come again: its answer may not have come before the cut.
    assert came <= {("news", "before"), ("news", "after")}


@pytest.mark.parametrize("unsayable", ["x" * 8000, "a\0b"])
def test_what_can_not_be_said_keeps_nothing_else_back(
    unsayable: str, listener: Listener, bell: PostgresBell, heard: Heard
) -> None:
    bell.news(unsayable)
    bell.news("y" * 7999)
    assert heard.get(timeout=SOON) == ("news", "y" * 7999)


def test_what_was_rung_while_the_server_was_away_is_said_later(
    config: PersistenceConfig, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    """And that it was away is said once, however often it was tried."""
    with Wire.to(config) as wire, closing(PostgresBell(wire.config)) as bell:
        ear = Listener(
            config, lambda lane: None, lambda job_id: heard.put(("news", job_id))
        )
        ear.start()
        with closing(ear):
            assert ear.hears.wait(SOON)
            bell.news("first")
            assert heard.get(timeout=SOON) == ("news", "first")
            wire.close_door()
            bell.news("second")
            assert wire.refused.acquire(timeout=SOON)
            bell.news("third")
            assert all(wire.refused.acquire(timeout=SOON) for _ in range(2))
            wire.open_door()
            missed = {("news", "second"), ("news", "third")}
            while missed:  # "first" may come again: its answer may not have come
                missed.discard(heard.get(timeout=SOON))
    lost = [note for note in caplog.records if note.message == "news_lost"]
    assert len(lost) == 1


def test_a_listener_that_missed_news_has_everyone_look(
    listener: Listener, heard: Heard, config: PersistenceConfig
) -> None:
    assert cut(config, "pixtools-listener") == 1
    begun(heard)
    assert listener.hears.wait(SOON)


def test_a_closed_bell_has_sent_what_was_rung(
    listener: Listener, bell: PostgresBell, config: PersistenceConfig, heard: Heard
) -> None:
    closed = PostgresBell(config)
    closed.news("last words")
    closed.close()
    assert heard.get(timeout=SOON) == ("news", "last words")
    closed.news("unheard")
    closed.close()
    bell.news("later")  # whatever was said before is heard before
    assert heard.get(timeout=SOON) == ("news", "later")


def test_what_others_say_on_the_channel_harms_nobody(
    listener: Listener, bell: PostgresBell, heard: Heard, config: PersistenceConfig
) -> None:
    engine = create_engine(config.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("NOTIFY pixtools_work, 'a lane of next year'"))
    bell.news("known")
    assert heard.get(timeout=SOON) == ("news", "known")
