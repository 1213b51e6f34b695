"""The keys that an issuer signs tokens with, asked for and kept for a while."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet

from pixtools.domain.errors import IssuerUnavailable
from pixtools.identity.config import OidcConfig, is_trustworthy

MOST_BYTES: Final = 256 * 1024
SIGNING_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
"""Only keys with a public half: a shared one would let its readers sign."""

LOG: Final = logging.getLogger(__name__)
Fetch = Callable[[str], Mapping[str, Any]]
"""Asks an address for a JSON object; raises IssuerUnavailable."""


class Issuer:
    """One issuer, found by OpenID Connect Discovery 1.0."""

    def __init__(
        self,
        config: OidcConfig,
        fetch: Fetch | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._fetch = fetch or (lambda url: fetched(url, config.timeout))
        self._now = now
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(1 + config.waiting)
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def keys(self, kid: str | None) -> KeySet:
        """Its keys, new enough to have `kid` among them; raises IssuerUnavailable.

        An unknown `kid` is how a new key announces itself, and how a stranger would
        have us ask without end: so there is a pause between two questions.
        """
        if not self._satisfies(kid):
            self._renew(kid)
        found = self._keys
        if found is None or self._age() > self._config.stale:
            raise IssuerUnavailable
        return found

    def _renew(self, kid: str | None) -> None:
        """Ask, or wait for who asks; nobody waits for what will do as it is.

        Raises IssuerUnavailable for who would be one too many: an issuer that hangs
        would have every thread wait, also those of callers who have other keys.
        """
        if self._will_do(kid):
            if self._turn.acquire(blocking=False):
                try:
                    self._ask_for(kid)
                finally:
                    self._turn.release()
            return
        if not self._room.acquire(blocking=False):
            raise IssuerUnavailable
        try:
            with self._turn:
                self._ask_for(kid)
        finally:
            self._room.release()

    def _ask_for(self, kid: str | None) -> None:
        if not self._satisfies(kid) and self._may_ask():
            self._ask()

    def _satisfies(self, kid: str | None) -> bool:
        return self._holds(kid, self._config.fresh)

    def _will_do(self, kid: str | None) -> bool:
        return self._holds(kid, self._config.stale)

    def _holds(self, kid: str | None, lasts: float) -> bool:
        known = self._keys
        if known is None or self._age() > lasts:
            return False
        return kid is None or any(key.kid == kid for key in known)

    def _may_ask(self) -> bool:
        return self._now() - self._tried_at >= self._config.rest

    def _age(self) -> float:
        return self._now() - self._fetched_at

    def _ask(self) -> None:
        try:
            self._keys = self._found()
            self._fetched_at = self._now()
        except IssuerUnavailable as error:
            LOG.warning("The keys of OIDC_ISSUER can't be had: %s", error.detail)
        finally:
            # Now, not before: whoever has waited so long asks no second time.
            self._tried_at = self._now()

    def _found(self) -> KeySet:
        issuer = self._config.issuer
        told = self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != issuer:
            raise IssuerUnavailable("It says of itself that it is another issuer.")
        address = told.get("jwks_uri")
        if not isinstance(address, str) or not is_trustworthy(address):
            raise IssuerUnavailable("It names no https:// address of its keys.")
        keys = _imported(self._fetch(address))
        if not keys:
            raise IssuerUnavailable("It has no key that can sign.")
        return KeySet(keys)


def fetched(url: str, timeout: float) -> Mapping[str, Any]:
    """Ask an address for a JSON object, for so many seconds.

    Raises IssuerUnavailable.
    """
    end = time.monotonic() + timeout
    try:
        with httpx2.stream("GET", url, timeout=timeout, follow_redirects=False) as got:
            got.raise_for_status()
            body = bytearray()
            for chunk in got.iter_bytes():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise IssuerUnavailable("Its answer is too long.")
                if time.monotonic() > end:
                    raise IssuerUnavailable("Its answer takes too long.")
        document = json.loads(body)
    except (httpx2.HTTPError, ValueError) as error:
        raise IssuerUnavailable(str(error) or type(error).__name__) from None
    if not isinstance(document, dict):
        raise IssuerUnavailable("Its answer is no JSON object.")
    return document


def _imported(document: Mapping[str, Any]) -> list[Key]:
    listed = document.get("keys")
    found = []
    for data in listed if isinstance(listed, list) else ():
        if not isinstance(data, dict) or data.get("kty") not in SIGNING_TYPES:
            continue
        if data.get("use", "sig") != "sig":
            continue
        try:
            found.append(JWKRegistry.import_key(data))
        except (JoseError, ValueError) as error:
            LOG.warning("A key of OIDC_ISSUER is not usable: %s", type(error).__name__)
    return found
