"""Whose delivery is next is asked by tenant and host.

The last release's code runs on this schema: its looks read more of the index.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _replace("hosts", "turns", ["tenant", "host", "run_at", "id"])


def downgrade() -> None:
    _replace("turns", "hosts", ["host", "run_at", "id"])


def _replace(old: str, new: str, columns: list[str]) -> None:
    waits = sa.text("state = 'pending' AND attempt >= 0")
    op.create_index(
        f"ix_deliveries_{new}",
        "deliveries",
        columns,
        sqlite_where=waits,
        postgresql_where=waits,
    )
    op.drop_index(f"ix_deliveries_{old}", "deliveries")
