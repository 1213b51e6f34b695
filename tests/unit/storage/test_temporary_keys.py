"""Keys that a role lends for a while: what they have signed dies with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_links import S3Links
from pixtools.testing.clock import HandClock

SOON = timedelta(minutes=5)
"""So little is left that the next who asks gets others (botocore: 10 minutes)."""
HOUR = timedelta(hours=1)


class Role(ThreadingHTTPServer):
    """Lends keys as a container's host does: each time others, for as long as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Lender)
        self.lives = SOON
        self.away = False
        self.lent = 0

    def keys(self) -> dict[str, str]:
        self.lent += 1
        end = datetime.now(UTC) + self.lives
        return {
            "AccessKeyId": f"lent{self.lent}",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


class _Lender(BaseHTTPRequestHandler):
    server: Role

    def do_GET(self) -> None:
        body = b"" if self.server.away else json.dumps(self.server.keys()).encode()
        self.send_response(500 if self.server.away else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:
        """Keep still."""


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    with Role() as role:
        address = f"http://127.0.0.1:{role.server_port}/"
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
        thread = Thread(target=role.serve_forever)
        thread.start()
        yield role
        role.shutdown()
        thread.join()


@pytest.fixture
def download() -> Callable[[], tuple[str, datetime]]:
    """Asks for the same link again."""
    links = S3Links(ObjectsConfig(bucket="pictures"), HandClock(datetime.now(UTC)))
    return lambda: links.download("processed/a/small.webp", "s.webp", "image/webp")


def signed(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


def test_a_link_is_told_to_end_with_the_keys_that_signed_it(
    role: Role, download: Callable[[], tuple[str, datetime]]
) -> None:
    """Not a day later: the store refuses it from then on."""
    role.lives = HOUR
    url, until = download()
    assert until <= datetime.now(UTC) + HOUR
    begins = datetime.fromisoformat(signed(url, "X-Amz-Date"))
    assert until == begins + timedelta(seconds=int(signed(url, "X-Amz-Expires")))
    assert until > datetime.now(UTC) + HOUR / 2


def test_no_link_is_given_out_whose_keys_were_replaced(
    role: Role, download: Callable[[], tuple[str, datetime]]
) -> None:
    """Though it could have been kept for an hour and a half."""
    first, _ = download()
    role.lives = HOUR
    second, _ = download()
    lent = f"lent{role.lent}/"
    assert not signed(first, "X-Amz-Credential").startswith(lent)
    assert signed(second, "X-Amz-Credential").startswith(lent)
    assert download() == (second, download()[1])


@pytest.mark.parametrize("before", [0, 1], ids=["from the start", "later"])
def test_keys_that_can_not_be_had_are_a_store_that_is_away(
    role: Role, download: Callable[[], tuple[str, datetime]], before: int
) -> None:
    """A sentence that says what to look at, no fault of ours."""
    role.lives = -HOUR if before else HOUR
    role.away = not before
    with pytest.raises(StorageUnavailable, match="role"):
        download()
