"""Connections that break, servers that are away, and locks that somebody holds."""

from __future__ import annotations

import socket
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC

import pytest
from sqlalchemy import Connection, make_url
from tests.integration.persistence.wire import Wire

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.jobs.ports.facts import Remembered
from pixtools.jobs.run_stage import run_next
from pixtools.persistence import engine, patient
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase, SqlTransaction
from pixtools.testing.house import House
from pixtools.testing.port_suites.database import kept, stored
from pixtools.testing.rows import LEASE, NOW, a_job, an_id
from pixtools.testing.serving import eventually


def process_of(tx: SqlTransaction) -> int:
    """The server's process behind a transaction."""
    asked = tx.jobs._connection.exec_driver_sql("SELECT pg_backend_pid()")
    number: int = asked.scalar_one()
    return number


def end(administrator: Connection, process: int) -> None:
    """Let the server end one of its processes, and see it end."""
    ended = "SELECT pg_terminate_backend(%(pid)s, 10000)"
    assert administrator.exec_driver_sql(ended, {"pid": process}).scalar_one()


def test_a_broken_connection_is_replaced(
    database: SqlDatabase, administrator: Connection
) -> None:
    """After a restart of the server the next transaction simply works."""
    job = a_job()
    with database.write() as tx:
        tx.jobs.add(job)
        kept_open = process_of(tx)
    end(administrator, kept_open)
    assert kept(database, job.id) == job


def test_a_connection_that_breaks_midway_undoes_everything(
    database: SqlDatabase, administrator: Connection
) -> None:
    """Nothing of the transaction is there, and the database is said to be away."""
    job = a_job()

    def half_done() -> None:
        with database.write() as tx:
            tx.jobs.add(job)
            end(administrator, process_of(tx))

    with pytest.raises(DatabaseUnavailable):
        half_done()
    assert kept(database, job.id) is None


