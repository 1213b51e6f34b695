"""Links as clients can follow them: a store of our own signs paths, not hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from pixtools.jobs.ports.blobs import Links, SignedUpload


@dataclass(frozen=True, slots=True)
class AbsoluteLinks:
    """The Links port for one client: paths get the base that the client knows."""

    inner: Links
    base: str

    def download(
        self, key: str, filename: str, content_type: str
    ) -> tuple[str, datetime]:
        """A URL that serves an object under a download name, and until when."""
        url, until = self.inner.download(key, filename, content_type)
        return self._absolute(url), until

    def upload(
        self,
        key: str,
        *,
        content_type: str | None,
        bytes: int | None,
        sha256: str | None,
    ) -> SignedUpload:
        """Permission to PUT one object."""
        signed = self.inner.upload(
            key, content_type=content_type, bytes=bytes, sha256=sha256
        )
        return replace(signed, url=self._absolute(signed.url))

    def _absolute(self, url: str) -> str:
        return f"{self.base}{url}" if url.startswith("/") else url
