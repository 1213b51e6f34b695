"""The schema, once for SQLite and PostgreSQL.

What is looked up, counted or ordered by has a column of its own; what is only ever
read with its row (outputs, pipeline, facts) is JSON in it, so that a poll is one row.
Statuses stand in partial indexes as literals: queries must write them so, too.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from pixtools.persistence.columns import Document, Id, Word, metadata
from pixtools.persistence.types import UtcDateTime
from pixtools.persistence.webhook_tables import deliveries

__all__ = [
    "batches",
    "burials",
    "deliveries",
    "events",
    "idempotency",
    "jobs",
    "metadata",
    "stages",
    "wakeups",
]

batches: Final = Table(
    "batches",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("archive", Document),
    Column("jobs_total", Integer, nullable=False),
    Column("jobs_left", Integer, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    CheckConstraint("jobs_left >= 0 AND jobs_left <= jobs_total", name="counted"),
)
Index("ix_batches_expires_at", batches.c.expires_at)

jobs: Final = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("face", Word, nullable=False),
    Column("status", Word, nullable=False),
    Column("source", Document, nullable=False),
    Column("pipeline", Document, nullable=False),
    Column("outputs", Document, nullable=False),
    Column("preset", Text),
    Column("archive", Document),
    Column("batch_id", Id, ForeignKey("batches.id", ondelete="SET NULL")),
    Column("webhook_url", Text),
    Column("webhook", Document),
    Column("client_metadata", Document, nullable=False),
    Column("retry_of", Id),
    Column("progress", Float, nullable=False),
    Column("stages_left", Integer, nullable=False),
    Column("facts", Document),
    Column("usage", Document, nullable=False),
    Column("error", Document),
    Column("request_id", Text),
    Column("traceparent", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("cancel_requested_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    CheckConstraint("stages_left >= 0", name="counted"),
)
Index("ix_jobs_tenant_id", jobs.c.tenant, jobs.c.id)
Index("ix_jobs_batch_id", jobs.c.batch_id)
Index("ix_jobs_expires_at", jobs.c.expires_at)
_ENDED = text("finished_at IS NOT NULL")
Index(
    "ix_jobs_ended",
    jobs.c.finished_at,
    jobs.c.tenant,
    sqlite_where=_ENDED,
    postgresql_where=_ENDED,
)

_WAITING = text("status IN ('queued', 'processing')")
Index(
    "ix_jobs_waiting",
    jobs.c.status,
    jobs.c.queued_at,
    jobs.c.id,
    jobs.c.tenant,
    sqlite_where=_WAITING,
    postgresql_where=_WAITING,
)

stages: Final = Table(
    "stages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("batch_id", Id, ForeignKey("batches.id", ondelete="CASCADE")),
    Column("tenant", Text, nullable=False),
    Column("kind", Word, nullable=False),
    Column("lane", Word, nullable=False),
    Column("step_ids", Document, nullable=False),
    Column("status", Word, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("run_at", UtcDateTime, nullable=False),
    Column("dispatched_at", UtcDateTime),
    Column("lease_owner", Text),
    Column("lease_expires_at", UtcDateTime),
    Column("cost_bytes", BigInteger, nullable=False),
    Column("cost_ms", Integer, nullable=False, server_default=text("0")),
    Column("error", Document),
    Column("created_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    CheckConstraint("(job_id IS NULL) <> (batch_id IS NULL)", name="owned"),
    CheckConstraint("attempt >= 0", name="counted"),
)
Index("ix_stages_job_id", stages.c.job_id)
Index("ix_stages_batch_id", stages.c.batch_id)

# Two ways to what waits, and each says in its condition which questions it is for:
# a planner that believes the queue to be empty would take the one for the other.
_TURNS = text("status = 'queued' AND attempt < max_attempts")
_DUE = text("status = 'queued' AND priority >= 0")
Index(
    "ix_stages_turns",
    stages.c.lane,
    stages.c.tenant,
    stages.c.priority,
    stages.c.run_at,
    stages.c.id,
    stages.c.cost_ms,
    sqlite_where=_TURNS,
    postgresql_where=_TURNS,
)
Index(
    "ix_stages_due",
    stages.c.lane,
    stages.c.run_at,
    stages.c.cost_ms,
    sqlite_where=_DUE,
    postgresql_where=_DUE,
)
_RUNNING = text("status = 'running'")
Index(
    "ix_stages_running",
    stages.c.lease_expires_at,
    sqlite_where=_RUNNING,
    postgresql_where=_RUNNING,
)

wakeups: Final = Table(
    "wakeups",
    metadata,
    Column("id", Id, primary_key=True),
    # Not a foreign key: a wake-up for what is gone is harmless, a lock is not.
    Column("stage_id", Id, nullable=False),
    Column("kind", Word, nullable=False),
    Column("lane", Word, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
)
Index("ix_wakeups_due_at", wakeups.c.due_at, wakeups.c.id)

idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("job_id", Id, nullable=False),
    Column("status", Integer, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index("ix_idempotency_job_id", idempotency.c.job_id)
Index("ix_idempotency_expires_at", idempotency.c.expires_at)

events: Final = Table(
    "events",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("kind", Word, nullable=False),
    Column("subject", Text),
    Column("created_at", UtcDateTime, nullable=False),
)

burials: Final = Table(
    "burials",
    metadata,
    Column("job_id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("buried_at", UtcDateTime, nullable=False),
)
Index("ix_burials_buried_at", burials.c.buried_at)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("shown", Word, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Document, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

usage: Final = Table(
    "usage",
    metadata,
    # Not a foreign key: what a job cost outlives the job.
    Column("job_id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("outputs", Integer, nullable=False),
    Column("pixels_processed", BigInteger, nullable=False),
    Column("bytes_saved", BigInteger, nullable=False),
    Column("compute_time_ms", BigInteger, nullable=False),
)
Index("ix_usage_tenant_day", usage.c.tenant, usage.c.day)
Index("ix_usage_day", usage.c.day)
