"""What happened to a job, in order: the source of its event stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

EventKind = Literal["status", "output", "archive", "webhook", "done"]
"""`snapshot` and `progress` are made while streaming and are not stored."""

MEANINGS: Final = {
    "snapshot": "The document as it is when the stream begins.",
    "status": "The job's status has changed.",
    "output": "An output has ended, well or not.",
    "progress": "More of the work is done; at most a few times a second.",
    "archive": "The ZIP is being packed, or is there.",
    "webhook": "Telling the client goes on.",
    "delivery": "A sandbox has received a message.",
    "done": "Nothing will change any more; the stream ends.",
}
"""What each kind of event in a stream says."""


def ending(job_id: str) -> str:
    """The subject under which only this is news: the job will change no more.

    Whoever waits for a job's end need not be woken for all that comes before.
    """
    return f"{job_id}.end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change. `seq` is the job's `version` after it; `subject` e.g. a step id."""

    job_id: str
    seq: int
    kind: EventKind
    subject: str | None = None
    created_at: datetime
