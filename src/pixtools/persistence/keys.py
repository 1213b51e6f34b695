"""API keys in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Executable, bindparam, insert, or_, select, update

from pixtools.domain.identity import ApiKey
from pixtools.persistence import tables
from pixtools.persistence.lines import Line
from pixtools.persistence.mapping import key_of, key_row
from pixtools.persistence.types import UtcDateTime

KEYS: Final = tables.api_keys
_ADD: Final = insert(KEYS)
_GET: Final = select(KEYS).where(KEYS.c.id == bindparam("this"))
_FIND: Final = select(KEYS).where(KEYS.c.digest == bindparam("this"))
_LISTED: Final = select(KEYS).order_by(KEYS.c.id.desc()).limit(bindparam("most"))
_LISTED_OF: Final = _LISTED.where(KEYS.c.tenant == bindparam("its_tenant"))
MOST: Final = 2**31 - 1
"""More keys than there ever are."""
_REVOKE: Final = (
    update(KEYS)
    .where(KEYS.c.id == bindparam("this"), KEYS.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_LAST: Final = KEYS.c.last_used_at
_USED: Final = (
    update(KEYS)
    .where(
        KEYS.c.id == bindparam("this"),
        or_(_LAST.is_(None), bindparam("before", type_=UtcDateTime()) > _LAST),
    )
    .values(last_used_at=bindparam("now"))
)


class SqlKeys:
    """API keys; never their texts."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, key: ApiKey) -> None:
        """Store a new key."""
        self._connection.execute(_ADD, key_row(key))

    def get(self, key_id: str) -> ApiKey | None:
        """The key with this id, or None."""
        row = self._connection.execute(_GET, {"this": key_id}).first()
        return key_of(row._asdict()) if row else None

    def find(self, digest: str) -> ApiKey | None:
        """The key with this digest, or None."""
        row = self._connection.execute(_FIND, {"this": digest}).first()
        return key_of(row._asdict()) if row else None

    def listed(
        self, tenant: str | None = None, *, limit: int | None = None
    ) -> Sequence[ApiKey]:
        """All keys, or a tenant's, newest first."""
        values = {"most": MOST if limit is None else limit}
        if tenant is None:
            return self._found(_LISTED, values)
        return self._found(_LISTED_OF, values | {"its_tenant": tenant})

    def revoke(self, key_id: str, now: datetime) -> None:
        """Say since when a key opens nothing; the first time stands."""
        self._connection.execute(_REVOKE, {"this": key_id, "now": now})

    def used(self, key_id: str, now: datetime, before: datetime) -> None:
        """Note that a key was used now, unless that was noted since `before`."""
        values = {"this": key_id, "now": now, "before": before}
        self._connection.execute(_USED, values)

    def _found(self, statement: Executable, values: dict[str, Any]) -> list[ApiKey]:
        rows = self._connection.execute(statement, values)
        return [key_of(row._asdict()) for row in rows]
