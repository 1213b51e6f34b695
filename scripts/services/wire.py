"""A few words of each server's own protocol: enough to know who answers.

On the standard library alone, because it runs before anything is installed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import socket
import ssl
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import SplitResult, quote, unquote, urlsplit

from scripts.services.errors import NoAnswer

SECONDS = 3.0
_UNSIGNED = "UNSIGNED-PAYLOAD"


def postgres(url: str) -> None:
    """A server answers a start-up message; whether it lets us in is not asked.

    Raises NoAnswer, also while it is starting up or is full.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/")) or "postgres"
    words = ["user", unquote(parts.username or "postgres"), "database", name]
    body = struct.pack("!i", 3 << 16) + b"".join(w.encode() + b"\0" for w in words)
    with _connected(parts, 5432, secure=False) as line:
        line.sendall(struct.pack("!i", len(body) + 5) + body + b"\0")
        said = line.recv(1024)
    if said[:1] not in {b"R", b"E"}:
        raise NoAnswer("what answers is not PostgreSQL")
    if said[:1] == b"E" and any(code in said for code in (b"C57P0", b"C53300")):
        raise NoAnswer("PostgreSQL is starting, stopping or full")


def redis(url: str) -> None:
    """A server says PONG to the credentials of the URL; raises NoAnswer."""
    parts = urlsplit(url)
    credentials = [unquote(word) for word in (parts.username, parts.password) if word]
    asked = b""
    if credentials:
        asked += b"AUTH " + " ".join(credentials).encode() + b"\r\n"
    with _connected(parts, 6379, secure=parts.scheme == "rediss") as line:
        line.sendall(asked + b"PING\r\n")
        said = b""
        while said.count(b"\r\n") < (2 if credentials else 1):
            chunk = line.recv(1024)
            if not chunk:
                break
            said += chunk
    if not said.endswith(b"+PONG\r\n"):
        raise NoAnswer(f"it says {said[:60].decode(errors='replace').strip()!r}")


def amqp(url: str) -> None:
    """A broker answers with AMQP 0-9-1; whether it lets us in is not asked."""
    parts = urlsplit(url)
    secure = parts.scheme == "amqps"
    with _connected(parts, 5671 if secure else 5672, secure=secure) as line:
        line.sendall(b"AMQP\x00\x00\x09\x01")
        said = line.recv(1024)
    # A method frame on channel 0: connection.start.
    if not said.startswith(b"\x01\x00\x00"):
        raise NoAnswer("what answers does not speak AMQP 0-9-1")


def management(url: str, path: str = "/api/overview") -> None:
    """RabbitMQ's HTTP interface lets the user of the URL in; raises NoAnswer."""
    parts = urlsplit(url)
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    credentials = base64.b64encode(pair.encode()).decode()
    status = _ask(parts, "GET", path, {"Authorization": f"Basic {credentials}"})
    if status != http.client.OK:
        raise NoAnswer(f"its management interface answers {status}")


def s3(
    endpoint: str, key: str, secret: str, region: str, path: str, method: str = "GET"
) -> int:
    """The status of a request without a body, signed by AWS's Signature Version 4."""
    parts = urlsplit(endpoint)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "host": parts.netloc.rpartition("@")[2],
        "x-amz-content-sha256": _UNSIGNED,
        "x-amz-date": moment,
    }
    names = ";".join(headers)
    canonical = "\n".join(
        [
            *(method, quote(path), ""),
            *(f"{name}:{value}" for name, value in headers.items()),
            *("", names, _UNSIGNED),
        ]
    )
    scope = f"{moment[:8]}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signing_key = f"AWS4{secret}".encode()
    for word in scope.split("/"):
        signing_key = hmac.digest(signing_key, word.encode(), "sha256")
    signature = hmac.new(signing_key, to_sign.encode(), "sha256").hexdigest()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return _ask(parts, method, path, headers, seconds=15.0)


def _ask(
    parts: SplitResult,
    method: str,
    path: str,
    headers: dict[str, str],
    seconds: float = SECONDS,
) -> int:
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        line.request(method, path, headers=headers)
        return line.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(_reason(error)) from error
    finally:
        line.close()


@contextlib.contextmanager
def _connected(
    parts: SplitResult, default: int, *, secure: bool
) -> Iterator[socket.socket]:
    place = (parts.hostname or "localhost", parts.port or default)
    try:
        with socket.create_connection(place, SECONDS) as plain:
            if not secure:
                yield plain
                return
            context = ssl.create_default_context()
            with context.wrap_socket(plain, server_hostname=place[0]) as line:
                yield line
    except OSError as error:
        raise NoAnswer(_reason(error)) from error


def _reason(error: Exception) -> str:
    return f"no answer: {error}" if str(error) else f"no answer: {type(error).__name__}"
