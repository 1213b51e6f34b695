"""A worker process on real files that is there to be killed: `worker.py FOLDER NAME`."""

from __future__ import annotations

import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pixtools.domain.errors import DatabaseUnavailable
from pixtools.domain.ids import uuid7
from pixtools.jobs.ports.work import Checkpoint
from pixtools.jobs.reap import reap
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Rules, Service
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.storage.local import LocalBlobs
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryLinks, TemporaryScratch
from pixtools.testing.memory_work import PaperRenderer, RecordingBell

LEASE = timedelta(seconds=1)


class WallClock:
    """Time as it is."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class RandomIds:
    """Ids as they are."""

    def new(self) -> str:
        return uuid7(time.time_ns() // 1_000_000, random.randbytes(10))


def config(folder: Path) -> PersistenceConfig:
    return PersistenceConfig(url=f"sqlite:///{folder}/facts.sqlite3")


def service(folder: Path) -> Service:
    """A service on files; only pixels and links are made up."""
    renderer, clock = PaperRenderer(), WallClock()
    renderer.trouble = slow
    return Service(
        database=SqlDatabase(config(folder)),
        blobs=LocalBlobs(folder / "objects"),
        links=MemoryLinks(MemoryBlobs(), clock),
        scratch=TemporaryScratch(),
        renderer=renderer,
        bell=RecordingBell(),
        clock=clock,
        ids=RandomIds(),
        rules=Rules(
            lease=LEASE,
            heartbeat=LEASE / 4,
            backoff=timedelta(milliseconds=20),
            max_attempts=50,
        ),
    )


def slow(checkpoint: Checkpoint) -> None:
    """Enough work that who is seen at it is still at it when a signal comes."""
    for step in range(10):
        time.sleep(0.02)
        checkpoint(step / 10)


def main() -> None:
    """Reap and work until killed."""
    folder, name = Path(sys.argv[1]), sys.argv[2]
    mine = service(folder)
    while True:
        # Somebody else may have the database to himself for as long as a disk stalls.
        with suppress(DatabaseUnavailable):
            if run_next(mine, name):
                continue
            reap(mine)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
