"""Clients that cost next to nothing, so that what is measured is the service.

They share its cores: each keeps one connection, sends a body that was made before, and
asks with `?wait=` until the job and its archive are done.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 120
_WAIT_SECONDS = 30
_MOVING = ("pending", "processing")


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body, made once and sent often."""

    body: bytes
    content_type: str


def form(picture: Path, fields: Mapping[str, str]) -> Form:
    """The form that a browser would send: fields first, then the file."""
    boundary = secrets.token_hex(16)
    head = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        f"{value}\r\n"
        for name, value in fields.items()
    )
    head += (
        f"--{boundary}\r\nContent-Disposition: form-data; "
        f'name="file"; filename="{picture.name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    tail = f"\r\n--{boundary}--\r\n"
    body = head.encode() + picture.read_bytes() + tail.encode()
    return Form(body, f"multipart/form-data; boundary={boundary}")


def drive(url: str, sent: Form, jobs: int, clients: int) -> None:
    """Have this many jobs done by this many clients; raises if one goes wrong."""
    with ThreadPoolExecutor(clients) as pool:
        shares = [jobs // clients + (n < jobs % clients) for n in range(clients)]
        for end in [pool.submit(_client, url, sent, share) for share in shares]:
            end.result()


def _client(url: str, sent: Form, jobs: int) -> None:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_SECONDS)
    try:
        for _ in range(jobs):
            _one(connection, sent)
    finally:
        connection.close()


def _one(connection: HTTPConnection, sent: Form) -> None:
    headers = {"Content-Type": sent.content_type}
    told = _asked(connection, "POST", "/v1/jobs", 202, sent.body, headers)
    address = f"/v1/jobs/{told['job_id']}?wait={_WAIT_SECONDS}"
    while told["finished_at"] is None or _is_moving(told["archive"]):
        told = _asked(connection, "GET", address, 200)
    if told["status"] != "succeeded":
        raise RuntimeError(f"Expected succeeded but the job is {told['status']}.")


def _is_moving(archive: Mapping[str, Any] | None) -> bool:
    return archive is not None and archive["status"] in _MOVING


def _asked(
    connection: HTTPConnection,
    method: str,
    address: str,
    status: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    connection.request(method, address, body, dict(headers or {}))
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != status:
        raise RuntimeError(f"{method} {address}: {answer.status} {said[:500]!r}")
    told: dict[str, Any] = json.loads(said)
    return told


Driver = Callable[[int], None]
"""Has this many jobs done."""
