"""Telling a client that its job has ended: what is told, where, and how that goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

WebhookState = Literal["pending", "delivered", "failed"]
"""Without a webhook a job has no such state; documents then hold null."""

EventType = Literal["job.succeeded", "job.partial", "job.failed", "job.canceled"]
MEANINGS: Final = {
    "job.succeeded": "All that was asked of the job was made.",
    "job.partial": "Some outputs were made; the others say why not.",
    "job.failed": "Nothing was made; `error` says why.",
    "job.canceled": "The job was stopped and keeps no outputs.",
}
"""What each event tells a receiver."""
MEMORY: Final = 2048
"""Bytes of a receiver's answer that are kept."""

_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """How telling a job's end goes.

    `base` completes links that are signed without a host: where the client reached us.
    """

    state: WebhookState = "pending"
    attempts: int = 0
    last_status: int | None = None
    next_attempt_at: datetime | None = None
    base: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one address.

    It is due at `run_at`; whoever sends it holds it as `lease_owner`, and then it is
    due again when that lease runs out. `body` are the bytes that are signed and sent,
    the same each time. `attempt` counts the sendings that were begun, `spared` those
    that no longer count: before a replay, or interrupted by us.
    """

    id: str
    job_id: str
    tenant: str = "default"
    event: EventType
    url: str
    host: str
    body: str
    state: WebhookState = "pending"
    attempt: int = 0
    spared: int = 0
    run_at: datetime
    lease_owner: str | None = None
    last_status: int | None = None
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def webhook_id(self) -> str:
        """The id that receivers know the event by, the same in every attempt."""
        return f"msg_{self.id.replace('-', '')}"

    @property
    def counted(self) -> int:
        """Attempts that count towards the most there may be."""
        return self.attempt - self.spared


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What came of sending once: an HTTP status and the begin of its body, or why not.

    `ms` is how long it took; `number` is the delivery's `attempt`.
    """

    delivery_id: str
    number: int
    at: datetime
    status: int | None = None
    ms: int = 0
    error: str | None = None
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A host that has failed: how often in a row, and until when it is left alone.

    After `open_until` a single attempt finds out whether it is well again. Long after
    `failed_at`, its last failure, nothing is known of it any more.
    """

    host: str
    failures: int
    failed_at: datetime
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """A tenant's secret, sealed; without `retires_at` it is the newest one."""

    id: str
    tenant: str
    sealed: str
    created_at: datetime
    retires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A receiver of our own, for a while; `sealed` is the secret that signs for it."""

    id: str
    tenant: str
    url: str
    sealed: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a sandbox has received, in order (`seq` from 1).

    `verdict` says whether the signature verifies: `valid`, or why it does not.
    """

    sandbox_id: str
    seq: int
    at: datetime
    headers: dict[str, str]
    body: str
    verdict: str


def host_of(url: str) -> str:
    """The host and port that an address leads to, always written the same way."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"{(parts.hostname or '').rstrip('.')}:{port}"


def is_trouble(status: int | None) -> bool:
    """Whether an answer, or none, says that the whole host is not well."""
    return status is None or status == 429 or status >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRules:
    """How patiently clients are told.

    The n-th retry comes `schedule[n-1]` seconds after the failure, the last value is
    repeated; `max_attempts` counts the first one, too. A host gets `per_host` requests
    at once, and one while it fails. A tenant gets `per_tenant`: its hosts that hang
    hold up no other tenant's. After `threshold` failures in a row a host is left alone
    for `reset`. `grace` is how long the first attempt waits for the archive.
    A secret that was replaced goes on signing for `overlap`. Of a host that nobody
    has called since, `memory` is how long its failures are held against it.
    """

    schedule: tuple[float, ...] = (5, 30, 120, 600, 3600, 21600)
    max_attempts: int = 7
    timeout: float = 15.0
    per_host: int = 4
    per_tenant: int = 12
    threshold: int = 5
    reset: timedelta = timedelta(seconds=60)
    grace: timedelta = timedelta(seconds=10)
    overlap: timedelta = timedelta(hours=24)
    longest_wait: timedelta = timedelta(hours=24)
    memory: timedelta = timedelta(days=2)
    signing_secrets: tuple[str, ...] = ()
    sandbox_life: timedelta = timedelta(hours=24)

    @property
    def lease(self) -> timedelta:
        """Longer than a sending can take, with its record."""
        return timedelta(seconds=max(self.timeout + 5, 2 * self.timeout))
