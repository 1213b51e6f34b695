"""GET /v1/jobs/{id}/events and /v1/batches/{id}/events."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import Site

from pixtools.api.config import ApiConfig
from pixtools.jobs.ports.facts import Database, Transaction


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as an EventSource understands it."""

    event: str
    id: str
    document: dict[str, Any]


@pytest.fixture
def site() -> Site:
    return Site(config=ApiConfig(progress_interval=0.01))


async def listen(stream: Exchange, *, until: str) -> list[Heard]:
    """The events of a stream up to one of this kind, or its end."""
    text, heard = "", []
    async for chunk in stream.chunks():
        text += chunk.decode()
        while "\n\n" in text:
            block, _, text = text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if "event" in fields:
                document = json.loads(fields["data"])
                heard.append(Heard(fields["event"], fields["id"], document))
                if fields["event"] == until:
                    return heard
    return heard


def whole(site: Site, path: str, *, last: str | None = None) -> list[Heard]:
    """All events of a stream while the work is done beside it."""

    async def story() -> list[Heard]:
        headers = {"Last-Event-ID": last} if last is not None else {}
        async with Exchange(site.app, "GET", path, headers) as stream:
            head = await stream.head()
            assert head.status == 200
            assert head.headers["content-type"].startswith("text/event-stream")
            assert head.headers["cache-control"] == "no-store"
            assert head.headers["x-accel-buffering"] == "no"
            work = threading.Thread(target=site.work)
            if last is None:
                heard = await listen(stream, until="snapshot")
                work.start()
                heard += await listen(stream, until="never")
                work.join()
            else:
                heard = await listen(stream, until="never")
            await stream.over()
            return heard

    return asyncio.run(story())


class Busy:
    """A database in which much happens after one of its reads."""

    def __init__(
        self, database: Database, after: int, happens: Callable[[], object]
    ) -> None:
        self._database = database
        self._left = after
        self._happens = happens

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        with self._database.read() as tx:
            yield tx
        self._left -= 1
        if not self._left:
            self._happens()

    def write(self) -> AbstractContextManager[Transaction]:
        return self._database.write()

    def check(self) -> None:
        self._database.check()

    def close(self) -> None:
        """The other one is not ours."""


@pytest.mark.parametrize("after", range(1, 10))
def test_nothing_is_left_out_whenever_it_happens(after: int) -> None:
    """Not even if all of it falls between the job that was read and its events."""
    site = Site()
    job_id = site.upload().json()["job_id"]
    quiet = site.house.service.database
    site.lean_on(database=Busy(quiet, after, site.house.work))
    site.house.service = replace(site.house.service, database=quiet)
    heard = whole(site, f"/v1/jobs/{job_id}/events", last="0")
    with quiet.read() as tx:
        happened = [
            (event.kind, str(event.seq)) for event in tx.history.after(job_id, 0)
        ]
    told = [(each.event, each.id) for each in heard if each.event != "progress"]
    assert told == happened
    assert told[-1][0] == "done"


def test_a_job_is_told_from_its_snapshot_to_its_end(site: Site) -> None:
    job_id = site.upload().json()["job_id"]
    heard = whole(site, f"/v1/jobs/{job_id}/events")
    kinds = [each.event for each in heard]
    assert kinds[0] == "snapshot"
    assert kinds[-1] == "done"
    assert kinds.count("done") == 1
    assert {"status", "output", "archive"} <= set(kinds)
    assert kinds.index("output") < kinds.index("archive")
    ids = [int(each.id) for each in heard]
    assert ids == sorted(ids)
    last = heard[-1].document
    assert last["status"] == "succeeded"
    assert last["archive"]["status"] == "succeeded"
    assert last["outputs"][0]["url"]


def test_an_ended_job_is_told_in_two_words(site: Site) -> None:
    job_id = site.upload().json()["job_id"]
    site.work()
    kinds = [each.event for each in whole(site, f"/v1/jobs/{job_id}/events")]
    assert kinds == ["snapshot", "done"]


def test_whoever_comes_back_hears_what_was_missed(site: Site) -> None:
    job_id = site.upload().json()["job_id"]
    path = f"/v1/jobs/{job_id}/events"
    everything = whole(site, path)
    after = everything[0].id
    missed = whole(site, path, last=after)
    told = [(each.event, each.id) for each in missed]
    assert told == [
        (each.event, each.id) for each in everything[1:] if each.event != "progress"
    ]


@pytest.mark.parametrize("last", ["nonsense", "", "-4"])
def test_an_id_that_is_none_of_ours_begins_anew(site: Site, last: str) -> None:
    job_id = site.upload().json()["job_id"]
    site.work()
    heard = whole(site, f"/v1/jobs/{job_id}/events", last=last)
    assert heard[0].event == "snapshot"


@pytest.mark.parametrize("kind", ["jobs", "batches"])
def test_after_the_end_there_is_no_reason_to_come_back(site: Site, kind: str) -> None:
    path = f"/v1/jobs/{site.upload().json()['job_id']}/events"
    if kind == "batches":
        batch = site.ask("POST", "/v1/batches", json={"closed": True}).json()
        path = f"/v1/batches/{batch['batch_id']}/events"
    site.work()
    last = whole(site, path)[-1].id
    answer = site.ask("GET", path, headers={"Last-Event-ID": last})
    assert answer.status_code == 204


def test_a_canceled_job_is_done(site: Site) -> None:
    job_id = site.upload().json()["job_id"]
    site.ask("POST", f"/v1/jobs/{job_id}/cancel")
    heard = whole(site, f"/v1/jobs/{job_id}/events")
    assert heard[-1].event == "done"
    assert heard[-1].document["status"] == "canceled"


def test_a_batch_is_told_from_its_snapshot_to_its_end(site: Site) -> None:
    batch_id = site.ask("POST", "/v1/batches", json={}).json()["batch_id"]
    for _ in range(2):
        site.upload(batch_id=batch_id)
    site.ask("POST", f"/v1/batches/{batch_id}/close")
    heard = whole(site, f"/v1/batches/{batch_id}/events")
    assert heard[0].event == "snapshot"
    assert heard[-1].event == "done"
    last = heard[-1].document
    assert [job["status"] for job in last["jobs"]] == ["succeeded", "succeeded"]
    assert last["archive"]["url"]
    assert last["progress"] == 1


def test_a_stopping_server_lets_its_streams_end(site: Site) -> None:
    job_id = site.upload().json()["job_id"]

    async def story() -> None:
        path = f"/v1/jobs/{job_id}/events"
        async with Exchange(site.app, "GET", path) as stream:
            await stream.head()
            await listen(stream, until="snapshot")
            site.bell.close()
            assert await listen(stream, until="never") == []
            await stream.over()

    asyncio.run(asyncio.wait_for(story(), 60))


def test_who_hangs_up_is_forgotten(site: Site) -> None:
    job_id = site.upload().json()["job_id"]

    async def story() -> None:
        path = f"/v1/jobs/{job_id}/events"
        async with Exchange(site.app, "GET", path) as stream:
            await stream.head()
            await listen(stream, until="snapshot")
            assert site.bell._listeners
            stream.hang_up()
            await stream.over()
        assert not site.bell._listeners

    asyncio.run(asyncio.wait_for(story(), 60))
