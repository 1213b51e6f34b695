"""A receiver of our own, where clients see what they would be sent."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pixtools.domain.errors import SandboxNotFound
from pixtools.domain.ids import is_id
from pixtools.domain.signature import SECRET_BYTES, secret_of, verdict
from pixtools.domain.webhook import Receipt, Sandbox
from pixtools.jobs.change import change
from pixtools.jobs.service import Service

PLACE: Final = "/v1/webhook-sandbox/"
"""What stands before a sandbox's id in its address."""

KEPT: Final = 50
"""Receipts of one sandbox; older ones give way."""
LARGEST: Final = 256 * 1024
"""Bytes of a body that a sandbox takes."""
MOST_HEADERS: Final = 64
LONGEST_HEADER: Final = 1024
NEVER_KEPT: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key"}
)
"""Of whoever sends: a page beside ours may have a browser send its cookie here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A new sandbox, with the secret that events for it are signed with."""

    sandbox: Sandbox
    secret: str = field(repr=False)


def open_sandbox(service: Service, tenant: str, base: str) -> Opened:
    """Open a receiver; `base` is where its tenant reaches us."""
    secret = secret_of(chance.token_bytes(SECRET_BYTES))
    with change(service) as made:
        sandbox_id = service.ids.new()
        sandbox = Sandbox(
            id=sandbox_id,
            tenant=tenant,
            url=f"{base}{PLACE}{sandbox_id}",
            sealed=service.sealer.seal(secret),
            created_at=made.now,
            expires_at=made.now + service.rules.webhooks.sandbox_life,
        )
        made.tx.sandboxes.add(sandbox)
    return Opened(sandbox=sandbox, secret=secret)


def is_sandbox(service: Service, tenant: str, url: str) -> bool:
    """Whether this is the address of a tenant's own, open sandbox."""
    with service.database.read() as tx:
        found = tx.sandboxes.at(url)
    alive = found is not None and found.expires_at > service.clock.now()
    return found is not None and alive and found.tenant == tenant


def receive(
    service: Service, sandbox_id: str, headers: Mapping[str, str], body: bytes
) -> Receipt:
    """Keep what came, and whether its signature verifies; raises SandboxNotFound.

    `headers` by their names in lower case.
    """
    sandbox = _found(service, sandbox_id)
    secret = service.sealer.unseal(sandbox.sealed)
    now = service.clock.now()
    receipt = Receipt(
        sandbox_id=sandbox_id,
        seq=0,
        at=now,
        headers=_kept(headers),
        body=_text(body),
        verdict=verdict(headers, body, secret, now),
    )
    with change(service) as made:
        kept = made.tx.sandboxes.append(receipt, KEPT)
        made.tell(sandbox_id)
    if kept is None:
        raise SandboxNotFound
    return kept


def received(
    service: Service, tenant: str, sandbox_id: str, after: int = 0
) -> tuple[Sandbox, Sequence[Receipt]]:
    """A tenant's sandbox, and what came after a receipt; raises SandboxNotFound."""
    sandbox = _found(service, sandbox_id)
    if sandbox.tenant != tenant:
        raise SandboxNotFound
    with service.database.read() as tx:
        return sandbox, tx.sandboxes.received(sandbox_id, after)


def _found(service: Service, sandbox_id: str) -> Sandbox:
    with service.database.read() as tx:
        sandbox = tx.sandboxes.get(sandbox_id) if is_id(sandbox_id) else None
    if sandbox is None or sandbox.expires_at <= service.clock.now():
        raise SandboxNotFound
    return sandbox


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    told = [pair for pair in headers.items() if pair[0] not in NEVER_KEPT]
    few = told[:MOST_HEADERS]
    return {_clean(n[:100]): _clean(v[:LONGEST_HEADER]) for n, v in few}


def _text(body: bytes) -> str:
    return _clean(body[:LARGEST].decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """What every database can hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
