"""Sources that lie still in a bucket are told once, whatever order they came in."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore, ObjectStore

from pixtools.domain.errors import StorageUnavailable
from pixtools.domain.ids import uuid7
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_store import open_store
from pixtools.storage.still_objects import StillObjects
from pixtools.testing.clock import HandClock

MINUTE = timedelta(minutes=1)
Put = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """A store whose times can be set."""
    return LocalStore(tmp_path)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def put(tmp_path: Path, clock: HandClock) -> Put:
    """Store the source of a job whose id was made so long ago, now; the id."""

    def stored(age: timedelta = timedelta()) -> str:
        job_id = uuid7(int((clock.now() - age).timestamp() * 1000), bytes(10))
        folder = tmp_path / "raw" / job_id
        folder.mkdir(parents=True)
        (folder / "source").write_bytes(b"photo")
        os.utime(folder / "source", times=(clock.now().timestamp(),) * 2)
        return job_id

    return stored


def still(store: ObjectStore, clock: HandClock) -> StillObjects:
    return StillObjects(lambda: store, clock, reach=10 * MINUTE, rest=5 * MINUTE)


def test_what_just_came_may_still_move(
    store: ObjectStore, clock: HandClock, put: Put
) -> None:
    """A source is there before its job is; after a while it has to be somebody's."""
    found, job_id = still(store, clock), put()
    clock.advance(4 * MINUTE)
    assert list(found.look()) == []
    clock.advance(2 * MINUTE)
    assert list(found.look()) == [job_id]
    clock.advance(6 * MINUTE)
    assert list(found.look()) == []


def test_a_late_upload_is_found_behind_newer_ones(
    store: ObjectStore, clock: HandClock, put: Put
) -> None:
    """Its id is old, its bytes are new."""
    found, first = still(store, clock), put()
    clock.advance(6 * MINUTE)
    assert list(found.look()) == [first]
    late = put(9 * MINUTE)
    clock.advance(6 * MINUTE)
    assert list(found.look()) == [late]


def test_the_first_look_sees_everything(
    store: ObjectStore, clock: HandClock, put: Put
) -> None:
    """What an earlier process left too."""
    jobs = [put(timedelta(days=days)) for days in (9, 3, 0)]
    clock.advance(6 * MINUTE)
    assert sorted(still(store, clock).look()) == sorted(jobs)


def test_a_look_that_broke_off_is_made_again(
    store: ObjectStore, clock: HandClock, put: Put
) -> None:
    """Whoever was not told of by then is told of next time."""
    jobs = [put(timedelta(minutes=n)) for n in (2, 1)]
    found = still(store, clock)
    clock.advance(6 * MINUTE)
    assert next(iter(found.look())) in jobs
    assert sorted(found.look()) == jobs


def test_later_looks_list_only_what_may_be_new(clock: HandClock) -> None:
    """A bucket may hold very many sources."""
    asked: list[str | None] = []

    class Watched(StillObjects):
        def _offset(self) -> str | None:
            asked.append(super()._offset())
            return asked[-1]

    found = Watched(MemoryStore, clock, reach=10 * MINUTE, rest=5 * MINUTE)
    list(found.look())
    clock.advance(60 * MINUTE)
    list(found.look())
    first, second = asked
    assert first is None
    earliest = clock.now() - 75 * MINUTE
    assert second == f"raw/{uuid7(int(earliest.timestamp() * 1000), bytes(10))}"


def test_a_store_that_is_away_is_said(clock: HandClock) -> None:
    """And nothing is taken for looked at."""
    config = ObjectsConfig(
        bucket="pictures",
        endpoint="http://127.0.0.1:9",
        access_key="key",
        secret_key="secret",
        retries=0,
    )
    found = StillObjects(lambda: open_store(config), clock, reach=MINUTE)
    with pytest.raises(StorageUnavailable):
        list(found.look())
