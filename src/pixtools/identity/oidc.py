"""Bearer tokens of an OpenID Connect issuer."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError

from pixtools.domain.errors import CredentialsInvalid
from pixtools.domain.identity import Identity, is_tenant
from pixtools.identity.config import OidcConfig
from pixtools.identity.issuer import Issuer

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
)  # fmt: skip
"""Signatures with two keys; none with a shared one, and never `none`."""

MOST_CHARACTERS: Final = 16 * 1024


class OidcTokens:
    """Tokens that one issuer made for us."""

    def __init__(
        self,
        config: OidcConfig,
        issuer: Issuer | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._issuer = issuer or Issuer(config)
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=config.leeway,
            iss={"essential": True, "value": config.issuer},
            aud={"essential": True, "value": config.audience},
            exp={"essential": True},
            sub={"essential": not config.tenant_claim},
        )

    def identify(self, token: str) -> Identity:
        """Whose token it is; raises CredentialsInvalid, IssuerUnavailable."""
        if len(token) > MOST_CHARACTERS:
            raise CredentialsInvalid("The token is too long.")
        keys = self._issuer.keys(_kid(token))
        try:
            read = jwt.decode(token, keys, algorithms=ALGORITHMS)
            self._claims.validate(read.claims)
        except ExpiredTokenError:
            raise CredentialsInvalid("The token has expired.") from None
        except InvalidClaimError as error:
            text = f"The token's {error.claim} is not the one that is expected here."
            raise CredentialsInvalid(text) from None
        except (JoseError, ValueError, TypeError):
            raise CredentialsInvalid from None
        return Identity(tenant=self._tenant(read.claims))

    def _tenant(self, claims: dict[str, Any]) -> str:
        """Named by the operator's claim, else one for each subject.

        Subjects may hold anything and tenants are part of names of objects; so it is
        not the subject itself, which could also be the name of another tenant.
        """
        name = self._config.tenant_claim
        if not name:
            subject = str(claims["sub"]).encode()
            return f"oidc-{hashlib.sha256(subject).hexdigest()[:32]}"
        told = claims.get(name)
        if not isinstance(told, str) or not is_tenant(told):
            raise CredentialsInvalid(f"The token's {name} names no tenant.")
        return told


def _kid(token: str) -> str | None:
    """Which key the token says that it was signed with; not yet believed."""
    try:
        head = token.partition(".")[0]
        header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        raise CredentialsInvalid from None
    kid = header.get("kid") if isinstance(header, dict) else None
    return kid if isinstance(kid, str) else None
