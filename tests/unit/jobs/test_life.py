"""No order of events leads a job astray: a machine that tries them at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from pixtools.domain.errors import JobConflict, PixtoolsError, WorkerLost
from pixtools.domain.job import Job, Lane, may_become
from pixtools.domain.keys import outputs_prefix
from pixtools.jobs.batch import close_batch, open_batch
from pixtools.jobs.cancel import cancel
from pixtools.jobs.claimed import Claimed
from pixtools.jobs.erase import erase
from pixtools.jobs.expire import expire
from pixtools.jobs.postpone import postpone
from pixtools.jobs.problems import problem_of
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.reap import reap, release
from pixtools.jobs.retry import retry
from pixtools.jobs.run_stage import claim, work
from pixtools.testing.house import ABLE, FACTS, RESIZED, House
from pixtools.testing.memory_facts import State
from pixtools.testing.memory_jobs import MemoryDatabase
from pixtools.testing.memory_work import NO_IMAGE

TO_PNG = {"id": "web", "action": "convert", "format": "png"}
CLEAN = {"id": "clean", "action": "denoise"}
STEPS = st.sampled_from(
    [
        (RESIZED,),
        (RESIZED, TO_PNG),
        (RESIZED, FACTS),
        (FACTS,),
        (RESIZED, CLEAN),
        (CLEAN, {**CLEAN, "id": "cleaner"}),
    ]
)
BOTH: Sequence[Lane] = ("default_queue", "ml_inference_queue")
BROKEN = b"GIF89a\xa0\x00\x70\x00" + NO_IMAGE.rjust(64, b"\x00")
LIVE = ("queued", "running")
PICTURES = ("render", "denoise")


class Life(RuleBasedStateMachine):
    """Clients, workers, zombies and the clock, in any order."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")
    batches = Bundle("batches")

    @initialize()
    def begin(self) -> None:
        self.house = House()
        self.house.rule(capabilities=ABLE)
        self.seen: dict[str, Job] = {}

    @property
    def state(self) -> State:
        database = self.house.database
        assert isinstance(database, MemoryDatabase)
        return database._state

    @rule(target=jobs, steps=STEPS, broken=st.booleans(), archive=st.booleans())
    def submit(
        self, steps: tuple[dict[str, object], ...], broken: bool, archive: bool
    ) -> str:
        data = BROKEN if broken else None
        return self.house.submit(*steps, data=data, archive=archive).id

    @rule(target=batches)
    def open_a_batch(self) -> str:
        return open_batch(self.house.service, "default").id

    @rule(target=jobs, batch=batches)
    def join(self, batch: str) -> str:
        try:
            return self.house.submit(batch_id=batch, archive=False).id
        except PixtoolsError:
            return "refused"

    @rule(batch=batches)
    def close(self, batch: str) -> None:
        if batch in self.state.batches:
            close_batch(self.house.service, "default", batch)

    @rule(target=claims, owner=st.sampled_from(["one", "two"]))
    def take(self, owner: str) -> Claimed | None:
        claimed = claim(self.house.service, owner, lanes=BOTH)
        return claimed if claimed and claimed.wanted else None

    @rule(target=claims, claimed=claims, owner=st.sampled_from(["one", "two"]))
    def take_again(self, claimed: Claimed | None, owner: str) -> Claimed | None:
        """A message that is delivered twice, or to a lapsed lease."""
        if claimed is None:
            return None
        again = claim(self.house.service, owner, stage_id=claimed.stage.id)
        return again if again and again.wanted else None

    @rule(claimed=claims)
    def do(self, claimed: Claimed | None) -> None:
        """Also for claims that were settled, lost or done before."""
        if claimed:
            work(self.house.service, claimed)

    @rule(claimed=claims)
    def stumble(self, claimed: Claimed | None) -> None:
        if claimed:
            postpone(self.house.service, claimed.stage, problem_of(WorkerLost()))

    @rule(claimed=claims, fraction=st.floats(0, 1))
    def breathe(self, claimed: Claimed | None, fraction: float) -> None:
        if claimed:
            pulse = Pulse(self.house.service, claimed.stage)
            self.house.clock.advance(1)
            try:
                pulse(fraction)
            except PixtoolsError:
                return

    @rule(claimed=consumes(claims))
    def die(self, claimed: Claimed | None) -> None:
        """Killed: nothing happens any more."""

    @rule(job=jobs)
    def cancel_a_job(self, job: str) -> None:
        self.attempt(lambda: cancel(self.house.service, "default", job))

    @rule(job=jobs)
    def erase_a_job(self, job: str) -> None:
        self.attempt(lambda: erase(self.house.service, "default", job))

    @rule(target=jobs, job=jobs)
    def retry_a_job(self, job: str) -> str:
        try:
            return retry(self.house.service, "default", job).job.id
        except (JobConflict, PixtoolsError):
            return "refused"

    @rule(seconds=st.sampled_from([1, 10, 61, 3600, 90_000]))
    def wait(self, seconds: int) -> None:
        self.house.clock.advance(seconds)

    @rule()
    def reap_the_lapsed(self) -> None:
        reap(self.house.service)

    @rule(owner=st.sampled_from(["one", "two", ""]))
    def release_the_dead(self, owner: str) -> None:
        release(self.house.service, owner)

    @rule()
    def let_go(self) -> None:
        expire(self.house.service)

    @invariant()
    def statuses_move_by_the_table(self) -> None:
        for job in self.state.jobs.values():
            before = self.seen.get(job.id)
            if before:
                assert may_become(before.status, job.status)
                assert job.version >= before.version
                assert job.progress >= before.progress
                if before.terminal:
                    kept = (before.outputs, before.facts, before.usage, before.error)
                    assert (job.outputs, job.facts, job.usage, job.error) == kept
            self.seen[job.id] = job

    @invariant()
    def counters_count(self) -> None:
        left = Counter(
            stage.job_id
            for stage in self.state.stages.values()
            if stage.kind in PICTURES and stage.status in LIVE
        )
        for job in self.state.jobs.values():
            assert job.stages_left == left[job.id]
            assert job.terminal == (job.stages_left == 0)
        for batch in self.state.batches.values():
            running = [
                job
                for job in self.state.jobs.values()
                if job.batch_id == batch.id and not job.terminal
            ]
            assert batch.jobs_left == len(running)
            assert (batch.finished_at is not None) == (
                batch.closed and not batch.jobs_left
            )

    @invariant()
    def the_end_is_told_once(self) -> None:
        done = Counter(e.job_id for e in self.state.events.values() if e.kind == "done")
        for job in self.state.jobs.values():
            packed = job.archive is None or job.archive.status not in (
                "pending",
                "processing",
            )
            assert done[job.id] == (job.terminal and packed)
            mine = [e for e in self.state.events.values() if e.job_id == job.id]
            assert max(event.seq for event in mine) <= job.version
            if done[job.id]:
                assert max(mine, key=lambda event: event.seq).kind == "done"

    @invariant()
    def files_are_those_of_the_outputs(self) -> None:
        keys = set(self.house.blobs.keys())
        for job in self.state.jobs.values():
            for output in job.outputs:
                assert (output.status == "succeeded") == (output.key is not None)
                if output.key:
                    blob = self.house.blobs.stat(output.key)
                    assert blob is not None
                    assert blob.sha256 == output.sha256
            if job.status == "canceled":
                prefix = outputs_prefix(job.id)
                assert not any(key.startswith(prefix) for key in keys)

    def teardown(self) -> None:
        """Left alone, everything ends; and a day later nothing is left."""
        if not hasattr(self, "house"):
            return
        for _ in range(12):
            self.house.clock.advance(400)
            reap(self.house.service)
            self.house.work("last", BOTH)
        assert all(job.terminal for job in self.state.jobs.values())
        assert not any(stage.status in LIVE for stage in self.state.stages.values())
        self.the_end_is_told_once()
        for _ in range(3):
            self.house.clock.advance(90_000)
            expire(self.house.service)
            self.house.work("last", BOTH)
        assert (self.state.jobs, self.state.stages, self.state.batches) == ({}, {}, {})
        assert (self.state.events, self.house.blobs.keys()) == ({}, [])

    @staticmethod
    def attempt(verb: object) -> None:
        try:
            verb()  # type: ignore[operator] # a verb on a job that may be gone
        except PixtoolsError:
            return


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
