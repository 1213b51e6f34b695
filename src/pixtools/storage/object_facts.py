"""What a bucket keeps of an object beside its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pixtools.jobs.ports.blobs import Blob

if TYPE_CHECKING:  # obstore tells these to type checkers only
    from obstore import Attributes, GetResult

SHA256 = "sha256"
"""The metadata's name; over S3 the header `x-amz-meta-sha256`."""

_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")
_UNTOLD = "binary/octet-stream"
"""The content type that S3 gives to objects without one."""


def attributes(content_type: str | None, sha256: str | None = None) -> Attributes:
    """What to store with an object."""
    told: Attributes = {}
    if content_type:
        told["Content-Type"] = content_type
    if sha256:
        told[SHA256] = sha256
    return told


def described(key: str, found: GetResult, *, believed: bool) -> Blob:
    """What a store has answered, in the port's words."""
    content_type = found.attributes.get("Content-Type")
    sha256 = found.attributes.get(SHA256, "") if believed else ""
    return Blob(
        key=key,
        bytes=found.meta["size"],
        etag=plain_etag(found.meta["e_tag"]),
        content_type=None if content_type == _UNTOLD else content_type,
        sha256=sha256 if _HEXADECIMAL.fullmatch(sha256) else None,
    )


def plain_etag(etag: str | None) -> str:
    """Without quotes."""
    return (etag or "").strip('"')
