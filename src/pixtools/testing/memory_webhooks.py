"""The in-memory twins of Deliveries, Attempts, Circuits, Secrets and Sandboxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pixtools.domain.webhook import (
    Attempt,
    Circuit,
    Delivery,
    Receipt,
    Sandbox,
    SigningSecret,
)
from pixtools.testing.memory_facts import State


class MemoryDeliveries:
    """Events on their way to clients."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, delivery: Delivery) -> None:
        """Keep an event until it is told."""
        kind = (delivery.job_id, delivery.event)
        if kind in {(d.job_id, d.event) for d in self._state.deliveries.values()}:
            raise ValueError("Broken: an event is unique to its job.")
        self._state.deliveries[delivery.id] = delivery

    def get(self, delivery_id: str, *, lock: bool = False) -> Delivery | None:
        """The delivery, or None."""
        del lock
        return self._state.deliveries.get(delivery_id)

    def save(self, delivery: Delivery) -> None:
        """Write a delivery."""
        self._state.deliveries[delivery.id] = delivery

    def of_job(self, job_id: str, *, lock: bool = False) -> Sequence[Delivery]:
        """A job's deliveries, oldest first."""
        del lock
        found = [d for d in self._state.deliveries.values() if d.job_id == job_id]
        return sorted(found, key=lambda d: d.id)

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
        """Take the one due longest, of a tenant and a host that have room."""
        held = [d for d in self._pending() if d.lease_owner and d.run_at > now]
        due = [
            delivery
            for delivery in self._pending()
            if delivery.run_at <= now
            and sum(d.tenant == delivery.tenant for d in held) < per_tenant
            and self._has_room(delivery.host, now, per_host, steady=steady)
        ]
        if not due:
            return None
        first = min(due, key=lambda d: (d.run_at, d.id))
        taken = replace(
            first,
            attempt=first.attempt + 1,
            lease_owner=owner,
            run_at=now + lease,
        )
        self.save(taken)
        return taken

    def next_due(self) -> datetime | None:
        """When the next one is due; None if there is none."""
        return min((d.run_at for d in self._pending()), default=None)

    def _pending(self) -> list[Delivery]:
        return [d for d in self._state.deliveries.values() if d.state == "pending"]

    def _has_room(
        self, host: str, now: datetime, per_host: int, *, steady: bool
    ) -> bool:
        circuit = self._state.circuits.get(host)
        if circuit and (steady or (circuit.open_until and circuit.open_until > now)):
            return False
        held = [
            d
            for d in self._pending()
            if d.host == host and d.lease_owner and d.run_at > now
        ]
        return len(held) < (1 if circuit else per_host)


class MemoryAttempts:
    """What came of each sending."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, attempt: Attempt) -> None:
        """Record one."""
        self._state.attempts[attempt.delivery_id, attempt.number] = attempt

    def of_job(self, job_id: str) -> Sequence[Attempt]:
        """All of a job's deliveries, in order."""
        mine = {d.id for d in self._state.deliveries.values() if d.job_id == job_id}
        return [
            attempt
            for key, attempt in sorted(self._state.attempts.items())
            if key[0] in mine
        ]


class MemoryCircuits:
    """Hosts that fail."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, host: str) -> Circuit | None:
        """The circuit; None if all is well."""
        return self._state.circuits.get(host)

    def save(self, circuit: Circuit) -> None:
        """Remember that a host fails."""
        self._state.circuits[circuit.host] = circuit

    def forget(self, host: str) -> None:
        """All is well again."""
        self._state.circuits.pop(host, None)

    def forget_old(self, before: datetime) -> int:
        """Forget hosts that have not failed since; how many."""
        kept = self._state.circuits
        old = [host for host, each in kept.items() if each.failed_at <= before]
        for host in old:
            del kept[host]
        return len(old)


class MemorySecrets:
    """Signing secrets, sealed."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, secret: SigningSecret) -> None:
        """Sign with this one, too."""
        self._state.secrets[secret.id] = secret

    def live(self, tenant: str, now: datetime) -> Sequence[SigningSecret]:
        """Those that sign, the newest first."""
        found = [
            secret
            for secret in self._state.secrets.values()
            if secret.tenant == tenant and not _is_over(secret.retires_at, now)
        ]
        return sorted(found, key=lambda secret: secret.id, reverse=True)

    def retire(self, tenant: str, at: datetime) -> None:
        """Let all of a tenant's secrets end then, or before."""
        for secret in self.live(tenant, at):
            self._state.secrets[secret.id] = replace(secret, retires_at=at)

    def drop(self, secret_id: str) -> None:
        """Sign with this one no longer."""
        self._state.secrets.pop(secret_id, None)

    def forget_retired(self, now: datetime) -> int:
        """Drop those that have ended; how many."""
        kept = self._state.secrets
        over = [name for name, s in kept.items() if _is_over(s.retires_at, now)]
        for name in over:
            del kept[name]
        return len(over)


class MemorySandboxes:
    """Receivers of our own."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, sandbox: Sandbox) -> None:
        """Open one."""
        self._state.sandboxes[sandbox.id] = sandbox

    def get(self, sandbox_id: str) -> Sandbox | None:
        """The sandbox, or None."""
        return self._state.sandboxes.get(sandbox_id)

    def at(self, url: str) -> Sandbox | None:
        """The sandbox that receives at exactly this address, or None."""
        found = (s for s in self._state.sandboxes.values() if s.url == url)
        return next(found, None)

    def append(self, receipt: Receipt, keep: int) -> Receipt | None:
        """Keep what came, numbered, and the `keep` newest; None if it is gone."""
        if receipt.sandbox_id not in self._state.sandboxes:
            return None
        before = self.received(receipt.sandbox_id)
        seq = before[-1].seq + 1 if before else 1
        numbered = replace(receipt, seq=seq)
        self._state.receipts[receipt.sandbox_id, seq] = numbered
        for old in before:
            if old.seq <= seq - keep:
                del self._state.receipts[old.sandbox_id, old.seq]
        return numbered

    def received(self, sandbox_id: str, after: int = 0) -> Sequence[Receipt]:
        """What has come after the receipt of this number, in order."""
        return [
            receipt
            for key, receipt in sorted(self._state.receipts.items())
            if key[0] == sandbox_id and receipt.seq > after
        ]

    def forget_expired(self, now: datetime) -> int:
        """Close those whose time is over; how many."""
        kept = self._state.sandboxes
        over = [name for name, s in kept.items() if s.expires_at <= now]
        for name in over:
            del kept[name]
            for receipt in self.received(name):
                del self._state.receipts[name, receipt.seq]
        return len(over)


class PlainSealer:
    """Seals so that a test can see that it was done."""

    def seal(self, text: str) -> str:
        """The text, backwards."""
        return f"sealed:{text[::-1]}"

    def unseal(self, sealed: str) -> str:
        """The text again."""
        return sealed.removeprefix("sealed:")[::-1]


def _is_over(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
