"""Houses that know who asks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta

from pixtools.domain.identity import SCOPES, Scope
from pixtools.identity.config import GateConfig
from pixtools.identity.gate import Gate, Tokens
from pixtools.identity.keyring import Keyring
from pixtools.testing.house import House

SECRET = b"a secret of a test, and of no other thing"


def a_keyring(house: House, secret: bytes = SECRET) -> Keyring:
    """The keys of a house."""
    return Keyring(
        database=house.database,
        clock=house.clock,
        ids=house.service.ids,
        secret=secret,
        draw=os.urandom,
    )


def a_gate(
    house: House,
    *,
    api_key: str = "",
    tokens: Tokens | None = None,
    freshness: timedelta = timedelta(0),
    session: timedelta = timedelta(hours=12),
) -> Gate:
    """The gate of a house; it believes nothing that it has not just looked up."""
    config = GateConfig(api_key=api_key, freshness=freshness, session=session)
    return Gate(config, a_keyring(house), tokens)


def a_key_of(house: House, tenant: str, scopes: Sequence[Scope] = SCOPES) -> str:
    """A new key's text."""
    _, text = a_keyring(house).create(tenant=tenant, scopes=scopes)
    return text
