"""API keys at rest.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pixtools.domain.identity import ApiKey


class Keys(Protocol):
    """API keys; never their texts."""

    def add(self, key: ApiKey) -> None:
        """Store a new key; no two have the same digest."""
        ...

    def get(self, key_id: str) -> ApiKey | None:
        """The key with this id, or None."""
        ...

    def find(self, digest: str) -> ApiKey | None:
        """The key with this digest, or None."""
        ...

    def listed(
        self, tenant: str | None = None, *, limit: int | None = None
    ) -> Sequence[ApiKey]:
        """All keys, or a tenant's, newest first."""
        ...

    def revoke(self, key_id: str, now: datetime) -> None:
        """Say since when a key opens nothing; the first time stands."""
        ...

    def used(self, key_id: str, now: datetime, before: datetime) -> None:
        """Note that a key was used now, unless that was noted since `before`."""
        ...
