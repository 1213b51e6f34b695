"""Events for clients, what came of sending them, secrets and sandboxes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from pixtools.persistence.columns import Document, Id, Word, metadata
from pixtools.persistence.types import UtcDateTime

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("tenant", Text, nullable=False),
    Column("event", Word, nullable=False),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Word, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("spared", Integer, nullable=False),
    Column("run_at", UtcDateTime, nullable=False),
    Column("lease_owner", Text),
    Column("last_status", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    # One event for each terminal status: what ends a job twice is refused here.
    UniqueConstraint("job_id", "event"),
)
# As with stages, each index says in its condition which questions it is for.
_UNTOLD = text("state = 'pending' AND attempt >= 0")
_LATEST = text("state = 'pending' AND spared >= 0")
_HELD = text("state = 'pending' AND lease_owner IS NOT NULL")
Index(
    "ix_deliveries_turns",
    deliveries.c.tenant,
    deliveries.c.host,
    deliveries.c.run_at,
    deliveries.c.id,
    sqlite_where=_UNTOLD,
    postgresql_where=_UNTOLD,
)
Index(
    "ix_deliveries_due",
    deliveries.c.run_at,
    sqlite_where=_LATEST,
    postgresql_where=_LATEST,
)
Index(
    "ix_deliveries_held",
    deliveries.c.host,
    deliveries.c.run_at,
    sqlite_where=_HELD,
    postgresql_where=_HELD,
)

attempts: Final = Table(
    "attempts",
    metadata,
    Column(
        "delivery_id",
        Id,
        ForeignKey("deliveries.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("status", Integer),
    Column("ms", Integer, nullable=False),
    Column("error", Text),
    Column("body", Text, nullable=False),
)

circuits: Final = Table(
    "circuits",
    metadata,
    Column("host", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("open_until", UtcDateTime),
)
Index("ix_circuits_failed_at", circuits.c.failed_at)

signing_secrets: Final = Table(
    "signing_secrets",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("retires_at", UtcDateTime),
)
Index("ix_signing_secrets_tenant", signing_secrets.c.tenant, signing_secrets.c.id)

sandboxes: Final = Table(
    "sandboxes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("url", Text, nullable=False, unique=True),
    Column("sealed", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
Index("ix_sandboxes_expires_at", sandboxes.c.expires_at)

receipts: Final = Table(
    "receipts",
    metadata,
    Column(
        "sandbox_id",
        Id,
        ForeignKey("sandboxes.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("seq", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("headers", Document, nullable=False),
    Column("body", Text, nullable=False),
    Column("verdict", Text, nullable=False),
)
