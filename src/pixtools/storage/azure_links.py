"""Addresses at Azure, as far as obstore signs them.

They expire, and serve or take one object. What obstore can't sign is neither promised
nor enforced: a download has the object's own name and type, and an upload may be of
any size, type and content until it is verified when its job starts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import obstore
from obstore.store import AzureStore

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.jobs.ports.blobs import SignedUpload
from pixtools.jobs.ports.work import Clock
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.keys import names
from pixtools.storage.object_faults import store_faults
from pixtools.storage.object_store import open_store

_NEEDED = {"x-ms-blob-type": "BlockBlob"}


class AzureLinks:
    """The Links port, with the limits above."""

    def __init__(self, config: ObjectsConfig, clock: Clock) -> None:
        """Raises ConfigurationInvalid."""
        store = open_store(config)
        if not isinstance(store, AzureStore):
            raise ConfigurationInvalid(f"{config.kind}:// has other links.")
        self._store = store
        self._config = config
        self._clock = clock

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object, and until when."""
        del filename, content_type
        return self._signed("GET", key, self._config.download_expiry)

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object, of any content."""
        del bytes, sha256
        url, expires_at = self._signed("PUT", key, self._config.upload_expiry)
        headers = dict(_NEEDED)
        if content_type:
            headers["Content-Type"] = content_type
        return SignedUpload(url=url, headers=headers, expires_at=expires_at)

    def _signed(
        self, method: Literal["GET", "PUT"], key: str, expiry: timedelta
    ) -> tuple[str, datetime]:
        names(key)
        expires_at = self._clock.now().replace(microsecond=0) + expiry
        with store_faults("signing a link"):
            return obstore.sign(self._store, method, key, expiry), expires_at
