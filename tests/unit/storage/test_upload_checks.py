"""What a store enforces of uploads is found out, and only that is signed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.unit.storage.sigv4 import signature

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import AWS_CHECKS, ObjectsConfig, UploadChecks
from pixtools.storage.object_links import S3Links
from pixtools.storage.presign import Presigner
from pixtools.storage.upload_checks import Trial, sha256_header
from pixtools.testing.clock import HandClock

CHECKSUM: Final = "x-amz-checksum-sha256"
CONTENT: Final = "x-amz-content-sha256"
CONFIG = ObjectsConfig(
    bucket="pictures",
    endpoint="http://127.0.0.1:9",
    access_key="AKIDEXAMPLE",
    secret_key="secret",
)
DIGEST = hashlib.sha256(b"photo").hexdigest()


class FakeStore:
    """Takes presigned requests as one of the kinds of S3 servers that there are."""

    def __init__(
        self,
        *,
        compares: str = "",
        signs_payload: bool = True,
        once: bool = True,
        knows_once: bool = True,
    ) -> None:
        self.compares = compares
        self.signs_payload = signs_payload
        self.once = once
        self.knows_once = knows_once
        self.objects: dict[str, bytes] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> int:
        told = {name.lower(): value for name, value in headers.items()}
        told["content-length"] = str(len(body))
        if not self._is_signed(method, url, told):
            return 403
        path = urlsplit(url).path
        if method == "DELETE":
            self.objects.pop(path, None)
            return 204
        if told.get("if-none-match"):
            if not self.knows_once:
                return 501
            if self.once and path in self.objects:
                return 412
        if not self._is_right(told, body):
            return 400
        self.objects[path] = body
        return 200

    def _is_signed(self, method: str, url: str, told: dict[str, str]) -> bool:
        payload = told.get(CONTENT, "") if self.signs_payload else ""
        right = signature(method, url, told, "secret", payload or "UNSIGNED-PAYLOAD")
        return parse_qs(urlsplit(url).query)["X-Amz-Signature"] == [right]

    def _is_right(self, told: dict[str, str], body: bytes) -> bool:
        digest = hashlib.sha256(body)
        rights = {CHECKSUM: base64.b64encode(digest.digest()).decode()}
        rights[CONTENT] = digest.hexdigest()
        name = self.compares
        return name not in told or told[name] == rights[name]


def found(store: FakeStore) -> UploadChecks:
    with Trial(Presigner(CONFIG, CONFIG.endpoint), store.send) as trial:
        return trial.checks()


@pytest.mark.parametrize(
    ("store", "checks"),
    [
        pytest.param(
            FakeStore(compares=CHECKSUM), AWS_CHECKS, id="compares the checksum, as AWS"
        ),
        pytest.param(
            FakeStore(compares=CONTENT),
            UploadChecks(sha256=CONTENT, once=True),
            id="compares the signed payload, as Ceph",
        ),
        pytest.param(
            FakeStore(compares=CONTENT, signs_payload=False),
            UploadChecks(sha256="", once=True),
            id="never takes the payload into the signature",
        ),
        pytest.param(
            FakeStore(), UploadChecks(sha256="", once=True), id="compares nothing"
        ),
        pytest.param(
            FakeStore(compares=CHECKSUM, once=False),
            UploadChecks(sha256=CHECKSUM, once=False),
            id="overwrites all the same",
        ),
        pytest.param(
            FakeStore(compares=CHECKSUM, knows_once=False),
            UploadChecks(sha256=CHECKSUM, once=False),
            id="does not know If-None-Match",
        ),
    ],
)
def test_each_kind_of_store_is_told_apart(
    store: FakeStore, checks: UploadChecks
) -> None:
    """And nothing of the trial stays behind."""
    assert found(store) == checks
    assert store.objects == {}


def test_a_store_that_refuses_everything_is_not_taken_for_a_lax_one() -> None:
    """Wrong credentials look like checks that always bite."""
    config = replace(CONFIG, secret_key="another")
    store = FakeStore(compares=CHECKSUM)
    with (
        pytest.raises(StorageUnavailable, match="credentials"),
        Trial(Presigner(config, config.endpoint), store.send) as trial,
    ):
        trial.checks()


def test_a_store_that_stumbles_is_asked_again_later() -> None:
    """A 503 says nothing about what it enforces."""

    def stumble(*_: object) -> int:
        return 503

    with (
        pytest.raises(StorageUnavailable, match="503"),
        Trial(Presigner(CONFIG, CONFIG.endpoint), stumble) as trial,
    ):
        trial.checks()


@pytest.mark.parametrize("status", [408, 425, 429, 503])
@pytest.mark.parametrize("number", range(7))
def test_a_store_that_has_too_much_to_do_is_not_believed(
    number: int, status: int
) -> None:
    """Put off, it looks as if it compared, or as if it did not: for all time."""
    store, asked = FakeStore(compares=CONTENT), count()

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes) -> int:
        is_put_off = method == "PUT" and next(asked) == number
        return status if is_put_off else store.send(method, url, headers, body)

    with (
        pytest.raises(StorageUnavailable, match=str(status)),
        Trial(Presigner(CONFIG, CONFIG.endpoint), send) as trial,
    ):
        trial.checks()


def test_a_hash_is_written_as_its_header_wants_it() -> None:
    """In base64 where AWS compares, in hexadecimal in the signature."""
    assert sha256_header(CONTENT, DIGEST) == {CONTENT: DIGEST}
    value = sha256_header(CHECKSUM, DIGEST)[CHECKSUM]
    assert base64.b64decode(value).hex() == DIGEST


@pytest.mark.parametrize(
    ("checks", "announced", "headers"),
    [
        pytest.param(
            AWS_CHECKS,
            DIGEST.upper(),
            {**sha256_header(CHECKSUM, DIGEST), "x-amz-meta-sha256": DIGEST},
            id="compared: may be repeated, and is stored as known",
        ),
        pytest.param(
            AWS_CHECKS,
            None,
            {"If-None-Match": "*", "x-amz-meta-sha256": "unverified"},
            id="not announced: once, and unknown",
        ),
        pytest.param(
            UploadChecks(sha256="", once=True),
            DIGEST,
            {"If-None-Match": "*", "x-amz-meta-sha256": "unverified"},
            id="not compared: once, and unknown",
        ),
        pytest.param(
            UploadChecks(sha256="", once=False),
            DIGEST,
            {"x-amz-meta-sha256": "unverified"},
            id="nothing enforced: unknown",
        ),
    ],
)
def test_an_upload_is_bound_by_what_the_store_enforces(
    checks: UploadChecks, announced: str | None, headers: dict[str, str]
) -> None:
    """A hash is stored as known only where it was compared."""
    links = S3Links(replace(CONFIG, upload_checks=checks), HandClock())
    upload = links.upload(
        "raw/a/source", content_type="image/png", bytes=5, sha256=announced
    )
    assert upload.headers == {**headers, "Content-Type": "image/png"}
    names = {"content-length", "host", *(name.lower() for name in upload.headers)}
    signed = parse_qs(urlsplit(upload.url).query)["X-Amz-SignedHeaders"][0]
    assert set(signed.split(";")) == names


def test_aws_needs_no_trial() -> None:
    """What it enforces is documented."""
    assert S3Links(replace(CONFIG, endpoint=""), HandClock()).checks == AWS_CHECKS
