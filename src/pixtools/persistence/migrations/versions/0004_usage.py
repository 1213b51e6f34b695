"""What ended jobs cost, one row for each.

The last release's code runs on this schema: it leaves no row, so jobs that its
processes end during a roll-out cost nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("job_id", sa.String(36), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outputs", sa.Integer(), nullable=False),
        sa.Column("pixels_processed", sa.BigInteger(), nullable=False),
        sa.Column("bytes_saved", sa.BigInteger(), nullable=False),
        sa.Column("compute_time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_usage")),
    )
    op.create_index("ix_usage_tenant_day", "usage", ["tenant", "day"])
    op.create_index("ix_usage_day", "usage", ["day"])


def downgrade() -> None:
    op.drop_table("usage")
