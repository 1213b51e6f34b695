"""Links to a directory tree keep the promises of the port, over the API's own door."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from pixtools.api import problems
from pixtools.api.routers.files import files_router
from pixtools.domain.errors import PixtoolsError
from pixtools.storage.config import StorageConfig
from pixtools.storage.files import Files
from pixtools.storage.links import LocalLinks
from pixtools.storage.local import LocalBlobs
from pixtools.storage.secrets_file import SecretsFile
from pixtools.testing.http_answer import HttpAnswer, Perform
from pixtools.testing.port_suites.blobs import KEY, LONG, put
from pixtools.testing.port_suites.links import PHOTO, LinksSuite, announced


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 7, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def config(tmp_path: Path) -> StorageConfig:
    return StorageConfig(directory=tmp_path, max_upload_bytes=2 * len(LONG))


@pytest.fixture
def blobs(config: StorageConfig) -> LocalBlobs:
    return LocalBlobs(config.objects)


@pytest.fixture
def secrets(config: StorageConfig) -> SecretsFile:
    return SecretsFile(config.signing_keys)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def links(config: StorageConfig, secrets: SecretsFile, clock: HandClock) -> LocalLinks:
    return LocalLinks(config, secrets, clock)


@pytest.fixture
def let_expire(clock: HandClock) -> Callable[[], None]:
    def lapse() -> None:
        clock.time += timedelta(days=1)

    return lapse


@pytest.fixture
def client(
    blobs: LocalBlobs, config: StorageConfig, secrets: SecretsFile, clock: HandClock
) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(files_router(Files(blobs, config, secrets, clock)))
    app.add_exception_handler(PixtoolsError, problems.on_domain_error)
    app.add_exception_handler(HTTPException, problems.on_http_exception)
    with TestClient(app) as client:
        yield client


@pytest.fixture
def perform(client: TestClient) -> Perform:
    def send(method: str, url: str, headers: object, body: bytes = b"") -> HttpAnswer:
        answer = client.request(method, url, headers=dict(headers), content=body)  # type: ignore[call-overload]  # a mapping
        return HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

    return send


class TestLocalLinks(LinksSuite):
    """Links that our own API honours."""


def test_the_head_of_a_file_is_the_head_of_its_download(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """HEAD answers as GET does, without the bytes."""
    put(blobs, KEY, LONG)
    url, _ = links.download(KEY, "a.webp", "image/webp")
    head, whole = client.head(url), client.get(url)
    assert dict(head.headers) == dict(whole.headers)
    assert (head.status_code, head.content) == (200, b"")
    assert whole.content == LONG


def test_a_download_is_a_file_and_never_a_page(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """Whatever the bytes are, a browser saves them, and runs nothing of them."""
    put(blobs, KEY, b"<script>alert(1)</script>")
    url, _ = links.download(KEY, "Ferien ☀.jpg", "image/jpeg")
    headers = client.get(url).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cache-control"].startswith("private")
    assert headers["content-disposition"] == (
        "attachment; filename=\"Ferien _.jpg\"; filename*=UTF-8''Ferien%20%E2%98%80.jpg"
    )


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        pytest.param("bytes=0-3", (0, 3), id="the first four"),
        pytest.param("bytes=262140-262150", (262_140, 262_150), id="across chunks"),
        pytest.param("bytes=1048570-", (1_048_570, 1_048_575), id="from there on"),
        pytest.param("bytes=1048570-9999999", (1_048_570, 1_048_575), id="too far"),
        pytest.param("bytes=-5", (1_048_571, 1_048_575), id="the last five"),
        pytest.param("bytes=-9999999", (0, 1_048_575), id="the last of all"),
    ],
)
def test_a_range_is_served(
    blobs: LocalBlobs,
    links: LocalLinks,
    client: TestClient,
    asked: str,
    span: tuple[int, int],
) -> None:
    """The part that was asked for, cut at the end of the file."""
    put(blobs, KEY, LONG)
    url, _ = links.download(KEY, "a.webp", "image/webp")
    answer = client.get(url, headers={"Range": asked})
    first, last = span
    assert (answer.status_code, answer.content) == (206, LONG[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(LONG)}"
    assert answer.headers["content-length"] == str(last + 1 - first)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=0-1", "bytes=-", "bytes=x-y", "0-1"]
)
def test_a_range_that_makes_no_sense_is_ignored(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient, asked: str
) -> None:
    """The whole file is right, if more than was asked for."""
    put(blobs, KEY, LONG)
    url, _ = links.download(KEY, "a.webp", "image/webp")
    answer = client.get(url, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, LONG)


def test_a_range_behind_the_end_is_a_problem(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """It says how long the file is."""
    put(blobs, KEY, b"short")
    url, _ = links.download(KEY, "a.webp", "image/webp")
    answer = client.get(url, headers={"Range": "bytes=5-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */5"
    assert answer.headers["content-type"] == problems.MEDIA_TYPE


def test_what_a_client_has_is_not_sent_again(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """By etag or by date, until the object changes."""
    put(blobs, KEY, b"one")
    url, _ = links.download(KEY, "a.webp", "image/webp")
    first = client.get(url).headers
    known = {"If-None-Match": f'"other", W/{first["etag"]}'}
    dated = {"If-Modified-Since": first["last-modified"]}
    for headers in (known, dated):
        answer = client.get(url, headers=headers)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == first["etag"]
    put(blobs, KEY, b"two")
    assert client.get(url, headers=known).content == b"two"


def test_a_download_is_resumed_only_if_it_is_the_same_file(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """If-Range guards against gluing two versions together."""
    put(blobs, KEY, b"first version")
    url, _ = links.download(KEY, "a.webp", "image/webp")
    etag = client.get(url).headers["etag"]
    ranged = {"Range": "bytes=6-", "If-Range": etag}
    assert client.get(url, headers=ranged).content == b"version"
    put(blobs, KEY, b"other version")
    answer = client.get(url, headers=ranged)
    assert (answer.status_code, answer.content) == (200, b"other version")


def test_an_upload_says_its_length(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """A body without an announced end is refused before it is read."""
    upload = announced(links)
    answer = client.put(upload.url, content=iter([PHOTO]), headers=upload.headers)
    assert answer.status_code == 411
    assert blobs.stat(KEY) is None


def test_too_large_an_upload_is_refused_by_its_head(
    blobs: LocalBlobs, links: LocalLinks, client: TestClient
) -> None:
    """The limit holds also where no size was announced."""
    upload = links.upload(KEY, content_type=None, bytes=None, sha256=None)
    answer = client.put(upload.url, content=LONG * 3)
    assert answer.status_code == 413
    assert answer.json()["code"] == "upload_too_large"
    assert blobs.stat(KEY) is None


@pytest.mark.parametrize("path", ["/files/raw/a/source", "/files/../x", "/files/%00"])
def test_nothing_opens_without_a_link(client: TestClient, path: str) -> None:
    """Without a token, or with any other, whatever the path."""
    assert client.get(path, params={"token": "x.y"}).status_code in {403, 404}
    assert client.get(path).status_code in {403, 404}


def test_a_refusal_is_a_problem_with_a_code(
    blobs: LocalBlobs,
    links: LocalLinks,
    client: TestClient,
    let_expire: Callable[[], None],
) -> None:
    """Clients can tell forged, lapsed and missing apart."""
    url, _ = links.download(KEY, "a.webp", "image/webp")
    codes = [client.get(url).json()["code"], client.get(url + "x").json()["code"]]
    let_expire()
    codes.append(client.get(url).json()["code"])
    assert codes == ["not_found", "link_invalid", "link_expired"]
