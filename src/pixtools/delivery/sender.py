"""Sends one event, and says what came of it. Nothing that a receiver does gets out."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol

from pixtools.domain.errors import SandboxNotFound, Unavailable, UnsafeDestination
from pixtools.domain.signature import signed_headers
from pixtools.domain.webhook import MEMORY, Attempt
from pixtools.jobs.sandbox import receive
from pixtools.jobs.service import Service
from pixtools.jobs.tell import REFUSED, Parcel, Recorded, record

log = logging.getLogger(__name__)
UNREACHABLE: Final = "unreachable"
BROKEN: Final = "internal error"
HEADERS: Final = {"content-type": "application/json; charset=utf-8"}


class Answer(Protocol):
    """What a receiver said; header names are in lower case."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...

    @property
    def ms(self) -> int: ...


class Wire(Protocol):
    """How an event leaves the house: guarded, and in a bounded time."""

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        keep: int,
    ) -> Answer:
        """Send a body; raises UnsafeDestination, or Unavailable for no answer."""
        ...


class Sender:
    """Signs and sends what it is handed; safe to share between threads."""

    def __init__(self, service: Service, wire: Wire) -> None:
        self._service = service
        self._wire = wire

    def send(self, parcel: Parcel) -> Recorded:
        """Send an event once and record the attempt."""
        since = time.perf_counter()
        at = self._service.clock.now()
        try:
            answer = self._asked(parcel, at)
        except UnsafeDestination:
            return self._failed(parcel, at, since, REFUSED)
        except (Unavailable, SandboxNotFound):
            return self._failed(parcel, at, since, UNREACHABLE)
        except Exception:
            log.exception("webhook_crashed", extra={"delivery": parcel.delivery.id})
            return self._failed(parcel, at, since, BROKEN)
        attempt = Attempt(
            delivery_id=parcel.delivery.id,
            number=parcel.delivery.attempt,
            at=at,
            status=answer.status,
            ms=answer.ms,
            body=_text(answer.body),
        )
        return record(
            self._service,
            parcel.delivery,
            attempt,
            retry_after=retry_after(answer.headers.get("retry-after"), at),
            host_known=parcel.sandbox_id is None,
        )

    def _asked(self, parcel: Parcel, at: datetime) -> Answer:
        delivery = parcel.delivery
        body = delivery.body.encode()
        signed = signed_headers(delivery.webhook_id, at, body, parcel.secrets)
        headers = {**HEADERS, **signed}
        if parcel.sandbox_id:
            return self._shown(parcel.sandbox_id, headers, body)
        return self._wire.post(
            delivery.url,
            headers=headers,
            body=body,
            timeout=self._service.rules.webhooks.timeout,
            keep=MEMORY,
        )

    def _shown(
        self, sandbox_id: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Our own sandbox hears of it here: no call leaves the house for that."""
        receive(self._service, sandbox_id, headers, body)
        return _Received()

    def _failed(self, parcel: Parcel, at: datetime, since: float, why: str) -> Recorded:
        attempt = Attempt(
            delivery_id=parcel.delivery.id,
            number=parcel.delivery.attempt,
            at=at,
            ms=round((time.perf_counter() - since) * 1000),
            error=why,
        )
        known = why == UNREACHABLE and parcel.sandbox_id is None
        return record(self._service, parcel.delivery, attempt, host_known=known)


class _Received:
    """A sandbox's answer."""

    status = 200
    headers: Mapping[str, str] = {}
    body = b"received"
    ms = 0


def retry_after(said: str | None, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for, if it can be read."""
    if not said:
        return None
    if said.isascii() and said.isdigit():
        seconds = float(said[:12])
    else:
        try:
            until = parsedate_to_datetime(said)
        except (ValueError, TypeError, OverflowError):
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        seconds = (until - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _text(body: bytes) -> str:
    text = body[:MEMORY].decode("utf-8", "replace")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
