"""First answers in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from pixtools.jobs.ports.facts import Remembered
from pixtools.persistence.tables import idempotency as KEYS  # noqa: N812 - a constant


class SqlIdempotency:
    """First answers, by tenant and key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def remember(
        self,
        tenant: str,
        key: str,
        answer: Remembered,
        *,
        now: datetime,
        expires_at: datetime,
    ) -> bool:
        """Keep an answer in the place of none or of one that has expired.

        On PostgreSQL a second transaction waits here for the first one's end.
        """
        values = {
            "fingerprint": answer.fingerprint,
            "job_id": answer.job_id,
            "status": answer.status,
            "expires_at": expires_at,
        }
        embedded = self._connection.dialect.name == "sqlite"
        insert = (sqlite.insert if embedded else postgresql.insert)(KEYS)
        kept = insert.values(tenant=tenant, key=key, **values).on_conflict_do_update(
            index_elements=[KEYS.c.tenant, KEYS.c.key],
            set_=values,
            where=KEYS.c.expires_at <= now,
        )
        return self._connection.execute(kept).rowcount == 1

    def recall(self, tenant: str, key: str, now: datetime) -> Remembered | None:
        """The answer that is kept and has not expired, or None."""
        query = select(KEYS.c.fingerprint, KEYS.c.job_id, KEYS.c.status).where(
            KEYS.c.tenant == tenant, KEYS.c.key == key, KEYS.c.expires_at > now
        )
        row = self._connection.execute(query).first()
        return Remembered(**row._asdict()) if row else None

    def forget_expired(self, now: datetime) -> int:
        """Drop answers that have expired; how many."""
        gone = delete(KEYS).where(KEYS.c.expires_at <= now)
        return self._connection.execute(gone).rowcount
