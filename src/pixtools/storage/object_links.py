"""Addresses at the object store itself: bytes pass by us in both directions."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property, lru_cache
from urllib.parse import quote

from pixtools.jobs.ports.blobs import Links, SignedUpload
from pixtools.jobs.ports.work import Clock
from pixtools.storage.config import AWS_CHECKS, ObjectsConfig, UploadChecks
from pixtools.storage.disposition import attachment
from pixtools.storage.keys import names
from pixtools.storage.object_facts import SHA256
from pixtools.storage.presign import Presigner
from pixtools.storage.upload_checks import find_out, sha256_header

_OUTPUTS = "processed/"
_KEPT = 1024
_WINDOWS = 16
_UNVERIFIED = "unverified"


def open_links(config: ObjectsConfig, clock: Clock) -> Links:
    """The Links port on a bucket; asks nothing yet. Raises ConfigurationInvalid."""
    if config.kind == "s3":
        return S3Links(config, clock)
    from pixtools.storage.azure_links import AzureLinks

    return AzureLinks(config, clock)


def address_of(config: ObjectsConfig, clock: Clock) -> str:
    """Where links to outputs lead, unsigned or signed; asks nobody.

    Raises ConfigurationInvalid, StorageUnavailable.
    """
    if config.kind == "s3":
        public = config.public_endpoint or config.endpoint
        return config.public_base_url or Presigner(config, public).base
    return open_links(config, clock).download(_OUTPUTS + "any", "", "")[0]


class S3Links:
    """Presigned requests to S3 or its kin.

    A download may be asked for again and again while a job is watched. Its link stays
    the same for a sixteenth of its life, or until the keys that signed it are replaced,
    which saves signing it and lets browsers find what they have already.
    """

    def __init__(self, config: ObjectsConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._presigner = Presigner(config, config.public_endpoint or config.endpoint)
        self._kept = lru_cache(_KEPT)(self._downloaded)

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object under a download name, and until when.

        With a public base URL outputs have plain addresses, which say neither name
        nor type and hold as long as the object does.
        """
        names(key)
        life = self._config.download_expiry
        if self._config.public_base_url and key.startswith(_OUTPUTS):
            address = f"{self._config.public_base_url}/{quote(key)}"
            return address, self._clock.now().replace(microsecond=0) + life
        window = self._clock.now().timestamp() * _WINDOWS // life.total_seconds()
        keys = self._presigner.signs_as  # what older ones have signed dies with them
        return self._kept(key, filename, content_type, window, keys)

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object; announced size and hash are enforced.

        Where the hash is, the same bytes may be sent again. Where it is not, because
        none was announced or the store compares none, the link works once.
        """
        names(key)
        headers = self._bound(sha256)
        if content_type:
            headers["Content-Type"] = content_type
        # Every client sends a length by itself, and browsers let nobody else set it.
        length = {} if bytes is None else {"Content-Length": str(bytes)}
        url, expires_at = self._presigner.url(
            "PUT", key, self._config.upload_expiry, headers={**headers, **length}
        )
        return SignedUpload(url=url, headers=headers, expires_at=expires_at)

    @cached_property
    def checks(self) -> UploadChecks:
        """What the store enforces; found out once. Raises StorageUnavailable."""
        if self._config.upload_checks:
            return self._config.upload_checks
        return find_out(self._config) if self._config.endpoint else AWS_CHECKS

    def _bound(self, sha256: str | None) -> dict[str, str]:
        """What the client has to send so that bytes, and their stored hash, are right.

        Not every store refuses metadata that was not signed. So the hash in it is
        always signed: as the one that the store compares, or as unknown.
        """
        told = f"x-amz-meta-{SHA256}"
        if sha256 and self.checks.sha256:
            digest = sha256.lower()
            return {**sha256_header(self.checks.sha256, digest), told: digest}
        once = {"If-None-Match": "*"} if self.checks.once else {}
        return {**once, told: _UNVERIFIED}

    def _downloaded(
        self, key: str, filename: str, content_type: str, _window: float, _keys: str
    ) -> tuple[str, datetime]:
        return self._presigner.url(
            "GET",
            key,
            self._config.download_expiry,
            query={
                "response-content-disposition": attachment(filename),
                "response-content-type": content_type,
            },
        )
