"""API keys: made, listed, revoked and known again."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from pixtools.domain.errors import ConfigurationInvalid, InvalidRequest, KeyNotFound
from pixtools.domain.identity import (
    DEFAULT_TENANT,
    KEY_BYTES,
    SCOPES,
    ApiKey,
    Scope,
    is_tenant,
    key_text,
    shown_key,
)
from pixtools.identity.seals import digest_of
from pixtools.jobs.ports.facts import Database
from pixtools.jobs.ports.work import Clock, Ids

USE_NOTED_EVERY: Final = timedelta(minutes=1)
_NOTHING_SHARED: Final = (
    "Expected SECRET_KEY to be set, to the same value for all processes: API keys in "
    "a database that several machines share can't be told without it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyring:
    """The keys of a database. Without a `secret` it only says whether there are any."""

    database: Database
    clock: Clock
    ids: Ids
    secret: bytes = field(repr=False)
    draw: Callable[[int], bytes] = secrets.token_bytes

    def create(
        self,
        *,
        tenant: str = DEFAULT_TENANT,
        name: str = "",
        scopes: Sequence[Scope] = SCOPES,
        lasts: timedelta | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key: what is kept of it, and its text, which nobody can tell again.

        Raises InvalidRequest, and ConfigurationInvalid without a secret.
        """
        if not is_tenant(tenant):
            raise InvalidRequest(
                "Expected a tenant of at most 100 letters, digits, dots, dashes and "
                f"underscores but received {tenant!r}."
            )
        text, now = key_text(self.draw(KEY_BYTES)), self.clock.now()
        key = ApiKey(
            id=self.ids.new(),
            tenant=tenant,
            name=name,
            shown=shown_key(text),
            digest=self._digest(text),
            scopes=tuple(scope for scope in SCOPES if scope in scopes),
            created_at=now,
            expires_at=now + lasts if lasts else None,
        )
        with self.database.write() as tx:
            tx.keys.add(key)
        return key, text

    def listed(self, tenant: str | None = None) -> Sequence[ApiKey]:
        """All keys, or a tenant's, newest first; those that open nothing, too."""
        with self.database.read() as tx:
            return tx.keys.listed(tenant)

    def revoke(self, key_id: str) -> ApiKey:
        """Let a key open nothing from now on; raises KeyNotFound."""
        with self.database.write() as tx:
            tx.keys.revoke(key_id, self.clock.now())
            key = tx.keys.get(key_id)
        if key is None:
            raise KeyNotFound(f"There is no API key {key_id}.")
        return key

    def is_used(self) -> bool:
        """Whether there ever was a key: revoking the last one opens nothing."""
        with self.database.read() as tx:
            return bool(tx.keys.listed(limit=1))

    def known(self, text: str) -> ApiKey | None:
        """The key with this text, if it opens anything."""
        digest = self._digest(text)
        with self.database.read() as tx:
            return self._live(tx.keys.find(digest))

    def still(self, key_id: str) -> ApiKey | None:
        """The key with this id, if it opens anything."""
        with self.database.read() as tx:
            return self._live(tx.keys.get(key_id))

    def note_use(self, key: ApiKey) -> None:
        """Write down that a key was used, at most once a minute."""
        now = self.clock.now()
        last = key.last_used_at
        if last is None or now - last >= USE_NOTED_EVERY:
            with self.database.write() as tx:
                tx.keys.used(key.id, now, now - USE_NOTED_EVERY)

    def _live(self, key: ApiKey | None) -> ApiKey | None:
        return key if key and key.is_live(self.clock.now()) else None

    def _digest(self, text: str) -> str:
        if not self.secret:
            raise ConfigurationInvalid(_NOTHING_SHARED)
        return digest_of(self.secret, text)
