"""HTTP to strangers: through the guard, in a limited time, of a limited size.

Nothing of the environment leads these calls elsewhere (no proxies, no .netrc), bodies
are taken as they are (nothing is unpacked), and no line is used twice.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import httpcore2

from pixtools.domain.errors import SourceRefused, SourceUnreachable, UploadTooLarge
from pixtools.net.deadline import Deadline
from pixtools.net.destination import Destination, onward
from pixtools.net.errors import Refused, Unreachable
from pixtools.net.guard import Guard
from pixtools.net.line import Dialler
from pixtools.net.naming import filename_of

MOST_REDIRECTS: Final = 5
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
TRY_AGAIN: Final = frozenset({408, 425, 429})
MOST_HEADERS: Final = 256 * 1024
"""What may come beside a body: its headers, and those of a hundred interim answers."""
PHOTOS: Final = ("image/", "application/octet-stream", "binary/octet-stream")
MEDIA_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,40}")
GETTING: Final = {
    "Accept": "image/*, application/octet-stream;q=0.5",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; `headers` by their names in lower case, `body` its start.

    `ms` is how long all of it took.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched, and what its server called it."""

    content_type: str | None
    filename: str | None
    bytes: int
    sha256: str


class Client:
    """Calls strangers; safe to share between threads."""

    def __init__(self, guard: Guard, context: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._context = context or httpcore2.default_ssl_context()

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        keep: int = 2048,
    ) -> Answer:
        """Send a body, and read the status with the first `keep` bytes of the answer.

        Follows no redirect. All of it takes `timeout` seconds at most; an answer whose
        status came in time counts, whatever becomes of its body. Raises Refused and
        Unreachable.
        """
        began = time.monotonic()
        where, deadline = self._guard.destination(url), Deadline(timeout)
        sent = {**headers, "Content-Length": str(len(body))}
        most = keep + MOST_HEADERS
        with self._asked("POST", where, sent, body, deadline, most) as response:
            start = _start(response, keep)
            ms = round((time.monotonic() - began) * 1000)
            return Answer(response.status, _headers(response), start, ms)

    def fetch(
        self,
        url: str,
        take: Callable[[bytes], None],
        *,
        limit: int,
        timeout: float,
        beat: Callable[[], None] | None = None,
    ) -> Fetched:
        """Give what an address serves to `take`, as it comes, `limit` bytes at most.

        Each of at most five redirects is checked like the first address. All of it
        takes `timeout` seconds at most; `beat` is called all the while. Raises
        SourceRefused, SourceUnreachable (worth another try), UploadTooLarge, and what
        `take` and `beat` raise.
        """
        deadline = Deadline(timeout, beat)
        most = 2 * limit + MOST_HEADERS
        with _told_of_a_source():
            where = self._guard.destination(url)
            for _ in range(MOST_REDIRECTS + 1):
                with self._asked("GET", where, GETTING, b"", deadline, most) as found:
                    if found.status not in REDIRECTS:
                        _check_served(found)
                        return _taken(found, where, take, limit)
                    where = self._guard.admitted(onward(where, _location(found)))
        raise SourceRefused(
            f"The address leads on and on, through more than {MOST_REDIRECTS} others."
        )

    @contextmanager
    def _asked(
        self,
        method: str,
        where: Destination,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        most: int,
    ) -> Iterator[httpcore2.Response]:
        dialler = Dialler(self._guard.addresses(where, deadline), deadline, most)
        scheme, host = where.scheme.encode(), where.host.encode()
        url = httpcore2.URL(
            scheme=scheme, host=host, port=where.port, target=where.target.encode()
        )
        ours = {"Host": where.place, "User-Agent": "PixTools", "Connection": "close"}
        told = list({**ours, **headers}.items())
        request = httpcore2.Request(method, url, headers=told, content=body)
        connection = httpcore2.HTTPConnection(
            origin=httpcore2.Origin(scheme, host, where.port),
            ssl_context=self._context,
            network_backend=dialler,
        )
        with closing(connection):
            with _told_of_a_line():
                response = connection.handle_request(request)
            yield response


def _start(response: httpcore2.Response, keep: int) -> bytes:
    start = bytearray()
    try:
        for chunk in _chunks(response):
            start += chunk
            if len(start) >= keep:
                break
    except Unreachable:
        pass  # the status had come
    return bytes(start[:keep])


def _taken(
    response: httpcore2.Response,
    where: Destination,
    take: Callable[[bytes], None],
    limit: int,
) -> Fetched:
    headers = _headers(response)
    announced = headers.get("content-length", "")
    count, digest = 0, hashlib.sha256()
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    for chunk in _chunks(response):
        count += len(chunk)
        if count > limit:
            raise _too_large(limit)
        digest.update(chunk)
        take(chunk)
    return Fetched(
        content_type=headers.get("content-type"),
        filename=filename_of(headers.get("content-disposition"), where.target),
        bytes=count,
        sha256=digest.hexdigest(),
    )


def _check_served(response: httpcore2.Response) -> None:
    status, headers = response.status, _headers(response)
    if status >= 500 or status in TRY_AGAIN:
        raise SourceUnreachable(f"The address of the source answered {status}.")
    if status != 200:
        raise SourceRefused(f"The address of the source answered {status}.")
    kind = headers.get("content-type", PHOTOS[0]).strip().lower()
    if not kind.startswith(PHOTOS):
        named = MEDIA_TYPE.match(kind)
        found = named[0] if named else "something else"
        raise SourceRefused(f"Expected an image at this address but found {found}.")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise SourceRefused("The address serves its image packed once more.")


def _location(response: httpcore2.Response) -> str:
    told = _headers(response).get("location", "")
    return told.encode("latin-1").decode("utf-8", "replace")


def _headers(response: httpcore2.Response) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _chunks(response: httpcore2.Response) -> Iterator[bytes]:
    chunks = response.iter_stream()
    while True:
        with _told_of_a_line():
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def _too_large(limit: int) -> UploadTooLarge:
    return UploadTooLarge(f"Expected a file of at most {limit:,} bytes.")


@contextmanager
def _told_of_a_line() -> Iterator[None]:
    try:
        yield
    except (
        OSError,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.TimeoutException,
    ) as error:
        raise Unreachable from error


@contextmanager
def _told_of_a_source() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise SourceRefused from error
    except Unreachable as error:
        raise SourceUnreachable from error
