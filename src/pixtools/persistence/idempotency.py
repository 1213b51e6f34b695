"""First answers in the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from pixtools.jobs.ports.facts import Remembered
from pixtools.persistence import tables
from pixtools.persistence.lines import Line

KEYS: Final = tables.idempotency
_GONE: Final = KEYS.c.expires_at <= bindparam("now")
_RECALL: Final = select(KEYS.c.fingerprint, KEYS.c.job_id, KEYS.c.status).where(
    KEYS.c.tenant == bindparam("of_tenant"),
    KEYS.c.key == bindparam("this"),
    KEYS.c.expires_at > bindparam("now"),
)
_FORGET: Final = delete(KEYS).where(_GONE)


def _keeping(dialect: Any) -> Any:  # noqa: ANN401 - two dialects' equal words
    """Insert, or replace an answer that has expired."""
    insert = dialect.insert(KEYS)
    names = ("fingerprint", "job_id", "status", "expires_at")
    return insert.on_conflict_do_update(
        index_elements=[KEYS.c.tenant, KEYS.c.key],
        set_={name: insert.excluded[name] for name in names},
        where=_GONE,
    ).returning(KEYS.c.job_id)


_KEEP: Final = {"sqlite": _keeping(sqlite), "postgresql": _keeping(postgresql)}


class SqlIdempotency:
    """First answers, by tenant and key."""

    def __init__(self, connection: Line) -> None:
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
        row = asdict(answer) | {"tenant": tenant, "key": key, "expires_at": expires_at}
        keep = _KEEP[self._connection.dialect.name]
        return self._connection.execute(keep, row | {"now": now}).first() is not None

    def recall(self, tenant: str, key: str, now: datetime) -> Remembered | None:
        """The answer that is kept and has not expired, or None."""
        values = {"of_tenant": tenant, "this": key, "now": now}
        row = self._connection.execute(_RECALL, values).first()
        return Remembered(**row._asdict()) if row else None

    def forget_expired(self, now: datetime) -> int:
        """Drop answers that have expired; how many."""
        return self._connection.execute(_FORGET, {"now": now}).rowcount
