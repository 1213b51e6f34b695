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

    How many tokens a round posts follows what they do: when less waits than a round
    ago it doubles, else it halves. So a purged backlog is soon announced again, and
    work that nobody may take now (heavy stages, while enough of them run) costs few
    vain looks.
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
        self._last: dict[Lane, tuple[int, int]] = {}

    def round(self) -> int:
        """Look once; how many tokens were posted."""
        found = self._due()
        for lane in LANES:
            self._meters.depth.labels(lane).set(found.get(lane, 0))
        return sum(self._announced(lane, found.get(lane, 0)) for lane in LANES)

    def _announced(self, lane: Lane, due: int) -> int:
        if not due or self._wire.ready(lane):
            self._last.pop(lane, None)
            return 0
        count = min(due, self._share(lane, due))
        now = datetime.now(UTC)
        self._wire.post([_token(lane, now) for _ in range(count)])
        log.info("tokens_renewed", extra={"queue": lane, "due": due, "posted": count})
        return count

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
