"""The outbox of wake-ups, how long a stage will take, whose turn it is, what ended.

The last release's code runs on this schema: a stage that it adds costs 0 ms, and it
scans and sorts where it had an index in order.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pixtools.persistence.types import UtcDateTime

TURNS = ["lane", "tenant", "priority", "run_at", "id", "cost_ms"]
DUE = ["lane", "run_at", "cost_ms"]
ENDED = ["finished_at", "tenant"]
OLD = ["lane", "priority", "run_at", "id"]

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wakeups",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("stage_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("lane", sa.String(32), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wakeups")),
    )
    op.create_index("ix_wakeups_due_at", "wakeups", ["due_at", "id"])
    cost = sa.Column("cost_ms", sa.Integer(), nullable=False, server_default="0")
    op.add_column("stages", cost)
    op.drop_index("ix_stages_queued", "stages")
    _index("ix_stages_turns", TURNS, " AND attempt < max_attempts")
    _index("ix_stages_due", DUE, " AND priority >= 0")
    ended = sa.text("finished_at IS NOT NULL")
    op.create_index(
        "ix_jobs_ended", "jobs", ENDED, sqlite_where=ended, postgresql_where=ended
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_ended", "jobs")
    op.drop_index("ix_stages_due", "stages")
    op.drop_index("ix_stages_turns", "stages")
    _index("ix_stages_queued", OLD)
    op.drop_column("stages", "cost_ms")
    op.drop_table("wakeups")


def _index(name: str, columns: list[str], also: str = "") -> None:
    which = sa.text(f"status = 'queued'{also}")
    op.create_index(name, "stages", columns, sqlite_where=which, postgresql_where=which)
