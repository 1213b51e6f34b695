"""Where work waits but no token does, post tokens: after a purge, a loss, a crash."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from pixtools.domain.job import Lane, StageKind, Wakeup
from pixtools.queue.config import LANES
from pixtools.queue.meters import SchedulerMeters

log = logging.getLogger(__name__)
FEWEST, FIRST, MOST = 8, 64, 1024
KINDS: Final[Mapping[Lane, StageKind]] = {
    "default_queue": "render",
    "ml_inference_queue": "denoise",
}
ANY: Final = "any"
"""The stage of a token that was posted for none in particular."""


class Wire(Protocol):
    """What schedulers need of the broker."""

    def post(self, wakeups: Sequence[Wakeup]) -> None:
        """Publish."""
        ...

    def ready(self, lane: Lane) -> int:
        """Tokens that wait."""
        ...

    def consumers(self, lane: Lane) -> int:
        """Processes that listen."""
        ...

    def dead_letters(self, lane: Lane) -> int:
        """Messages that were refused."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class Reconciling:
    """Compares what is due with what is announced, lane by lane.

    A lane that seems forgotten gets another look before anything is posted: its
    wake-ups may just be on their way. How many tokens a look posts follows what they
    do: when less waits than at the last one it doubles, else it halves. So a purged
    backlog is soon announced again, and work that nobody may take now (heavy stages,
    while enough of them run) costs few vain looks.
    """

    def __init__(
        self,
        due: Callable[[], Mapping[Lane, int]],
        wire: Wire,
        meters: SchedulerMeters,
    ) -> None:
        self._due = due
        self._wire = wire
        self._meters = meters
        self._suspected: set[Lane] = set()
        self._last: dict[Lane, tuple[int, int]] = {}

    def look(self) -> bool:
        """Look once; whether it should look again soon."""
        found = self._due()
        for lane in LANES:
            self._meters.depth.labels(lane).set(found.get(lane, 0))
        doubted = [lane for lane in LANES if self._doubted(lane, found.get(lane, 0))]
        return bool(doubted)

    def _doubted(self, lane: Lane, due: int) -> bool:
        if not due or self._wire.ready(lane):
            self._suspected.discard(lane)
            self._last.pop(lane, None)
            return False
        if lane not in self._suspected:
            self._suspected.add(lane)
            return True
        self._announce(lane, due)
        return False

    def _announce(self, lane: Lane, due: int) -> None:
        count = min(due, self._share(lane, due))
        now = datetime.now(UTC)
        self._wire.post([_token(lane, now) for _ in range(count)])
        log.info("tokens_renewed", extra={"queue": lane, "due": due, "posted": count})

    def _share(self, lane: Lane, due: int) -> int:
        waited, share = self._last.get(lane, (0, 0))
        if not share:
            share = FIRST
        elif due < waited:
            share = min(MOST, share * 2)
        else:
            share = max(FEWEST, share // 2)
        self._last[lane] = due, share
        return share


def _token(lane: Lane, now: datetime) -> Wakeup:
    return Wakeup(
        id=str(uuid.uuid4()), stage_id=ANY, kind=KINDS[lane], lane=lane, due_at=now
    )
