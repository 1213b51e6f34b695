"""Where work waits and no token does, tokens are posted: enough, and not too many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Lane, Wakeup
from pixtools.queue.meters import SchedulerMeters
from pixtools.queue.reconciling import ANY, Reconciling

DEFAULT: Lane = "default_queue"
ML: Lane = "ml_inference_queue"


class Wire:
    """A broker whose workers take tokens at once, unless they are to stay."""

    def __init__(self) -> None:
        self.posted: list[Wakeup] = []
        self.waiting: dict[Lane, int] = {}

    def post(self, wakeups: Sequence[Wakeup]) -> None:
        self.posted.extend(wakeups)

    def ready(self, lane: Lane) -> int:
        return self.waiting.get(lane, 0)

    def consumers(self, lane: Lane) -> int:
        return 0

    def dead_letters(self, lane: Lane) -> int:
        return 0

    def close(self) -> None: ...


class Backlog:
    """Stages that are due."""

    def __init__(self, **lanes: int) -> None:
        self.lanes = lanes

    def __call__(self) -> Mapping[Lane, int]:
        return self.lanes  # type: ignore[return-value] # the lanes' own names


def posted_by(looking: Reconciling, wire: Wire) -> int:
    before = len(wire.posted)
    looking.look()
    return len(wire.posted) - before


def test_work_without_tokens_is_announced_at_the_second_look() -> None:
    wire = Wire()
    looking = Reconciling(Backlog(ml_inference_queue=3), wire, SchedulerMeters())
    assert looking.look()
    assert wire.posted == []
    assert not looking.look()
    assert [(w.lane, w.kind, w.stage_id) for w in wire.posted] == [
        (ML, "denoise", ANY)
    ] * 3
    assert len({w.id for w in wire.posted}) == 3


def test_tokens_that_arrive_meanwhile_are_enough() -> None:
    wire = Wire()
    looking = Reconciling(Backlog(default_queue=3), wire, SchedulerMeters())
    assert looking.look()
    wire.waiting = {DEFAULT: 1}
    assert not looking.look()
    assert wire.posted == []


def test_where_nothing_is_due_nothing_is_asked() -> None:
    class Away(Wire):
        def ready(self, lane: Lane) -> int:
            raise BrokerUnavailable

    assert not Reconciling(Backlog(), Away(), SchedulerMeters()).look()
    with pytest.raises(BrokerUnavailable):
        Reconciling(Backlog(default_queue=1), Away(), SchedulerMeters()).look()


def test_a_backlog_that_shrinks_is_announced_ever_faster() -> None:
    backlog, wire = Backlog(default_queue=1000), Wire()
    looking = Reconciling(backlog, wire, SchedulerMeters())
    looking.look()
    shares = []
    for _ in range(4):
        shares.append(posted_by(looking, wire))
        backlog.lanes = {DEFAULT: backlog.lanes[DEFAULT] - shares[-1]}
    assert shares == [64, 128, 256, 512]


def test_work_that_nobody_may_take_costs_few_vain_looks() -> None:
    wire = Wire()
    looking = Reconciling(Backlog(default_queue=1000), wire, SchedulerMeters())
    looking.look()
    assert [posted_by(looking, wire) for _ in range(5)] == [64, 32, 16, 8, 8]


def test_what_waits_is_measured_also_where_it_is_nothing() -> None:
    meters = SchedulerMeters()
    Reconciling(Backlog(default_queue=7), Wire(), meters).look()
    depth = meters.registry.get_sample_value
    assert depth("pixtools_queue_depth", {"queue": DEFAULT}) == 7
    assert depth("pixtools_queue_depth", {"queue": ML}) == 0
