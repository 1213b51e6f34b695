"""A small client of the service: send a photo, wait, fetch the results."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx2

from pixtools.domain.errors import InvalidRequest, PixtoolsError, Unavailable

TERMINAL = frozenset({"succeeded", "partial", "failed", "canceled"})
TRIES = 5
WAIT_SECONDS = 3
"""A person who presses Ctrl-C waits for the question that is open."""
BUSY = frozenset({429, 502, 503, 504})
KEY = "PIXTOOLS_API_KEY"
"""Not an option: what is typed is seen by others on the machine, and kept."""


class Answered(PixtoolsError):
    """The server refused, with its own sentence."""

    code = "refused_by_server"


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to one server; `sleep` is how it waits between tries.

    `key` says who asks. Files are fetched without it: their links are permissions, and
    may lead to a store that has no business with keys.
    """

    server: str
    http: httpx2.Client
    key: str = field(default="", repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep)

    def submit(self, photo: Path, fields: Mapping[str, str]) -> dict[str, Any]:
        """Send a photo; a repeated try never makes a second job."""
        key = str(uuid4())

        def send() -> httpx2.Response:
            with photo.open("rb") as file:
                return self.http.post(
                    urljoin(self.server, "/v1/jobs"),
                    files={"file": (photo.name, file)},
                    data=dict(fields),
                    headers=self._headers() | {"Idempotency-Key": key},
                )

        return self._document(self._tried(send))

    def wait(
        self, job: dict[str, Any], progress: Callable[[float], None]
    ) -> dict[str, Any]:
        """Follow a job until it has ended; the server holds each question open."""
        url = urljoin(self.server, f"/v1/jobs/{job['job_id']}")
        params, headers = {"wait": str(WAIT_SECONDS)}, self._headers()
        question = partial(self.http.get, url, params=params, headers=headers)
        while job["status"] not in TERMINAL:
            progress(float(job["progress"]))
            job = self._document(self._tried(question))
        progress(1.0)
        return job

    def usage(self, first: str | None, last: str | None) -> dict[str, Any]:
        """What one's jobs have cost, by day; days as in 2026-01-31."""
        given = {"from": first, "to": last}
        days = {name: day for name, day in given.items() if day}
        url, headers = urljoin(self.server, "/v1/usage"), self._headers()
        question = partial(self.http.get, url, params=days, headers=headers)
        return self._document(self._tried(question))

    def download(self, url: str, target: Path) -> None:
        """Fetch one result; the file appears whole or not at all."""
        part = target.with_name(f".{target.name}.part")
        try:
            with self.http.stream("GET", urljoin(self.server, url)) as answer:
                if answer.is_error:
                    answer.read()
                    self._document(answer)
                with part.open("wb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
            part.replace(target)
        except httpx2.TransportError as error:
            raise Unavailable(_unreachable(self.server, error)) from None
        finally:
            part.unlink(missing_ok=True)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def _tried(self, send: Callable[[], httpx2.Response]) -> httpx2.Response:
        """Send, and again after a pause while the server is away or busy."""
        for attempt in range(1, TRIES + 1):
            try:
                answer = send()
            except httpx2.TransportError as error:
                if attempt == TRIES:
                    raise Unavailable(_unreachable(self.server, error)) from None
                self.sleep(0.5 * 2**attempt)
                continue
            if answer.status_code not in BUSY or attempt == TRIES:
                return answer
            self.sleep(float(answer.headers.get("Retry-After", 2)))
        raise Unavailable

    def _document(self, answer: httpx2.Response) -> dict[str, Any]:
        try:
            body = answer.json()
        except json.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            raise Answered(f"{self.server} does not answer like PixTools.")
        if answer.is_error:
            raise Answered(_refusal(body, answer.status_code))
        return body


@contextmanager
def connected(server: str) -> Iterator[Client]:
    """A client of the server at an address as a person types it."""
    with _http() as http:
        yield Client(base_url(server), http, key=_key())


def _http() -> httpx2.Client:
    """One that goes through the proxy that the environment names, if it can."""
    try:
        return httpx2.Client(timeout=httpx2.Timeout(60, connect=5))
    except ImportError:
        raise _unusable_proxy("it speaks SOCKS, which takes socksio") from None
    except (ValueError, httpx2.InvalidURL):
        raise _unusable_proxy("its address can't be read") from None


def _unusable_proxy(why: str) -> InvalidRequest:
    """The address itself is not shown: it may hold a password."""
    return InvalidRequest(
        f"The proxy of HTTP_PROXY, HTTPS_PROXY or ALL_PROXY can't be used: {why}. "
        "Mend that variable, or unset it."
    )


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not key.isascii() or not key.isprintable():
        raise InvalidRequest(f"Expected an API key in {KEY} but found something else.")
    return key


def base_url(server: str) -> str:
    """Check a server's address as a person types it."""
    url = server if "://" in server else f"http://{server}"
    if not _can_be_called(url):
        raise InvalidRequest(f"Expected an http(s) URL for --server but got {server}.")
    return url.rstrip("/")


def _can_be_called(url: str) -> bool:
    """Whether our client can read it; a proxy's name and password may stand in it."""
    try:
        place = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    reached = bool(place.host) and (place.port is None or 0 < place.port < 65_536)
    return place.scheme in {"http", "https"} and reached and " " not in url


def _refusal(problem: Mapping[str, Any], status: int) -> str:
    fields = problem.get("errors") or []
    details = [str(each.get("detail")) for each in fields if isinstance(each, dict)]
    return " ".join(details) or str(problem.get("detail", f"HTTP {status}"))


def _unreachable(server: str, error: Exception) -> str:
    return f"{server} can't be reached: {str(error) or type(error).__name__}."