def test_a_writer_elsewhere_is_waited_for(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """Not for ever: then the database is away, and comes back by itself."""
    job = a_job()
    stored(database, job)
    hasty = SqlDatabase(replace(config, busy_timeout=0.2))
    with database.write() as tx:
        tx.jobs.get(job.id, lock=True)
        with pytest.raises(DatabaseUnavailable), hasty.write() as other:
            other.jobs.get(job.id, lock=True)
    with hasty.write() as other:
        assert other.jobs.get(job.id, lock=True) == job
    hasty.close()


def test_a_frozen_transaction_lets_go_of_its_rows(
    database: SqlDatabase, config: PersistenceConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands still within one loses it, and others go on."""
    job = a_job()
    stored(database, job)
    monkeypatch.setattr(engine, "IDLE_SECONDS", 1)
    frozen = SqlDatabase(config)

    def stand_still() -> None:
        with frozen.write() as tx:
            assert tx.jobs.get(job.id, lock=True)
            tx.jobs.save(replace(job, progress=0.5))
            with database.write() as other:
                assert other.jobs.get(job.id, lock=True) == job

    with pytest.raises(DatabaseUnavailable):
        stand_still()
    frozen.close()
    assert kept(database, job.id) == job


@pytest.mark.parametrize("keeps", [True, False])
def test_a_second_first_answer_waits_for_the_first(
    database: SqlDatabase, administrator: Connection, keeps: bool
) -> None:
    """The same key twice at once: one is first, unless it comes to nothing."""
    answers = [Remembered(fingerprint=m * 64, job_id=m, status=202) for m in "ab"]

    def remember(answer: Remembered, then: Callable[[], None]) -> bool:
        with database.write() as tx:
            until = NOW + LEASE
            kept = tx.idempotency.remember("me", "k", answer, now=NOW, expires_at=until)
            then()
            return kept

    def meanwhile() -> None:
        seconds.append(pool.submit(remember, answers[1], lambda: None))
        eventually(lambda: waiters(administrator) == 1, within=10)
        if not keeps:
            raise LookupError

    seconds: list[Future[bool]] = []
    with ThreadPoolExecutor(1) as pool:
        if keeps:
            assert remember(answers[0], meanwhile)
        else:
            with pytest.raises(LookupError):
                remember(answers[0], meanwhile)
        assert seconds[0].result(timeout=10) is not keeps


def waiters(administrator: Connection) -> int:
    """How many of the database's transactions wait for another."""
    count: int = administrator.exec_driver_sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).scalar_one()
    return count


def test_an_error_says_nothing_of_what_clients_sent(database: SqlDatabase) -> None:
    """The server tells of the whole row; a log that keeps errors must not."""
    secret = an_id()
    job = a_job(tenant=secret)
    stored(database, job)
    with pytest.raises(Exception, match="ck_jobs_counted") as refused:
        stored(database, a_job(tenant=secret, stages_left=-1))
    assert secret not in "".join(traceback.format_exception(refused.value))
    with pytest.raises(Exception, match="pk_jobs") as refused:
        stored(database, job)
    assert job.id not in "".join(traceback.format_exception(refused.value))


def test_times_are_utc_whatever_the_server_thinks(config: PersistenceConfig) -> None:
    """A server's time zone changes how a time is written, not when it is."""
    options = {"options": "-c timezone=Asia/Kolkata"}
    url = make_url(config.url).update_query_dict(options)
    elsewhere = SqlDatabase(
        replace(config, url=url.render_as_string(hide_password=False))
    )
    job = a_job()
    stored(elsewhere, job)
    seen = kept(elsewhere, job.id)
    elsewhere.close()
    assert seen == job
    assert seen.created_at.tzinfo is UTC


def test_a_server_that_is_away_says_so(config: PersistenceConfig) -> None:
    """Nobody listens there: at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        url = make_url(config.url).set(port=port).render_as_string(hide_password=False)
        database = SqlDatabase(replace(config, url=url))
        with pytest.raises(DatabaseUnavailable):
            database.check()
        database.close()


def test_a_server_that_freezes_midway_is_not_waited_for(
    config: PersistenceConfig,
) -> None:
    """Its machine still acknowledges every byte; only answers do not come."""
    job = a_job()
    with Wire.to(config) as wire:
        hasty = SqlDatabase(replace(wire.config, patience=2.0))
        hasty.check()
        wire.fall_silent()
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(DatabaseUnavailable):
                pool.submit(kept, hasty, job.id).result(timeout=20)
            wire.go_on()
            wire.cut()
            assert pool.submit(kept, hasty, job.id).result(timeout=20) is None
        hasty.close()


def test_a_commit_without_an_answer_is_not_waited_for(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """It may have come to pass: all that is known is that the database is away."""
    job = a_job()
    with Wire.to(config) as wire:
        hasty = SqlDatabase(replace(wire.config, patience=2.0))

        def half_done() -> None:
            with hasty.write() as tx:
                tx.jobs.add(job)
                wire.fall_silent()

        with ThreadPoolExecutor(1) as pool, pytest.raises(DatabaseUnavailable):
            pool.submit(half_done).result(timeout=20)
        hasty.close()


def test_a_restart_of_the_server_costs_no_work(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """It goes away while pixels are made; their end is written when it is back."""
    with Wire.to(config) as wire:
        house = House(database=SqlDatabase(wire.config))
        job = house.submit()

        def rest(seconds: float) -> None:
            house.clock.advance(seconds)
            wire.open_door()

        house.renderer.trouble = lambda checkpoint: wire.close_door()
        run_next(replace(house.service, rest=rest), "one")
        house.database.close()
    with database.read() as tx:
        found = tx.jobs.get(job.id)
        assert found is not None
        assert found.status == "succeeded"
        assert tx.stages.of_job(job.id)[0].attempt == 1


def test_a_statement_may_take_so_long_and_no_longer(config: PersistenceConfig) -> None:
    """The server itself stops it, and the connection goes on."""
    hasty = SqlDatabase(replace(config, patience=2.0))
    with pytest.raises(DatabaseUnavailable), hasty.write() as tx:
        tx.jobs._connection.exec_driver_sql("SELECT pg_sleep(60)")
    hasty.check()
    hasty.close()


def test_statements_are_never_compiled(config: PersistenceConfig) -> None:
    """For that takes a hundred times as long as whatever we ask."""
    eager = make_url(config.url).update_query_dict({"options": "-c jit_above_cost=0"})
    here = SqlDatabase(replace(config, url=eager.render_as_string(hide_password=False)))
    with here.read() as tx:
        walk = "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i+1 FROM n WHERE i < 9)"
        plan = f"EXPLAIN (ANALYZE, FORMAT JSON) {walk} SELECT sum(i) FROM n"
        (found,) = tx.jobs._connection.exec_driver_sql(plan).scalar_one()
    here.close()
    assert "Plan" in found
    assert "JIT" not in found


def test_when_all_connections_are_in_use_the_next_one_waits_a_little(
    config: PersistenceConfig,
) -> None:
    """Then the database counts as away, which clients are told to try again."""
    small = SqlDatabase(replace(config, pool_size=1, overflow=1, pool_timeout=0.1))
    with small.read(), small.read(), pytest.raises(DatabaseUnavailable), small.read():
        pytest.fail("There was a third one.")
    small.check()
    small.close()


def test_a_server_that_says_nothing_is_not_waited_for(
    config: PersistenceConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is taken and never answered ends within seconds."""
    monkeypatch.setitem(patient._WIRE, "connect_timeout", 2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        url = make_url(config.url).set(port=port).render_as_string(hide_password=False)
        database = SqlDatabase(replace(config, url=url))
        with ThreadPoolExecutor(1) as pool:
            refused = pool.submit(database.check)
            with pytest.raises(DatabaseUnavailable):
                refused.result(timeout=20)
        database.close()
