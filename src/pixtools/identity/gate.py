"""The gate: who asks, or a refusal."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from pixtools.domain.errors import CredentialsInvalid, DatabaseUnavailable
from pixtools.domain.identity import DEFAULT_TENANT, ApiKey, Identity, is_key_text
from pixtools.identity.config import GateConfig
from pixtools.identity.keyring import Keyring
from pixtools.identity.memory import Recent
from pixtools.identity.seals import Cookie, is_marked, is_same, parsed, signed

LOG: Final = logging.getLogger(__name__)
OF_THE_SETTING: Final = "setting"
"""Stands in cookies for the key of API_KEY, which has no id."""


class Tokens(Protocol):
    """Bearer tokens of an issuer."""

    def identify(self, token: str, /) -> Identity:
        """Whose token it is; raises CredentialsInvalid, IssuerUnavailable."""
        ...


class Gate:
    """Knows callers by API_KEY, by keys of the database, by tokens and by cookies.

    It stands open while there is nothing to know anybody by.
    """

    def __init__(
        self,
        config: GateConfig,
        keyring: Keyring,
        tokens: Tokens | None = None,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._keyring = keyring
        self._tokens = tokens
        self._now = now
        fresh = config.freshness.total_seconds()
        # A cookie is no key, and a key no cookie: what is known of one says nothing
        # of the other.
        self._recent = {cookie: Recent(fresh, now=now) for cookie in (False, True)}
        self._closed = bool(config.api_key or tokens)
        self._looked_at = float("-inf")

    @property
    def closed(self) -> bool | None:
        """Whether callers have to be known; None where `look` has to find out."""
        if self._closed:
            return True
        fresh = self._config.freshness.total_seconds()
        return False if self._now() - self._looked_at < fresh else None

    def look(self) -> bool:
        """Find out whether callers have to be known; once closed it stays so."""
        self._closed = self._closed or self._keyring.is_used()
        self._looked_at = self._now()
        return self._closed

    def recall(self, text: str, *, cookie: bool = False) -> Identity | None:
        """Whose credential this is, if that was found out just now."""
        return self._recent[cookie].fresh(text)

    def trusts(self, text: str) -> bool:
        """Whether this key or token was good some minutes ago."""
        return self._recent[False].trusted(text)

    def identify(self, text: str, *, cookie: bool = False) -> Identity:
        """Whose credential this is; raises CredentialsInvalid, Unavailable."""
        try:
            found = self._by_cookie(text) if cookie else self._by_text(text)
        except CredentialsInvalid:
            self._recent[cookie].forget(text)
            raise
        self._recent[cookie].keep(text, found)
        return found

    def sign_in(self, text: str) -> tuple[Identity, str, int]:
        """Let a browser in with a key: who it is, its cookie, its life in seconds.

        Raises CredentialsInvalid.
        """
        if self._is_setting(text):
            identity, key_id = Identity(tenant=DEFAULT_TENANT), OF_THE_SETTING
        else:
            key = self._key(text)
            identity, key_id = key.identity, key.id
        life = int(self._config.session.total_seconds())
        until = int(self._keyring.clock.now().timestamp()) + life
        cookie = signed(self._secret_for(key_id), Cookie(key_id, until))
        return identity, cookie, life

    def _by_text(self, text: str) -> Identity:
        if self._is_setting(text):
            return Identity(tenant=DEFAULT_TENANT)
        if self._tokens and text.count(".") == 2:
            return self._tokens.identify(text)
        return self._key(text).identity

    def _key(self, text: str) -> ApiKey:
        """A key of the database; what is no key at all is not looked up."""
        key = self._keyring.known(text) if self._holds_keys(text) else None
        if key is None:
            raise CredentialsInvalid
        self._note_use(key)
        return key

    def _holds_keys(self, text: str) -> bool:
        if not is_key_text(text):
            return False
        if not self._keyring.secret:
            LOG.warning("A key was refused, because SECRET_KEY is not set here.")
        return bool(self._keyring.secret)

    def _by_cookie(self, value: str) -> Identity:
        found = parsed(value)
        if found is None:
            raise CredentialsInvalid
        cookie, mark = found
        secret = self._secret_for(cookie.key_id)
        late = cookie.until <= self._keyring.clock.now().timestamp()
        if late or not secret or not is_marked(secret, cookie, mark):
            raise CredentialsInvalid("You are no longer signed in.")
        if cookie.key_id == OF_THE_SETTING:
            return Identity(tenant=DEFAULT_TENANT)
        key = self._keyring.still(cookie.key_id)
        if key is None:
            raise CredentialsInvalid
        self._note_use(key)
        return key.identity

    def _secret_for(self, key_id: str) -> bytes:
        """Cookies of API_KEY end with it, also where no other secret is shared."""
        if key_id == OF_THE_SETTING:
            return self._config.api_key.encode()
        return self._keyring.secret

    def _is_setting(self, text: str) -> bool:
        return bool(self._config.api_key) and is_same(self._config.api_key, text)

    def _note_use(self, key: ApiKey) -> None:
        """A statistic: it must not refuse anybody."""
        with suppress(DatabaseUnavailable):
            self._keyring.note_use(key)
