"""What every clock, maker of ids, bell and renderer promises.

Subclass, and give the fixtures that the methods ask for.
"""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from pixtools.domain.errors import SourceError
from pixtools.domain.ids import is_id
from pixtools.domain.limits import Limits
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.jobs.ports.work import Bell, Checkpoint, Clock, Ids, Renderer

STEPS = [
    {"id": "small", "action": "resize", "width": 32, "format": "webp"},
    {"id": "web", "action": "convert", "format": "png"},
]


class Stop(Exception):
    """What a checkpoint raises here; no error that a renderer knows."""


class ClockSuite:
    """Give the fixture `clock`."""

    def test_time_is_aware_and_in_utc(self, clock: Clock) -> None:
        """So that it can be stored, compared and shown without thinking."""
        assert clock.now().tzinfo is not None
        assert clock.now().utcoffset() == UTC.utcoffset(None) == timedelta()

    def test_time_does_not_run_backwards(self, clock: Clock) -> None:
        """A later look is never earlier."""
        looks = [clock.now() for _ in range(100)]
        assert looks == sorted(looks)


class IdsSuite:
    """Give the fixture `ids`."""

    def test_ids_are_uuids_of_version_7(self, ids: Ids) -> None:
        """Written as PixTools writes them: 36 letters, lower case."""
        made = ids.new()
        assert is_id(made)
        assert made[14] == "7"

    def test_no_two_are_the_same(self, ids: Ids) -> None:
        """Whoever asks at the same time."""
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda _: ids.new(), range(400)))
        assert len(set(made)) == 400


class BellSuite:
    """Give the fixture `bell`."""

    def test_a_ring_that_nobody_hears_is_harmless(self, bell: Bell) -> None:
        """Bells are rung after commit, whoever listens."""
        bell.work()
        bell.work(("default_queue", "ml_inference_queue"))
        bell.news("no-such-job")


class RendererSuite:
    """Give the fixtures `renderer`, `good` and `bad` (paths of sources)."""

    def test_every_output_of_the_plan_is_a_file(
        self, renderer: Renderer, good: Path, tmp_path: Path
    ) -> None:
        """In the scratch directory, as its facts say."""
        report = rendered(renderer, good, tmp_path)
        assert [facts.id for facts in report.outputs] == ["small", "web"]
        assert report.failures == ()
        for facts in report.outputs:
            assert (tmp_path / facts.file).stat().st_size == facts.bytes

    def test_facts_come_where_they_are_asked_for(
        self, renderer: Renderer, good: Path, tmp_path: Path
    ) -> None:
        """And only there."""
        assert rendered(renderer, good, tmp_path).metadata is None
        asked = rendered(renderer, good, tmp_path, RenderPlan(metadata=True))
        assert asked.metadata
        assert asked.outputs == ()

    def test_a_source_that_can_not_be_decoded_is_named(
        self, renderer: Renderer, bad: Path, tmp_path: Path
    ) -> None:
        """One error for all outputs; it will not pass."""
        with pytest.raises(SourceError) as refused:
            rendered(renderer, bad, tmp_path)
        assert not refused.value.retryable

    def test_what_the_checkpoint_raises_comes_through(
        self, renderer: Renderer, good: Path, tmp_path: Path
    ) -> None:
        """It is how work is stopped; the next work is done as ever."""

        def stop(fraction: float) -> None:
            raise Stop(fraction)

        with pytest.raises(Stop):
            rendered(renderer, good, tmp_path, checkpoint=stop)
        assert rendered(renderer, good, tmp_path).outputs

    def test_progress_stays_between_nothing_and_all(
        self, renderer: Renderer, good: Path, tmp_path: Path
    ) -> None:
        """And is told at least once."""
        told: list[float] = []
        rendered(renderer, good, tmp_path, checkpoint=told.append)
        assert told
        assert all(0 <= fraction <= 1 for fraction in told)


def rendered(
    renderer: Renderer,
    source: Path,
    scratch: Path,
    plan: RenderPlan | None = None,
    checkpoint: Checkpoint | None = None,
) -> Report:
    """Render two outputs of a source, or another plan."""
    return renderer.render(
        source,
        plan or Pipeline.parse(STEPS).plan("gif"),
        scratch,
        assets={},
        limits=Limits(),
        checkpoint=checkpoint or (lambda _: None),
        timeout=60,
    )
