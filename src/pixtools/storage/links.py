"""Addresses under `/files/` that carry their own permission.

With a public base URL they are absolute. Without one they are path-absolute: only
the API knows under which address a client reached it, and completes them with the
base of each request. Signatures cover no host, so both are the same link.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote

from pixtools.jobs.ports.blobs import SignedUpload
from pixtools.jobs.ports.work import Clock
from pixtools.storage.config import StorageConfig
from pixtools.storage.keys import names
from pixtools.storage.signing import Permission, Secrets, sign


class LocalLinks:
    """The Links port for objects that our own API serves and takes."""

    def __init__(self, config: StorageConfig, secrets: Secrets, clock: Clock) -> None:
        self._config = config
        self._secrets = secrets
        self._clock = clock

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object under a download name, and until when."""
        permission = Permission(
            method="GET",
            key=key,
            expires_at=self._after(self._config.download_expiry),
            filename=filename,
            content_type=content_type,
        )
        return self._url(permission), permission.expires_at

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object; announced size and hash are enforced."""
        permission = Permission(
            method="PUT",
            key=key,
            expires_at=self._after(self._config.upload_expiry),
            content_type=content_type,
            bytes=bytes,
            sha256=sha256.lower() if sha256 else None,
        )
        return SignedUpload(
            url=self._url(permission),
            headers={"Content-Type": content_type} if content_type else {},
            expires_at=permission.expires_at,
        )

    def _after(self, expiry: timedelta) -> datetime:
        return (self._clock.now() + expiry).replace(microsecond=0)

    def _url(self, permission: Permission) -> str:
        path = quote("/".join(names(permission.key)))
        token = sign(permission, self._secrets)
        return f"{self._config.public_base_url}/files/{path}?token={token}"
