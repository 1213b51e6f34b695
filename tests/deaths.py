"""Processes that die at any call, and what must be true once others took over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest

from pixtools.domain.job import Job, Usage
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.usage import DayUsage
from pixtools.jobs.flights import Flights
from pixtools.jobs.ports.facts import JobQuery
from pixtools.jobs.read import events_after
from pixtools.jobs.reap import reap
from pixtools.jobs.relay import relay
from pixtools.jobs.service import Service
from pixtools.jobs.submit import IdempotencyKey, Intake, Order, submit_upload
from pixtools.testing.house import FACTS, RESIZED, House, tiny_gif
from pixtools.testing.mortal import (
    DoomedDatabase,
    Fate,
    Killed,
    MortalBlobs,
    MortalDatabase,
    MortalRenderer,
)

TO_PNG = {"id": "web", "action": "convert", "format": "png"}
ORDER = Order(
    pipeline=Pipeline.parse([RESIZED, TO_PNG, FACTS]),
    idempotency=IdempotencyKey("key", "same"),
)
Story = Callable[[Service], object]
Prepare = Callable[[House], Story]


def lives(prepare: Prepare, build: Callable[[], House] = House) -> Iterator[House]:
    """A house after each possible death of the story's process, and its full life."""
    for steps in range(1, 1000):
        house = build()
        story = prepare(house)
        fate = Fate(steps)
        mortal = with_fate(house, fate)
        mortal = replace(mortal, database=MortalDatabase(house.database, fate))
        try:
            story(mortal)
        except Killed:
            yield house
        else:
            yield house
            return
    pytest.fail("The story never ends.")


def doomed(house: House, write: int, *, committed: bool) -> Service:
    """A process that dies in one of its writes, before or after the commit."""
    fate = Fate(10**6)
    database = DoomedDatabase(house.database, fate, write, committed=committed)
    return replace(with_fate(house, fate), database=database)


def with_fate(house: House, fate: Fate) -> Service:
    """A process of its own, whose store and renderer die with it."""
    return replace(
        house.service,
        blobs=MortalBlobs(house.blobs, fate),
        renderer=MortalRenderer(house.renderer, fate),
        flights=Flights(),
    )


def others_take_over(house: House) -> None:
    """What the reaper, the relay and the other workers do in the next minutes."""
    for _ in range(4):
        house.clock.advance(100)
        reap(house.service)
        relay(house.service, lambda wakeups: None)
        house.work("other")


def everything(house: House) -> list[Job]:
    """All jobs."""
    with house.database.read() as tx:
        return list(tx.jobs.find(JobQuery(tenant="default", limit=99)))


def kinds_told(house: House, job: Job) -> list[str]:
    """The kinds of a job's events, whose numbers are used once."""
    events = events_after(house.service, "default", job.id, 0)
    assert [event.seq for event in events] == sorted({event.seq for event in events})
    return [event.kind for event in events]


def is_whole(house: House, job: Job) -> bool:
    """Done, all files there and right, told once, nothing besides."""
    expected = {job.source.key, f"archives/{job.id}/bundle.zip"}
    for output in job.outputs:
        blob = house.blobs.stat(output.key or "")
        assert blob is not None
        assert (blob.sha256, blob.bytes) == (output.sha256, output.bytes)
        expected.add(blob.key)
    kinds = kinds_told(house, job)
    mine = {key for key in house.blobs.keys() if job.id in key}  # noqa: SIM118 - no dict
    assert mine == expected
    assert leftovers(house) == []
    assert costs(house) == owed(house)
    return (job.status, kinds.count("done"), kinds.count("output")) == (
        "succeeded",
        1,
        len(job.outputs),
    )


def costs(house: House) -> tuple[int, Usage]:
    """How many jobs were metered, and what they cost together."""
    with house.database.read() as tx:
        days = tx.usage.by_day("default", date.min, date.max)
    return sum(day.jobs for day in days), _together(days)


def owed(house: House) -> tuple[int, Usage]:
    """The same as the jobs themselves tell it, of those that were begun."""
    begun = [job for job in everything(house) if job.started_at and job.terminal]
    return len(begun), _together([job.usage for job in begun])


def _together(parts: Sequence[DayUsage] | Sequence[Usage]) -> Usage:
    return Usage(
        pixels_processed=sum(part.pixels_processed for part in parts),
        bytes_saved=sum(part.bytes_saved for part in parts),
        compute_time_ms=sum(part.compute_time_ms for part in parts),
    )


def leftovers(house: House) -> list[str]:
    """Work that waits, leases and wake-ups: none when the dust has settled."""
    with house.database.read() as tx:
        found = [f"{count} wait in {lane}" for lane, count in tx.queues.depth().items()]
        held = tx.stages.lapsed(house.clock.now(), 99, owner="")
        found += [f"{stage.id} is held by {stage.lease_owner}" for stage in held]
        if due := tx.outbox.next_due():
            found.append(f"a wake-up is due at {due}")
    return found


def upload(service: Service) -> str:
    """Submit with a key; the job's id."""
    intake = Intake.begin(service, "default", idempotency_key="key")
    intake.write(tiny_gif())
    return submit_upload(service, ORDER, intake).job.id
