"""Around deliveries: attempts, circuits, signing secrets and sandboxes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Executable,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Receipt,
    Sandbox,
    SigningSecret,
)
from pixtools.persistence.lines import Line
from pixtools.persistence.locks import Locked, hold
from pixtools.persistence.mapping import plain_row
from pixtools.persistence.webhook_tables import (
    attempts,
    circuits,
    deliveries,
    receipts,
    sandboxes,
    signing_secrets as secrets,
)

_LOG: Final = insert(attempts)
_LOGGED: Final = (
    select(attempts)
    .join(deliveries, deliveries.c.id == attempts.c.delivery_id)
    .where(deliveries.c.job_id == bindparam("job"))
    .order_by(attempts.c.delivery_id, attempts.c.number)
)
_CIRCUIT: Final = select(circuits).where(circuits.c.host == bindparam("this"))
_LOCK_CIRCUIT: Final = _CIRCUIT.with_for_update()
_CLOSE: Final = delete(circuits).where(circuits.c.host == bindparam("this"))
_FADE: Final = delete(circuits).where(circuits.c.failed_at <= bindparam("before"))

_ADD_SECRET: Final = insert(secrets)
_LIVE: Final = (
    select(secrets)
    .where(
        secrets.c.tenant == bindparam("of_tenant"),
        or_(secrets.c.retires_at.is_(None), secrets.c.retires_at > bindparam("now")),
    )
    .order_by(secrets.c.id.desc())
)
_RETIRE: Final = (
    update(secrets)
    .where(
        secrets.c.tenant == bindparam("of_tenant"),
        or_(secrets.c.retires_at.is_(None), secrets.c.retires_at > bindparam("at")),
    )
    .values(retires_at=bindparam("at"))
)
_DROP_SECRET: Final = delete(secrets).where(secrets.c.id == bindparam("this"))
_FORGET: Final = delete(secrets).where(secrets.c.retires_at <= bindparam("now"))

_ADD_SANDBOX: Final = insert(sandboxes)
_SANDBOX: Final = select(sandboxes).where(sandboxes.c.id == bindparam("this"))
_LOCK_SANDBOX: Final = _SANDBOX.with_for_update()
_AT: Final = select(sandboxes).where(sandboxes.c.url == bindparam("its_url"))
_ADD_RECEIPT: Final = insert(receipts)
_LAST: Final = select(func.max(receipts.c.seq)).where(
    receipts.c.sandbox_id == bindparam("this")
)
_DROP_OLD: Final = delete(receipts).where(
    receipts.c.sandbox_id == bindparam("this"), receipts.c.seq <= bindparam("until")
)
_RECEIPTS: Final = (
    select(receipts)
    .where(receipts.c.sandbox_id == bindparam("this"), receipts.c.seq > bindparam("n"))
    .order_by(receipts.c.seq)
)
_EXPIRE: Final = delete(sandboxes).where(sandboxes.c.expires_at <= bindparam("now"))


def _keeping(dialect: Any) -> Any:  # noqa: ANN401 - two dialects' equal words
    insert = dialect.insert(circuits)
    names = ("failures", "failed_at", "open_until")
    return insert.on_conflict_do_update(
        index_elements=[circuits.c.host],
        set_={name: insert.excluded[name] for name in names},
    )


_KEEP: Final = {"sqlite": _keeping(sqlite), "postgresql": _keeping(postgresql)}


class SqlAttempts:
    """What came of each sending."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, attempt: Attempt) -> None:
        """Record one."""
        self._connection.execute(_LOG, plain_row(attempt))

    def of_job(self, job_id: str) -> Sequence[Attempt]:
        """All of a job's deliveries, in order."""
        rows = self._connection.execute(_LOGGED, {"job": job_id})
        return [Attempt(**row._asdict()) for row in rows]


class SqlCircuits:
    """Hosts that fail; of all others nothing is known."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def get(self, host: str) -> Circuit | None:
        """The circuit, held until commit; None if all is well."""
        # A host that begins to fail has no row yet: two failures would count as one.
        hold(self._connection, Locked.CIRCUITS, host)
        row = self._connection.execute(_LOCK_CIRCUIT, {"this": host}).first()
        return Circuit(**row._asdict()) if row else None

    def save(self, circuit: Circuit) -> None:
        """Remember that a host fails."""
        keep = _KEEP[self._connection.dialect.name]
        self._connection.execute(keep, plain_row(circuit))

    def forget(self, host: str) -> None:
        """All is well again."""
        self._connection.execute(_CLOSE, {"this": host})

    def forget_old(self, before: datetime) -> int:
        """Forget hosts that have not failed since; how many."""
        return self._connection.execute(_FADE, {"before": before}).rowcount


class SqlSecrets:
    """Signing secrets, sealed."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, secret: SigningSecret) -> None:
        """Sign with this one, too."""
        self._connection.execute(_ADD_SECRET, plain_row(secret))

    def live(self, tenant: str, now: datetime) -> Sequence[SigningSecret]:
        """Those that sign, the newest first."""
        rows = self._connection.execute(_LIVE, {"of_tenant": tenant, "now": now})
        return [SigningSecret(**row._asdict()) for row in rows]

    def retire(self, tenant: str, at: datetime) -> None:
        """Let all of a tenant's secrets end then, or before."""
        self._connection.execute(_RETIRE, {"of_tenant": tenant, "at": at})

    def drop(self, secret_id: str) -> None:
        """Sign with this one no longer."""
        self._connection.execute(_DROP_SECRET, {"this": secret_id})

    def forget_retired(self, now: datetime) -> int:
        """Drop those that have ended; how many."""
        return self._connection.execute(_FORGET, {"now": now}).rowcount


class SqlSandboxes:
    """Receivers of our own."""

    def __init__(self, connection: Line) -> None:
        self._connection = connection

    def add(self, sandbox: Sandbox) -> None:
        """Open one."""
        self._connection.execute(_ADD_SANDBOX, plain_row(sandbox))

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The sandbox, or None."""
        return self._one(_SANDBOX, {"this": sandbox_id})

    def at(self, url: str) -> Sandbox | None:
        """The sandbox that receives at exactly this address, or None."""
        return self._one(_AT, {"its_url": url})

    def append(self, receipt: Receipt, keep: int) -> Receipt | None:
        """Keep what came, numbered, and the `keep` newest; None if it is gone."""
        this = {"this": receipt.sandbox_id}
        if self._one(_LOCK_SANDBOX, this) is None:
            return None
        last: int | None = self._connection.execute(_LAST, this).scalar()
        row = plain_row(receipt) | {"seq": (last or 0) + 1}
        self._connection.execute(_ADD_RECEIPT, row)
        self._connection.execute(_DROP_OLD, this | {"until": row["seq"] - keep})
        return Receipt(**row)

    def received(self, sandbox_id: str, after: int = 0) -> Sequence[Receipt]:
        """What has come after the receipt of this number, in order."""
        values = {"this": sandbox_id, "n": after}
        rows = self._connection.execute(_RECEIPTS, values)
        return [Receipt(**row._asdict()) for row in rows]

    def forget_expired(self, now: datetime) -> int:
        """Close those whose time is over; how many."""
        return self._connection.execute(_EXPIRE, {"now": now}).rowcount

    def _one(self, statement: Executable, values: dict[str, Any]) -> Sandbox | None:
        row = self._connection.execute(statement, values).first()
        return Sandbox(**row._asdict()) if row else None
