"""The outbox of wake-ups, and how long a stage will take.

The last release's code runs on this schema: a stage that it adds costs 0 ms.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from pixtools.persistence.types import UtcDateTime

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


def downgrade() -> None:
    op.drop_column("stages", "cost_ms")
    op.drop_table("wakeups")
