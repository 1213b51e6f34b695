"""Finding out what a store enforces of presigned uploads, by trying.

Stores differ. AWS compares `x-amz-checksum-sha256` with the bytes. Others ignore it,
but take `x-amz-content-sha256` into the signature and compare that one; again others
do neither. A header that a store does not know may also break every upload, so what
is signed for clients is only what was seen to work.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final, Self

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig, UploadChecks
from pixtools.storage.presign import Presigner

Send = Callable[[str, str, Mapping[str, str], bytes], int]
"""Method, URL, headers and body in; status out."""

_RIGHT: Final = b"the bytes that were announced"
_WRONG: Final = b"other bytes, as many of them!"
_EXPIRY: Final = timedelta(minutes=5)
_ONCE: Final = {"If-None-Match": "*"}
_AWAY: Final = {408, 425, 429, 500, 502, 503, 504}
"""Of these nothing is learnt. 501 is an answer: this header is not known here."""


def sha256_header(name: str, sha256: str) -> dict[str, str]:
    """A SHA-256, given in hexadecimal, as the header of this name writes it."""
    if name == "x-amz-checksum-sha256":
        return {name: base64.b64encode(bytes.fromhex(sha256)).decode()}
    return {name: sha256}


def find_out(config: ObjectsConfig) -> UploadChecks:
    """Try it on a few small objects below `raw/`, which are deleted again.

    Raises StorageUnavailable if plain uploads don't work either.
    """
    with Trial(Presigner(config, config.endpoint), _sender(config)) as trial:
        return trial.checks()


class Trial:
    """Uploads for trial, of which nothing stays (`with`)."""

    def __init__(self, presigner: Presigner, send: Send) -> None:
        self._presigner = presigner
        self._send = send
        self._folder = f"raw/trial-{secrets.token_hex(8)}"
        self._written: set[str] = set()

    def checks(self) -> UploadChecks:
        """Raises StorageUnavailable."""
        if not self._takes("plain", {}, _RIGHT):
            raise StorageUnavailable(
                "The object store refused a presigned upload: look at the "
                "credentials, the bucket's policy and this machine's clock."
            )
        digest = hashlib.sha256(_RIGHT).hexdigest()
        if self._compares(sha256_header("x-amz-checksum-sha256", digest)):
            return UploadChecks(sha256="x-amz-checksum-sha256", once=self._once())
        if self._compares(sha256_header("x-amz-content-sha256", digest)):
            return UploadChecks(sha256="x-amz-content-sha256", once=self._once())
        return UploadChecks(sha256="", once=self._once())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        for key in self._written:
            url, _ = self._presigner.url("DELETE", key, _EXPIRY)
            with suppress(StorageUnavailable):  # then the lifecycle rules will
                self._send("DELETE", url, {}, b"")

    def _compares(self, header: Mapping[str, str]) -> bool:
        name = "".join(header)
        wrong, right = (self._takes(name, header, body) for body in (_WRONG, _RIGHT))
        return right and not wrong

    def _once(self) -> bool:
        first, second = (self._takes("once", _ONCE, _RIGHT) for _ in range(2))
        return first and not second

    def _takes(self, name: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether an upload is accepted with these headers signed and sent."""
        key = f"{self._folder}/{name}"
        signed = {**headers, "Content-Length": str(len(body))}
        url, _ = self._presigner.url("PUT", key, _EXPIRY, headers=signed)
        status = self._send("PUT", url, headers, body)
        if status in _AWAY:
            raise StorageUnavailable(
                f"The object store answered {status} while links were tried."
            )
        if status == 200:
            self._written.add(key)
        return status == 200


def _sender(config: ObjectsConfig) -> Send:
    """One request, through what botocore talks HTTP with."""
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import HTTPClientError
    from botocore.httpsession import URLLib3Session

    session = URLLib3Session(timeout=config.request_timeout.total_seconds())

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> int:
        request = AWSRequest(method, url, dict(headers), body)
        try:
            status: int = session.send(request.prepare()).status_code
        except HTTPClientError as fault:
            raise StorageUnavailable(
                "The object store did not answer while links were tried."
            ) from fault
        return status

    return send
