"""What happened to a job, in order: the source of its event stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

EventKind = Literal["status", "output", "archive", "webhook", "done"]
"""`snapshot` and `progress` are made while streaming and are not stored."""


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
