"""Secrets at rest: encrypted, so that who reads the database can't sign as we do."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from typing import Protocol

from pixtools.domain.errors import ConfigurationInvalid


class Keys(Protocol):
    """Keys of 32 bytes by name: the newest encrypts, all decrypt."""

    def newest(self) -> tuple[str, bytes]:
        """The one that encrypts."""
        ...

    def named(self, name: str) -> bytes | None:
        """One that decrypts, or None."""
        ...


class DerivedKey:
    """One key, made out of a secret of the operator's; named by its hash."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"pixtools: secrets at rest", "sha256")
        self._name = hashlib.sha256(self._key).hexdigest()[:8]

    def newest(self) -> tuple[str, bytes]:
        """The one that encrypts."""
        return self._name, self._key

    def named(self, name: str) -> bytes | None:
        """One that decrypts, or None."""
        return self._key if name == self._name else None


class FernetSealer:
    """Encrypts by Fernet (AES-128-CBC with HMAC-SHA256); names its key beside it."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def seal(self, text: str) -> str:
        """The text, encrypted with the newest key."""
        from cryptography.fernet import Fernet  # megabytes, for those who need it

        name, key = self._keys.newest()
        return (
            f"{name}.{Fernet(urlsafe_b64encode(key)).encrypt(text.encode()).decode()}"
        )

    def unseal(self, sealed: str) -> str:
        """The text again; raises ConfigurationInvalid if no key of ours fits."""
        from cryptography.fernet import Fernet, InvalidToken

        name, _, token = sealed.partition(".")
        key = self._keys.named(name)
        try:
            if key is None:
                raise InvalidToken
            return Fernet(urlsafe_b64encode(key)).decrypt(token).decode()
        except InvalidToken:
            raise ConfigurationInvalid(
                "A secret in the database was encrypted with another key: every API "
                "server and scheduler needs the same SECRET_KEY."
            ) from None
