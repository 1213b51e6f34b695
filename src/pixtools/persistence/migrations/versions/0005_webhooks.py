"""Events on their way to clients, what came of them, secrets, and sandboxes.

The last release's code runs on this schema: what it ends tells nobody, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from pixtools.persistence.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Document = sa.JSON(none_as_null=True).with_variant(
    JSONB(none_as_null=True), "postgresql"
)
Id = sa.String(36)
Word = sa.String(32)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("webhook", Document))
    _deliveries()
    op.create_table(
        "attempts",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("body", sa.Text(), nullable=False),
        _belongs("attempts", "delivery_id", "deliveries"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "circuits",
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.Column("open_until", UtcDateTime()),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_circuits")),
    )
    op.create_index("ix_circuits_failed_at", "circuits", ["failed_at"])
    op.create_table(
        "signing_secrets",
        sa.Column("id", Id, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("retires_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_secrets")),
    )
    op.create_index("ix_signing_secrets_tenant", "signing_secrets", ["tenant", "id"])
    _sandboxes()


def downgrade() -> None:
    for name in (
        "receipts",
        "sandboxes",
        "signing_secrets",
        "circuits",
        "attempts",
        "deliveries",
    ):
        op.drop_table(name)
    op.drop_column("jobs", "webhook")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Id, nullable=False),
        sa.Column("job_id", Id, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("event", Word, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", Word, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("spared", sa.Integer(), nullable=False),
        sa.Column("run_at", UtcDateTime(), nullable=False),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        _belongs("deliveries", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("job_id", "event", name="uq_deliveries_job_id_event"),
    )
    _index("hosts", ["host", "run_at", "id"], "attempt >= 0")
    _index("due", ["run_at"], "spared >= 0")
    _index("held", ["host", "run_at"], "lease_owner IS NOT NULL")


def _sandboxes() -> None:
    op.create_table(
        "sandboxes",
        sa.Column("id", Id, nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandboxes")),
        sa.UniqueConstraint("url", name=op.f("uq_sandboxes_url")),
    )
    op.create_index("ix_sandboxes_expires_at", "sandboxes", ["expires_at"])
    op.create_table(
        "receipts",
        sa.Column("sandbox_id", Id, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("headers", Document, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        _belongs("receipts", "sandbox_id", "sandboxes"),
        sa.PrimaryKeyConstraint("sandbox_id", "seq", name=op.f("pk_receipts")),
    )


def _belongs(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def _index(name: str, columns: list[str], also: str) -> None:
    which = sa.text(f"state = 'pending' AND {also}")
    op.create_index(
        f"ix_deliveries_{name}",
        "deliveries",
        columns,
        sqlite_where=which,
        postgresql_where=which,
    )
