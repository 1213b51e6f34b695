"""Telling clients: events on their way, what came of them, secrets and sandboxes.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Delivery,
    Receipt,
    Sandbox,
    SigningSecret,
)


class Deliveries(Protocol):
    """Events on their way to clients; they go with their job."""

    def add(self, delivery: Delivery) -> None:
        """Keep an event until it is told; one of a kind for each job."""
        ...

    def get(self, delivery_id: str, *, lock: bool = False) -> Delivery | None:
        """The delivery, or None. Who locks its job, too, takes the job first."""
        ...

    def save(self, delivery: Delivery) -> None:
        """Write a delivery that was read with `lock` in this transaction."""
        ...

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Delivery]:
        """A job's deliveries, oldest first."""
        ...

    def claim(
        self,
        owner: str,
        now: datetime,
        lease: timedelta,
        *,
        per_host: int,
        per_tenant: int,
        steady: bool = False,
    ) -> Delivery | None:
        """Take the pending delivery that has been due longest, among those whose
        host is not left alone and has fewer than `per_host` (one, if it has a
        circuit) held by anyone, and whose tenant has fewer than `per_tenant`.
        Adds an attempt; it is due again when the lease ends. With `steady` hosts
        that have a circuit are passed over.
        """
        ...

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        ...


class Attempts(Protocol):
    """What came of each sending."""

    def add(self, attempt: Attempt) -> None:
        """Record one."""
        ...

    def of_job(self, job_id: str) -> Sequence[Attempt]:
        """Those of all of a job's deliveries, in order."""
        ...


class Circuits(Protocol):
    """Hosts that fail; of all others nothing is known."""

    def get(self, host: str) -> Circuit | None:
        """The circuit, held until commit; None if all is well."""
        ...

    def save(self, circuit: Circuit) -> None:
        """Remember that a host fails."""
        ...

    def forget(self, host: str) -> None:
        """All is well again."""
        ...

    def forget_old(self, before: datetime) -> int:
        """Forget hosts that have not failed since; how many."""
        ...


class Secrets(Protocol):
    """Signing secrets by tenant, sealed."""

    def add(self, secret: SigningSecret) -> None:
        """Sign with this one, too."""
        ...

    def live(self, tenant: str, now: datetime) -> Sequence[SigningSecret]:
        """Those that sign, the newest first."""
        ...

    def retire(self, tenant: str, at: datetime) -> None:
        """Let all of a tenant's secrets end then, if not before."""
        ...

    def drop(self, secret_id: str) -> None:
        """Sign with this one no longer."""
        ...

    def forget_retired(self, now: datetime) -> int:
        """Drop those that have ended; how many."""
        ...


class Sandboxes(Protocol):
    """Receivers of our own, for a while."""

    def add(self, sandbox: Sandbox) -> None:
        """Open one."""
        ...

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The sandbox, or None."""
        ...

    def at(self, url: str) -> Sandbox | None:
        """The sandbox that receives at exactly this address, or None."""
        ...

    def append(self, receipt: Receipt, keep: int) -> Receipt | None:
        """Keep what came, numbered, and the `keep` newest; None if it is gone."""
        ...

    def received(self, sandbox_id: str, after: int = 0) -> Sequence[Receipt]:
        """What has come after the receipt of this number, in order."""
        ...

    def forget_expired(self, now: datetime) -> int:
        """Close those whose time is over; how many."""
        ...


class Sealer(Protocol):
    """Keeps what must be read again, but not by who reads the database."""

    def seal(self, text: str) -> str:
        """The text, encrypted."""
        ...

    def unseal(self, sealed: str) -> str:
        """The text again; raises ConfigurationInvalid if our key does not fit."""
        ...
