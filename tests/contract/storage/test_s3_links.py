"""Links to a bucket keep the promises of the Links port, and the server enforces them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import httpx2
import pytest

from pixtools.jobs.ports.blobs import Blobs, SignedUpload
from pixtools.storage.config import ObjectsConfig, UploadChecks
from pixtools.storage.object_links import S3Links, open_links
from pixtools.storage.objects import ObjectBlobs, open_objects
from pixtools.storage.upload_checks import find_out
from pixtools.testing.clock import HandClock
from pixtools.testing.http_answer import HttpAnswer, Perform
from pixtools.testing.port_suites.blobs import KEY, LONG, get, put
from pixtools.testing.port_suites.links import PHOTO, LinksSuite, announced

BRIEF = timedelta(seconds=1)


@pytest.fixture(scope="module")
def checks(bucket: ObjectsConfig) -> UploadChecks:
    """What this server enforces, tried once."""
    return find_out(bucket)


@pytest.fixture
def blobs(bucket: ObjectsConfig) -> Iterator[ObjectBlobs]:
    blobs = open_objects(bucket)
    yield blobs
    for prefix in ("raw/", "processed/"):
        blobs.delete(prefix)


@pytest.fixture
def config(
    request: pytest.FixtureRequest, bucket: ObjectsConfig, checks: UploadChecks
) -> ObjectsConfig:
    """Links live for a second where a test lets them lapse."""
    known = replace(bucket, upload_checks=checks)
    if "let_expire" not in request.fixturenames:
        return known
    return replace(known, download_expiry=BRIEF, upload_expiry=BRIEF)


@pytest.fixture
def links(config: ObjectsConfig) -> S3Links:
    return S3Links(config, HandClock())


@pytest.fixture
def let_expire() -> Callable[[], None]:
    """The server's clock is its own: only time itself moves it."""
    return lambda: time.sleep(2 * BRIEF.total_seconds() + 0.1)


@pytest.fixture
def perform() -> Iterator[Perform]:
    with httpx2.Client(timeout=30, trust_env=False) as http:

        def send(
            method: str, url: str, headers: object, body: bytes = b""
        ) -> HttpAnswer:
            answer = http.request(method, url, headers=dict(headers), content=body)  # type: ignore[call-overload]  # a mapping
            return HttpAnswer(answer.status_code, dict(answer.headers), answer.content)

        yield send


class TestS3Links(LinksSuite):
    """Links that the object store honours."""


