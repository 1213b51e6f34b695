"""The in-memory twin of Keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from pixtools.domain.identity import ApiKey
from pixtools.testing.memory_facts import State


class MemoryKeys:
    """API keys by id."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, key: ApiKey) -> None:
        """Store a new key."""
        if key.id in self._state.keys or self.find(key.digest):
            raise ValueError("Broken: a key is added once.")
        self._state.keys[key.id] = key

    def get(self, key_id: str) -> ApiKey | None:
        """The key with this id, or None."""
        return self._state.keys.get(key_id)

    def find(self, digest: str) -> ApiKey | None:
        """The key with this digest, or None."""
        kept = self._state.keys.values()
        return next((key for key in kept if key.digest == digest), None)

    def listed(
        self, tenant: str | None = None, *, limit: int | None = None
    ) -> Sequence[ApiKey]:
        """All keys, or a tenant's, newest first."""
        kept = self._state.keys.values()
        mine = [key for key in kept if tenant in {None, key.tenant}]
        return sorted(mine, key=lambda key: key.id, reverse=True)[:limit]

    def revoke(self, key_id: str, now: datetime) -> None:
        """Say since when a key opens nothing; the first time stands."""
        key = self._state.keys.get(key_id)
        if key and key.revoked_at is None:
            self._state.keys[key_id] = replace(key, revoked_at=now)

    def used(self, key_id: str, now: datetime, before: datetime) -> None:
        """Note that a key was used now, unless that was noted since `before`."""
        key = self._state.keys.get(key_id)
        if key and (key.last_used_at is None or key.last_used_at < before):
            self._state.keys[key_id] = replace(key, last_used_at=now)
