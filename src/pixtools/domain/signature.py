"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
TOLERANCE: Final = 300
"""Seconds that a receiver lets the sender's clock be off."""

VALID: Final = "valid"


def secret_of(randomness: bytes) -> str:
    """Random bytes (24 to 64) as a secret is written."""
    return f"{PREFIX}{b64encode(randomness).decode()}"


def is_secret(text: str) -> bool:
    """Whether this is a secret as the specification wants it."""
    try:
        return 24 <= len(_key(text)) <= 64
    except ValueError:
        return False


def signed_headers(
    webhook_id: str, now: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """The three headers; one signature for each secret, the newest first.

    `now` is the time of this attempt and must be aware.
    """
    stamp = str(int(now.timestamp()))
    signatures = (_signature(secret, webhook_id, stamp, body) for secret in secrets)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signatures),
    }


def verdict(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str:
    """`valid`, or why a receiver that knows `secret` refuses this.

    `headers` by their names in lower case.
    """
    missing = [
        name
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
        if not headers.get(name)
    ]
    if missing:
        return f"missing header {missing[0]}"
    stamp = headers["webhook-timestamp"]
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13):
        return "webhook-timestamp is no number of seconds"
    wanted = _signature(secret, headers["webhook-id"], stamp, body).encode()
    given = headers["webhook-signature"].encode("utf-8", "replace").split()
    # Every one is compared, so that time tells nothing.
    if not sum(hmac.compare_digest(wanted, each) for each in given):
        return "no signature matches"
    if abs(now.timestamp() - int(stamp)) > TOLERANCE:
        return "webhook-timestamp is more than five minutes off"
    return VALID


def _signature(secret: str, webhook_id: str, stamp: str, body: bytes) -> str:
    content = b".".join((webhook_id.encode(), stamp.encode(), body))
    digest = hmac.digest(_key(secret), content, hashlib.sha256)
    return f"v1,{b64encode(digest).decode()}"


def _key(secret: str) -> bytes:
    """The bytes of a secret; ValueError if it is none."""
    try:
        return b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as fault:
        raise ValueError("Expected whsec_ and base64.") from fault
