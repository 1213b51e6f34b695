"""Real processes that race for work: each stage is claimed once, nobody waits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.testing.port_suites.stages import claimed, found, waiting
from pixtools.testing.rows import a_job, a_stage
from pixtools.testing.serving import eventually

HEAD = """
import sys
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.testing.rows import LEASE, NOW
database = SqlDatabase(PersistenceConfig(url=sys.argv[1]))
def claim(tx):
    return tx.stages.claim(sys.argv[2], NOW, LEASE, lanes=("default_queue",))
print("ready", flush=True)
sys.stdin.readline()
"""
RACER = (
    HEAD
    + """
while True:
    with database.write() as tx:
        stage = claim(tx)
    if stage is None:
        break
    print(stage.id)
"""
)
HOLDER = (
    HEAD
    + """
with database.write() as tx:
    print(claim(tx).id, flush=True)
    sys.stdin.readline()
"""
)


@contextmanager
def another(program: str, url: str, owner: str) -> Iterator[subprocess.Popen[str]]:
    """A process with a database of its own, about to begin."""
    with subprocess.Popen(
        [sys.executable, "-c", program, url, owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert line_of(process) == "ready"
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_racing_processes_claim_every_stage_once(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """Whichever process gets which: none is left over, none is claimed twice."""
    job = a_job()
    stages = [a_stage(job) for _ in range(150)]
    waiting(database, stages, job)
    with (
        another(RACER, config.url, "one") as one,
        another(RACER, config.url, "two") as two,
        another(RACER, config.url, "three") as three,
    ):
        racers = (one, two, three)
        for racer in racers:
            go_on(racer)
        shares = [racer.communicate(timeout=60)[0].split() for racer in racers]
    claims = Counter(stage for share in shares for stage in share)
    assert claims == Counter(stage.id for stage in stages)
    assert all(shares), "nobody raced"
    with database.read() as tx:
        owners = {stage.lease_owner for stage in tx.stages.of_job(job.id)}
    assert owners == {"one", "two", "three"}


def test_a_claim_does_not_wait_for_another(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """What another transaction is about to take is skipped, not waited for."""
    job = a_job()
    waiting(database, [a_stage(job), a_stage(job)], job)
    with another(HOLDER, config.url, "holder") as holder:
        go_on(holder)
        held = line_of(holder)
        got = [claimed(database, "quick"), claimed(database, "quick")]
        assert got[0] is not None
        assert got[0].id != held
        assert got[1] is None


def test_killed_within_a_claim_gives_it_back(
    database: SqlDatabase, config: PersistenceConfig
) -> None:
    """Without waiting for a lease: the claim was never written."""
    job = a_job()
    waiting(database, [a_stage(job)], job)
    with another(HOLDER, config.url, "holder") as holder:
        go_on(holder)
        held = line_of(holder)
        assert claimed(database) is None
        os.kill(holder.pid, signal.SIGKILL)
        eventually(lambda: claimed(database) is not None, within=10)
    stage = found(database, job)
    assert (stage.id, stage.lease_owner, stage.attempt) == (held, "one", 1)