def test_the_hash_of_an_upload_is_compared_and_kept(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """So that nobody has to read the object again to know it."""
    upload = announced(links)
    assert perform("PUT", upload.url, upload.headers, PHOTO).status == 200
    blob = blobs.stat(KEY)
    assert blob is not None
    assert blob.sha256 == hashlib.sha256(PHOTO).hexdigest()


def test_no_client_can_claim_a_hash(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """Neither instead of ours, nor where none was announced."""
    lie = {"x-amz-meta-sha256": hashlib.sha256(b"a lie").hexdigest()}
    free = links.upload(KEY, content_type=None, bytes=None, sha256=None)
    for upload in (announced(links), free):
        headers = {**upload.headers, **lie}
        assert perform("PUT", upload.url, headers, PHOTO).status == 403
    assert blobs.stat(KEY) is None
    assert perform("PUT", free.url, free.headers, PHOTO).status == 200
    blob = blobs.stat(KEY)
    assert blob is not None
    assert blob.sha256 is None


def test_an_announced_upload_takes_no_other_object(
    blobs: Blobs, links: S3Links, config: ObjectsConfig, perform: Perform
) -> None:
    """Some stores let a link's holder add headers; none may turn it into a copy."""
    put(blobs, "raw/other/source", b"another tenant's photo")
    upload = announced(links)
    copying = {"x-amz-copy-source": f"/{config.bucket}/raw/other/source"}
    perform("PUT", upload.url, {**upload.headers, **copying}, PHOTO)
    assert blobs.stat(KEY) is None or get(blobs, KEY) == PHOTO


def test_what_is_signed_has_to_be_sent(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """No header may be left out."""
    upload = announced(links)
    for name in upload.headers:
        headers = {n: v for n, v in upload.headers.items() if n != name}
        assert perform("PUT", upload.url, headers, PHOTO).status == 403, name
    assert blobs.stat(KEY) is None


def test_unknown_bytes_come_once(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """Who verified an object will not find another one there."""
    upload = links.upload(KEY, content_type="image/jpeg", bytes=len(PHOTO), sha256=None)
    assert perform("PUT", upload.url, upload.headers, PHOTO).status == 200
    assert perform("PUT", upload.url, upload.headers, PHOTO[::-1]).status == 412
    assert get(blobs, KEY) == PHOTO


def test_a_length_without_a_hash_is_enforced(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """Not one byte more or less."""
    upload = links.upload(KEY, content_type=None, bytes=len(PHOTO), sha256=None)
    for body in (PHOTO + b"!", PHOTO[:-1], b""):
        assert perform("PUT", upload.url, upload.headers, body).status == 403
    assert perform("PUT", upload.url, upload.headers, PHOTO).status == 200


def test_a_link_opens_its_own_method_and_key_only(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """Not to delete, to look, or to touch a neighbour."""
    put(blobs, KEY, b"mine")
    upload = links.upload(KEY, content_type=None, bytes=None, sha256=None)
    url, _ = links.download(KEY, "a.jpg", "image/jpeg")
    assert perform("DELETE", url, {}).status == 403
    assert perform("DELETE", upload.url, upload.headers).status == 403
    elsewhere = upload.url.replace("c0de", "c0df")
    assert perform("PUT", elsewhere, upload.headers, PHOTO).status == 403
    assert get(blobs, KEY) == b"mine"


@pytest.mark.parametrize(
    ("changed", "into"),
    [
        ("image%2Fwebp", "text%2Fhtml"),
        ("attachment", "inline"),
        ("Expires=8", "Expires=9"),
    ],
)
def test_no_word_of_a_link_can_be_changed(
    blobs: Blobs, links: S3Links, perform: Perform, changed: str, into: str
) -> None:
    """Name, type and end are signed too."""
    put(blobs, KEY, LONG)
    url, _ = links.download(KEY, "a.webp", "image/webp")
    assert changed in url
    assert perform("GET", url.replace(changed, into), {}).status == 403


@pytest.mark.parametrize(
    "filename",
    ["Ferien ☀.jpg", "Łódź 写真.webp", 'a"b\\c/d;e%.png', "x" * 200 + ".avif"],
)
def test_a_download_has_its_name_in_any_script(
    blobs: Blobs, links: S3Links, perform: Perform, filename: str
) -> None:
    """As old clients and as new ones read it."""
    put(blobs, KEY, PHOTO)
    url, _ = links.download(KEY, filename, "image/jpeg")
    answer = perform("GET", url, {})
    assert (answer.status, answer.body) == (200, PHOTO)
    told = answer.headers["content-disposition"]
    assert told.startswith('attachment; filename="')
    plain = "".join("_" if c in "/\\" else c for c in filename)
    assert plain in told or quote(plain, safe="!#$&+-.^_`|~") in told


def test_part_of_a_download_can_be_had(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """So that it can be resumed."""
    put(blobs, KEY, LONG)
    url, _ = links.download(KEY, "a.webp", "image/webp")
    answer = perform("GET", url, {"Range": "bytes=5-9"})
    assert (answer.status, answer.body) == (206, LONG[5:10])


def test_a_download_keeps_its_address_for_a_while(config: ObjectsConfig) -> None:
    """Browsers know it again; most of its life is always left."""
    clock = HandClock()
    links = S3Links(replace(config, download_expiry=timedelta(hours=8)), clock)
    names = ("processed/a/1.webp", "a.webp", "image/webp")
    first = links.download(*names)
    clock.advance(timedelta(minutes=50))
    assert links.download(*names) == first
    assert links.download(names[0], "b.webp", names[2]) != first
    signed = links._kept.cache_info().misses
    clock.advance(timedelta(minutes=15))
    links.download(*names)
    assert links._kept.cache_info().misses == signed + 1


def test_a_public_host_is_signed_for(
    blobs: Blobs, config: ObjectsConfig, perform: Perform
) -> None:
    """Clients reach the store under another name than we do."""
    public = config.endpoint.replace("127.0.0.1", "localhost")
    assert public != config.endpoint
    links = S3Links(replace(config, public_endpoint=public), HandClock())
    upload = announced(links)
    assert upload.url.startswith(public)
    assert perform("PUT", upload.url, upload.headers, PHOTO).status == 200
    url, _ = links.download(KEY, "a.jpg", "image/jpeg")
    assert url.startswith(public)
    assert perform("GET", url, {}).body == PHOTO
    assert perform("GET", url.replace("localhost", "127.0.0.1"), {}).status == 403


def test_outputs_of_a_public_bucket_have_plain_addresses(
    config: ObjectsConfig,
) -> None:
    """Sources and archives don't: the policy is for outputs."""
    base = "https://images.example.org/derivatives"
    links = S3Links(replace(config, public_base_url=base), HandClock())
    url, _ = links.download("processed/a/ä 1.webp", "a.webp", "image/webp")
    assert url == f"{base}/processed/a/%C3%A4%201.webp"
    for key in ("raw/a/source", "archives/a/bundle.zip"):
        assert "X-Amz-Signature" in links.download(key, "a", "image/jpeg")[0]


def test_links_find_out_by_themselves_what_is_enforced(
    bucket: ObjectsConfig, blobs: Blobs, checks: UploadChecks
) -> None:
    """Of a store that is not AWS; the trial leaves nothing."""
    links = open_links(bucket, HandClock())
    assert isinstance(links, S3Links)
    assert links.checks == checks
    assert checks.sha256
    assert checks.once
    assert blobs.delete("raw/") == 0


def test_an_upload_is_refused_or_whole(
    blobs: Blobs, links: S3Links, perform: Perform
) -> None:
    """Of many at once, under one link, with right and wrong bytes."""
    upload: SignedUpload = announced(links)
    for body in (PHOTO[:-1] + b"?", PHOTO, PHOTO[:-1] + b"!"):
        perform("PUT", upload.url, upload.headers, body)
    assert get(blobs, KEY) == PHOTO
