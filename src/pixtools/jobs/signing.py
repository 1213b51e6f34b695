"""The secrets that a tenant's events are signed with: two while one is replaced."""

from __future__ import annotations

import secrets as chance
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pixtools.domain.errors import ConfigurationInvalid, SecretFixed
from pixtools.domain.signature import SECRET_BYTES, secret_of
from pixtools.domain.webhook import SigningSecret
from pixtools.jobs.change import Change, change
from pixtools.jobs.service import Service

DEFAULT_TENANT: Final = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSecret:
    """A secret that signs, until `retires_at`."""

    secret: str = field(repr=False)
    created_at: datetime | None = None
    retires_at: datetime | None = None


def secrets_of(service: Service, tenant: str) -> Sequence[str]:
    """What a tenant's events are signed with, the newest first; made where none is.

    Raises ConfigurationInvalid if all were sealed with another key than ours.
    """
    return [each.secret for each in live_secrets(service, tenant)]


def live_secrets(service: Service, tenant: str) -> Sequence[LiveSecret]:
    """The same, with their times: what WEBHOOK_SIGNING_SECRET sets has none."""
    fixed = _fixed(service, tenant)
    if fixed:
        return [LiveSecret(secret=text) for text in fixed]
    with service.database.read() as tx:
        found = tx.secrets.live(tenant, service.clock.now())
    if not found:
        with change(service) as made:
            found = made.tx.secrets.live(tenant, made.now)
            found = found or [_made(service, made, tenant)]
    return list(_readable(service, found))


def rotate(service: Service, tenant: str) -> LiveSecret:
    """Sign with a new secret, and for a while with the one before it, too.

    Of older ones none is left: two are live. Raises SecretFixed.
    """
    if _fixed(service, tenant):
        raise SecretFixed
    with change(service) as made:
        before = made.tx.secrets.live(tenant, made.now)
        made.tx.secrets.retire(tenant, made.now + service.rules.webhooks.overlap)
        for old in before[1:]:
            made.tx.secrets.drop(old.id)
        return _opened(service, _made(service, made, tenant))


def _fixed(service: Service, tenant: str) -> tuple[str, ...]:
    return service.rules.webhooks.signing_secrets if tenant == DEFAULT_TENANT else ()


def _made(service: Service, made: Change, tenant: str) -> SigningSecret:
    text = secret_of(chance.token_bytes(SECRET_BYTES))
    secret = SigningSecret(
        id=service.ids.new(),
        tenant=tenant,
        sealed=service.sealer.seal(text),
        created_at=made.now,
    )
    made.tx.secrets.add(secret)
    return secret


def _readable(service: Service, found: Sequence[SigningSecret]) -> Iterator[LiveSecret]:
    """Those that our key opens: after a change of it there may be older ones."""
    lost: ConfigurationInvalid | None = None
    count = 0
    for secret in found:
        try:
            yield _opened(service, secret)
        except ConfigurationInvalid as error:
            lost = error
        else:
            count += 1
    if lost and not count:
        raise lost


def _opened(service: Service, secret: SigningSecret) -> LiveSecret:
    return LiveSecret(
        secret=service.sealer.unseal(secret.sealed),
        created_at=secret.created_at,
        retires_at=secret.retires_at,
    )
