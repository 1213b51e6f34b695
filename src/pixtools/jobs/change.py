"""One transaction of a verb: what it records, and which bells ring after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from pixtools.domain.errors import StorageUnavailable
from pixtools.domain.events import Event, EventKind, ending
from pixtools.domain.job import Job, Stage, Wakeup
from pixtools.jobs.ports.blobs import Blobs
from pixtools.jobs.ports.facts import Transaction
from pixtools.jobs.ports.work import Bell, Call, Ids
from pixtools.jobs.service import Service

Happening = tuple[EventKind, str | None]
"""What is told of a change: its kind and its subject, such as a step's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a verb does to the facts, at one moment.

    Rows are locked in the order stage, job, batch: no two verbs wait for each other.
    With `ids` every stage that waits is announced through the outbox, too.
    """

    tx: Transaction
    now: datetime
    ids: Ids | None = None
    _calls: set[Call] = field(default_factory=set)
    _news: set[str] = field(default_factory=set)
    _litter: set[str] = field(default_factory=set)

    def add(self, job: Job, *happened: Happening) -> Job:
        """Store a new job with its first events."""
        job = self._told(job, happened)
        self.tx.jobs.add(job)
        self._append(job, happened)
        return job

    def record(self, job: Job, *happened: Happening) -> Job:
        """Save a changed job; each event takes the job's next version as its `seq`."""
        job = replace(job, version=job.version + max(1, len(happened)))
        self.tx.jobs.save(job)
        self._append(job, happened)
        self.tell(job.id)
        if job.settled:
            self.tell(ending(job.id))
        return job

    def queue(self, stages: Sequence[Stage]) -> None:
        """Let stages wait for a worker."""
        self.tx.stages.add(stages)
        self.announce(stages)

    def announce(self, stages: Sequence[Stage]) -> None:
        """Wake workers for stages that wait, each when its time has come."""
        self._calls.update(stage.lane for stage in stages)
        if self.ids and stages:
            new = self.ids.new
            self.tx.outbox.add([_wakeup(new(), stage) for stage in stages])

    def deliver(self) -> None:
        """Wake those who tell clients, after commit."""
        self._calls.add("deliveries")

    def tell(self, subject: str) -> None:
        """Ring for those who watch a job or batch, after commit."""
        self._news.add(subject)

    def discard(self, prefix: str) -> None:
        """Delete objects after commit; what can't be deleted goes with retention."""
        self._litter.add(prefix)

    def sweep(self, blobs: Blobs) -> None:
        """Delete what was discarded."""
        for prefix in sorted(self._litter):
            with suppress(StorageUnavailable):
                blobs.delete(prefix)

    def ring(self, bell: Bell) -> None:
        """Ring all that was asked for."""
        if self._calls:
            bell.work(sorted(self._calls))
        for subject in sorted(self._news):
            bell.news(subject)

    def _told(self, job: Job, happened: Sequence[Happening]) -> Job:
        self.tell(job.id)
        return replace(job, version=max(1, len(happened)))

    def _append(self, job: Job, happened: Sequence[Happening]) -> None:
        first = job.version - len(happened) + 1
        if happened:
            self.tx.history.append(
                *(
                    Event(
                        job_id=job.id,
                        seq=first + index,
                        kind=kind,
                        subject=subject,
                        created_at=self.now,
                    )
                    for index, (kind, subject) in enumerate(happened)
                )
            )


@contextmanager
def change(service: Service) -> Iterator[Change]:
    """Change facts in one transaction; all that follows comes after its commit."""
    with service.database.write() as tx:
        ids = service.ids if service.rules.relayed else None
        made = Change(tx=tx, now=service.clock.now(), ids=ids)
        yield made
    made.sweep(service.blobs)
    with suppress(Exception):  # a bell may be lost; what is committed stands
        made.ring(service.bell)


def _wakeup(wakeup_id: str, stage: Stage) -> Wakeup:
    return Wakeup(
        id=wakeup_id,
        stage_id=stage.id,
        kind=stage.kind,
        lane=stage.lane,
        due_at=stage.run_at,
    )
