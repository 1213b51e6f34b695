"""Jobs, their stages and events, batches, first answers and burials."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from pixtools.persistence.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(36)
WORD = sa.String(32)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True), "postgresql"
)


def upgrade() -> None:
    _batches()
    _jobs()
    _stages()
    _answers()
    _history()


def downgrade() -> None:
    for table in ("burials", "events", "idempotency", "stages", "jobs", "batches"):
        op.drop_table(table)


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("archive", DOCUMENT),
        sa.Column("jobs_total", sa.Integer(), nullable=False),
        sa.Column("jobs_left", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "jobs_left >= 0 AND jobs_left <= jobs_total",
            name=op.f("ck_batches_counted"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index("ix_batches_expires_at", "batches", ["expires_at"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("face", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("source", DOCUMENT, nullable=False),
        sa.Column("pipeline", DOCUMENT, nullable=False),
        sa.Column("outputs", DOCUMENT, nullable=False),
        sa.Column("preset", sa.Text()),
        sa.Column("archive", DOCUMENT),
        sa.Column("batch_id", ID),
        sa.Column("webhook_url", sa.Text()),
        sa.Column("client_metadata", DOCUMENT, nullable=False),
        sa.Column("retry_of", ID),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("stages_left", sa.Integer(), nullable=False),
        sa.Column("facts", DOCUMENT),
        sa.Column("usage", DOCUMENT, nullable=False),
        sa.Column("error", DOCUMENT),
        sa.Column("request_id", sa.Text()),
        sa.Column("traceparent", sa.Text()),
        *_times("created_at"),
        *_times("queued_at", "started_at", "finished_at", nullable=True),
        *_times("expires_at", "cancel_requested_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("stages_left >= 0", name=op.f("ck_jobs_counted")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], op.f("fk_jobs_batch_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_tenant_id", "jobs", ["tenant", "id"])
    op.create_index("ix_jobs_batch_id", "jobs", ["batch_id"])
    op.create_index("ix_jobs_expires_at", "jobs", ["expires_at"])
    waiting = "status IN ('queued', 'processing')"
    _index("jobs", "waiting", ["status", "queued_at", "id", "tenant"], waiting)


def _stages() -> None:
    op.create_table(
        "stages",
        sa.Column("id", ID, nullable=False),
        sa.Column("job_id", ID),
        sa.Column("batch_id", ID),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("lane", WORD, nullable=False),
        sa.Column("step_ids", DOCUMENT, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("cost_bytes", sa.BigInteger(), nullable=False),
        sa.Column("error", DOCUMENT),
        *_times("run_at", "created_at"),
        *_times("dispatched_at", "lease_expires_at", nullable=True),
        *_times("started_at", "finished_at", nullable=True),
        sa.CheckConstraint(
            "(job_id IS NULL) <> (batch_id IS NULL)", name=op.f("ck_stages_owned")
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_stages_counted")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], op.f("fk_stages_job_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], op.f("fk_stages_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stages")),
    )
    op.create_index("ix_stages_job_id", "stages", ["job_id"])
    op.create_index("ix_stages_batch_id", "stages", ["batch_id"])
    queued = ["lane", "priority", "run_at", "id"]
    _index("stages", "queued", queued, "status = 'queued'")
    _index("stages", "running", ["lease_expires_at"], "status = 'running'")


def _answers() -> None:
    op.create_table(
        "idempotency",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_job_id", "idempotency", ["job_id"])
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"])


def _history() -> None:
    op.create_table(
        "events",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], op.f("fk_events_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_events")),
    )
    op.create_table(
        "burials",
        sa.Column("job_id", ID, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("buried_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_burials")),
    )
    op.create_index("ix_burials_buried_at", "burials", ["buried_at"])


def _times(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, UtcDateTime(), nullable=nullable) for name in names]


def _index(table: str, name: str, columns: list[str], only: str) -> None:
    """An index over the few rows that are looked for all the time."""
    where = sa.text(only)
    op.create_index(
        f"ix_{table}_{name}",
        table,
        columns,
        sqlite_where=where,
        postgresql_where=where,
    )
