"""A whole service without disk, network or pixels, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pixtools.domain.catalogue import STANDARD
from pixtools.domain.job import Job, Lane
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.claimed import Claimed, Workplace
from pixtools.jobs.ports.facts import Database
from pixtools.jobs.run_stage import claim, run_next, work_on
from pixtools.jobs.service import Rules, Service
from pixtools.jobs.submit import IdempotencyKey, Intake, Order, submit_upload
from pixtools.testing.clock import CountedIds, HandClock
from pixtools.testing.memory_blobs import MemoryBlobs, MemoryLinks, TemporaryScratch
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.memory_sources import PaperFetcher
from pixtools.testing.memory_webhooks import PlainSealer
from pixtools.testing.memory_work import PaperRenderer, RecordingBell

ABLE = replace(
    STANDARD, actions=STANDARD.actions | {"denoise"}, models=("quality", "fast")
)
"""What workers can do that have both networks."""
RESIZED = {"id": "small", "action": "resize", "width": 64, "format": "webp"}
FACTS = {"id": "facts", "action": "metadata"}


def tiny_gif(width: int = 160, height: int = 112) -> bytes:
    """A GIF that says how large it is, and nothing more."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return b"GIF89a" + size + b"\x00\x00\x00" + bytes(64) + b";"


@dataclass(slots=True, kw_only=True)
class House:
    """A service on twins; each twin is at hand."""

    rules: Rules = field(default_factory=Rules)
    clock: HandClock = field(default_factory=HandClock)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    renderer: PaperRenderer = field(default_factory=PaperRenderer)
    fetcher: PaperFetcher = field(default_factory=PaperFetcher)
    bell: RecordingBell = field(default_factory=RecordingBell)
    database: Database = field(default_factory=MemoryDatabase)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.service = Service(
            database=self.database,
            blobs=self.blobs,
            links=MemoryLinks(self.blobs, self.clock),
            scratch=TemporaryScratch(),
            renderer=self.renderer,
            bell=self.bell,
            clock=self.clock,
            ids=CountedIds(self.clock),
            rules=self.rules,
            fetcher=self.fetcher,
            rest=self.clock.advance,
            sealer=PlainSealer(),
        )

    def rule(self, **changed: object) -> None:
        """Let other rules hold from now on."""
        self.rules = replace(self.rules, **changed)  # type: ignore[arg-type] # a test's own words
        self.service = replace(self.service, rules=self.rules)

    def submit(
        self,
        *steps: Mapping[str, object],
        data: bytes | None = None,
        filename: str | None = "cat.gif",
        key: str | None = None,
        **wishes: object,
    ) -> Job:
        """Submit an upload; without steps it is resized."""
        idempotency = IdempotencyKey(key, "same") if key else None
        order = Order(
            pipeline=Pipeline.parse(list(steps) or [RESIZED]),
            idempotency=idempotency,
            **wishes,  # type: ignore[arg-type] # a test's own words
        )
        intake = Intake.begin(self.service, order.tenant)
        intake.write(tiny_gif() if data is None else data)
        return submit_upload(self.service, order, intake, filename=filename).job

    def job(self, job_id: str) -> Job:
        """The job as it is now."""
        with self.database.read() as tx:
            found = tx.jobs.get(job_id)
        if found is None:
            raise LookupError(job_id)
        return found

    def step(self, owner: str = "one") -> Claimed | None:
        """Run the next stage alone; what its owner would go on with at once."""
        claimed = claim(self.service, owner, lanes=("default_queue",))
        if claimed is None:
            raise LookupError("Nothing waits.")
        with Workplace(self.service.scratch) as place:
            return work_on(self.service, claimed, place)

    def work(
        self, owner: str = "worker", lanes: Sequence[Lane] = ("default_queue",)
    ) -> int:
        """Run all stages that are due; how many."""
        done = 0
        while run_next(self.service, owner, lanes):
            done += 1
        return done
