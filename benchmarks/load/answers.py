"""What came back: answers are answers, also those that say when to come again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

ACCEPTED: Final = "accepted"
REPLAYED: Final = "replayed"
IN_FLIGHT: Final = "in flight"
BUSY: Final = "come back later"
ANSWERS: Final = (ACCEPTED, REPLAYED, IN_FLIGHT, BUSY)
REFUSED: Final = "refused"
BROKEN: Final = "server error"
TRANSPORT: Final = "transport error"
ERRORS: Final = (REFUSED, BROKEN, TRANSPORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One request: when it was due (seconds since 1970), how long its answer took.

    `kind` is one of ANSWERS or ERRORS; `status` is 0 without an answer. What a client
    waited for, because no connection was free, counts as the answer's time.
    """

    stream: str
    due: float
    seconds: float
    kind: str
    status: int
    job: str | None = None
    key: str | None = None
    note: str = ""

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What the driving process itself took: CPU seconds, and lateness in seconds."""

    cpu: float
    wall: float
    late_p95: float
    late_most: float


def kind_of(status: int, headers: Mapping[str, str]) -> str:
    """What an answer is."""
    if status in {200, 201, 202}:
        return REPLAYED if "idempotent-replayed" in headers else ACCEPTED
    if status in {429, 503} and "retry-after" in headers:
        return BUSY
    if status == 409 and "retry-after" in headers:
        return IN_FLIGHT
    return BROKEN if status >= 500 else REFUSED
