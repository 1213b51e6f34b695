"""Between rows and the domain's values."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

from pixtools.domain.events import Event
from pixtools.domain.identity import ApiKey
from pixtools.domain.job import (
    Archive,
    Batch,
    Job,
    Output,
    Problem,
    Source,
    Stage,
    Usage,
    Wakeup,
)
from pixtools.domain.usage import Metered
from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Delivery,
    Receipt,
    Sandbox,
    SigningSecret,
    Webhook,
)

Row = dict[str, Any]
"""A row by column name; its values are JSON, text, numbers and aware times."""

Flat = (
    Job | Source | Output | Archive | Problem | Usage
    | Stage | Wakeup | Batch | Event | ApiKey | Webhook
    | Delivery | Attempt | Circuit | SigningSecret | Sandbox | Receipt | Metered
)  # fmt: skip
Letters = SigningSecret | Sandbox | Receipt
_NAMES = {
    kind: [field.name for field in fields(kind) if field.metadata.get("kept", True)]
    for kind in get_args(Flat)
}


def job_row(job: Job) -> dict[str, Any]:
    """A job as its row."""
    row = _flat(job)
    row["source"] = _flat(job.source)
    row["outputs"] = [_output_document(output) for output in job.outputs]
    row["archive"] = _document(job.archive)
    row["usage"] = _flat(job.usage)
    row["error"] = _document(job.error)
    row["webhook"] = _webhook_document(job.webhook)
    return row


def job_of(row: Row) -> Job:
    """The job in a row."""
    return Job(
        **{
            **row,
            "source": Source(**row["source"]),
            "outputs": tuple(_output(item) for item in row["outputs"]),
            "archive": _archive(row["archive"]),
            "usage": Usage(**row["usage"]),
            "error": _problem(row["error"]),
            "webhook": _webhook(row["webhook"]),
        }
    )


def stage_row(stage: Stage) -> dict[str, Any]:
    """A stage as its row."""
    row = _flat(stage)
    row["step_ids"] = list(stage.step_ids)
    row["error"] = _document(stage.error)
    return row


def stage_of(row: Row) -> Stage:
    """The stage in a row."""
    error = _problem(row["error"])
    return Stage(**{**row, "step_ids": tuple(row["step_ids"]), "error": error})


def wakeup_row(wakeup: Wakeup) -> dict[str, Any]:
    """A wake-up as its row."""
    return _flat(wakeup)


def wakeup_of(row: Row) -> Wakeup:
    """The wake-up in a row."""
    return Wakeup(**row)


def batch_row(batch: Batch) -> dict[str, Any]:
    """A batch as its row."""
    return _flat(batch) | {"archive": _document(batch.archive)}


def batch_of(row: Row) -> Batch:
    """The batch in a row."""
    return Batch(**{**row, "archive": _archive(row["archive"])})


def event_row(event: Event) -> dict[str, Any]:
    """An event as its row."""
    return _flat(event)


def event_of(row: Row) -> Event:
    """The event in a row."""
    return Event(**row)


def key_row(key: ApiKey) -> dict[str, Any]:
    """An API key as its row."""
    return _flat(key) | {"scopes": list(key.scopes)}


def key_of(row: Row) -> ApiKey:
    """The API key in a row."""
    return ApiKey(**{**row, "scopes": tuple(row["scopes"])})


def delivery_of(row: Row) -> Delivery:
    """The delivery in a row."""
    return Delivery(**row)


def plain_row(
    value: Delivery | Attempt | Circuit | Letters | Metered,
) -> dict[str, Any]:
    """What has a column for each field as its row."""
    return _flat(value)


def _flat(value: Flat) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _NAMES[type(value)]}


def _output_document(output: Output) -> dict[str, Any]:
    # What is not known takes no room, and the last release knows no word for it.
    known = {
        name: value
        for name in _NAMES[Output]
        if (value := getattr(output, name)) is not None
    }
    if output.error:
        known["error"] = _flat(output.error)
    return known


def _document(value: Archive | Problem | None) -> dict[str, Any] | None:
    return _flat(value) if value else None


def _output(item: dict[str, Any]) -> Output:
    error = item.get("error")
    return Output(**{**item, "error": Problem(**error)}) if error else Output(**item)


def _archive(item: dict[str, Any] | None) -> Archive | None:
    return Archive(**item) if item else None


def _webhook_document(webhook: Webhook | None) -> dict[str, Any] | None:
    if webhook is None:
        return None
    at = webhook.next_attempt_at
    return _flat(webhook) | {"next_attempt_at": at and at.isoformat()}


def _webhook(item: dict[str, Any] | None) -> Webhook | None:
    if item is None:
        return None
    at = item["next_attempt_at"]
    return Webhook(**{**item, "next_attempt_at": at and datetime.fromisoformat(at)})


def _problem(item: dict[str, Any] | None) -> Problem | None:
    return Problem(**item) if item else None
