"""An issuer of tokens that a test has in its hand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from pixtools.domain.errors import IssuerUnavailable
from pixtools.identity.config import OidcConfig
from pixtools.identity.issuer import Issuer
from pixtools.identity.oidc import OidcTokens

ISSUER = "https://login.example/realms/photos"
JWKS = "https://login.example/keys"
NOW = 1_767_300_000
CONFIG = OidcConfig(issuer=ISSUER, audience="pixtools")


def a_key(kid: str) -> ECKey:
    """A new key to sign with."""
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"}, auto_kid=False)


@dataclass(slots=True)
class FakeIssuer:
    """Answers what the test wants, and counts how often it was asked for keys."""

    keys: list[Key] = field(default_factory=lambda: [a_key("one")])
    claims: OidcConfig = CONFIG
    away: bool = False
    silent: bool = False
    speaks: threading.Event = field(default_factory=threading.Event)
    waited_for: threading.Event = field(default_factory=threading.Event)
    asked: int = 0
    clock: float = 0.0
    discovery: dict[str, Any] = field(
        default_factory=lambda: {"issuer": ISSUER, "jwks_uri": JWKS}
    )
    extra: list[dict[str, Any]] = field(default_factory=list)

    def tokens(self, config: OidcConfig = CONFIG) -> OidcTokens:
        """Who reads its tokens."""
        issuer = Issuer(config, self.fetch, now=lambda: self.clock)
        return OidcTokens(config, issuer, now=lambda: NOW + self.clock)

    def fetch(self, url: str) -> Mapping[str, Any]:
        """Answer a question; if `silent`, when it `speaks`."""
        if self.silent:
            self.waited_for.set()
            assert self.speaks.wait(30)
        if self.away:
            raise IssuerUnavailable
        if url == f"{ISSUER}/.well-known/openid-configuration":
            return self.discovery
        assert url == JWKS
        self.asked += 1
        return {
            "keys": [*self.extra, *(key.as_dict(private=False) for key in self.keys)]
        }

    def token(
        self,
        *,
        key: Key | None = None,
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good token, but for what is given; a claim of None is left out."""
        key = key or self.keys[0]
        alg = {"EC": "ES256", "RSA": "RS256", "oct": "HS256"}[key.key_type]
        told = {"alg": alg, "kid": key.kid, **(header or {})}
        usual = {"iss": ISSUER, "aud": "pixtools", "sub": "ann", "exp": NOW + 600}
        body = {n: v for n, v in (usual | claims).items() if v is not None}
        head = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(head, body, key, algorithms=[str(head["alg"])])


def an_rsa_key(kid: str) -> RSAKey:
    """A new RSA key, which takes a moment."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"}, auto_kid=False)


def a_shared_key(text: bytes, kid: str) -> OctKey:
    """A key of the kind that signs and verifies."""
    return OctKey.import_key(text, {"kid": kid})
