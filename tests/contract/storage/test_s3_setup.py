"""A bucket forgets by itself what we did not prune, and keeps what others ruled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.storage.bucket_rules import cors_rules, lifecycle_rules
from pixtools.storage.bucket_setup import Notice, set_up
from pixtools.storage.config import ObjectsConfig
from pixtools.testing.faulty_proxy import Answer, FaultyProxy, Hang, Request
from pixtools.testing.spaces import Bucket, a_name, s3_client

OTHERS = {
    "ID": "invoices",
    "Status": "Enabled",
    "Filter": {"Prefix": "invoices/"},
    "Expiration": {"Days": 3650},
}
OTHER_PAGES = {
    "ID": "shop",
    "AllowedOrigins": ["https://shop.example.org"],
    "AllowedMethods": ["GET"],
}
PAGE = "https://photos.example.org"
DENIED = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
NO_SUCH = b"<Error><Code>NotImplemented</Code><Message>No.</Message></Error>"


@pytest.fixture(scope="module")
def client(s3: Bucket) -> Iterator[Any]:
    client = s3_client(s3)
    yield client
    client.close()


@pytest.fixture
def bucket(bucket: ObjectsConfig, client: Any) -> Iterator[ObjectsConfig]:
    yield bucket
    client.delete_bucket_lifecycle(Bucket=bucket.bucket)
    client.delete_bucket_cors(Bucket=bucket.bucket)


@pytest.fixture
def proxy(bucket: ObjectsConfig) -> Iterator[FaultyProxy]:
    server = urlsplit(bucket.endpoint)
    assert server.hostname
    with FaultyProxy(server.hostname, server.port or 80) as proxy:
        yield proxy


def made(config: ObjectsConfig, days: int = 7, **wishes: Any) -> list[Notice]:
    """What became of the bucket, of lifecycle rules and of rules for our page."""
    return list(
        set_up(
            config,
            lifecycle=lifecycle_rules(days, config.prefix),
            cors=cors_rules([PAGE], config.prefix),
            **wishes,
        )
    )


def rules(client: Any, bucket: ObjectsConfig) -> dict[str, Any]:
    found = client.get_bucket_lifecycle_configuration(Bucket=bucket.bucket)
    return {rule["ID"]: rule for rule in found["Rules"]}


def pages(client: Any, bucket: ObjectsConfig) -> dict[str, Any]:
    found = client.get_bucket_cors(Bucket=bucket.bucket)
    return {rule["ID"]: rule for rule in found["CORSRules"]}


def ruled_by_others(client: Any, bucket: ObjectsConfig) -> None:
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket.bucket, LifecycleConfiguration={"Rules": [OTHERS]}
    )
    client.put_bucket_cors(
        Bucket=bucket.bucket, CORSConfiguration={"CORSRules": [OTHER_PAGES]}
    )


def denying(*words: str, answer: bytes = DENIED) -> Callable[[Request], Answer | None]:
    """Refuse requests whose method and target have all these words."""

    def plan(request: Request) -> Answer | None:
        said = f"{request.method} {request.target}"
        return Answer(403, answer) if all(word in said for word in words) else None

    return plan


def test_rules_are_set_once(
    bucket: ObjectsConfig, client: Any, proxy: FaultyProxy
) -> None:
    """Objects go after the days, leftovers after one; again nothing is written."""
    through = replace(bucket, endpoint=proxy.url)
    assert [(notice.done, notice.sentence) for notice in made(through)] == [
        (True, f"Bucket {bucket.bucket} is there."),
        (True, "Lifecycle rules were set."),
        (True, "CORS rules were set."),
    ]
    found = rules(client, bucket)
    assert {rule["Filter"]["Prefix"] for rule in found.values()} == {
        "raw/", "processed/", "archives/"
    }  # fmt: skip
    for rule in found.values():
        assert rule["Status"] == "Enabled"
        assert rule["Expiration"]["Days"] == 7
        assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    proxy.requests.clear()
    assert ["already" in notice.sentence for notice in made(through)[1:]] == [True] * 2
    assert not [r for r in proxy.requests if r.method not in {"GET", "HEAD"}]


def test_a_page_may_upload_and_another_may_not(
    bucket: ObjectsConfig, client: Any
) -> None:
    """As a browser asks before it sends."""
    made(bucket)

    def asked(origin: str) -> httpx2.Response:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type,if-none-match",
        }
        url = f"{bucket.endpoint}/{bucket.bucket}/raw/a/source"
        with httpx2.Client(trust_env=False) as http:
            return http.options(url, headers=headers)

    allowed = asked(PAGE)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    refused = asked("https://evil.example.org")
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_rules_follow_the_setting(bucket: ObjectsConfig, client: Any) -> None:
    """Another number of days replaces ours."""
    made(bucket, 7)
    assert made(bucket, 30)[1].sentence == "Lifecycle rules were set."
    days = {rule["Expiration"]["Days"] for rule in rules(client, bucket).values()}
    assert days == {30}


def test_rules_of_others_stay(bucket: ObjectsConfig, client: Any) -> None:
    """The bucket may be shared, with another deployment of ours too."""
    ruled_by_others(client, bucket)
    made(bucket)
    made(replace(bucket, prefix="shop/photos"), 30)
    found = rules(client, bucket)
    assert len(found) == 7
    assert found["invoices"]["Expiration"]["Days"] == 3650
    assert found["pixtools-raw"]["Expiration"]["Days"] == 7
    ours = found["pixtools-shop-photos-raw"]
    assert ours["Filter"]["Prefix"] == "shop/photos/raw/"
    assert pages(client, bucket).keys() == {
        "shop", "pixtools-pages", "pixtools-shop-photos-pages"
    }  # fmt: skip


@pytest.mark.parametrize("answer", [DENIED, NO_SUCH], ids=["denied", "unknown"])
def test_rules_that_may_not_be_set_are_shown(
    bucket: ObjectsConfig, client: Any, proxy: FaultyProxy, answer: bytes
) -> None:
    """Whole, with those of others, which the command would replace otherwise."""
    ruled_by_others(client, bucket)
    proxy.plan = denying("PUT", "lifecycle", answer=answer)
    through = replace(bucket, endpoint=proxy.url)
    notice = made(through)[1]
    assert not notice.done
    assert "NOT set" in notice.sentence
    shown = json.loads(notice.document)
    assert [rule["ID"] for rule in shown["Rules"]] == [
        "invoices", "pixtools-raw", "pixtools-processed", "pixtools-archives"
    ]  # fmt: skip
    assert notice.command == (
        "aws s3api put-bucket-lifecycle-configuration --lifecycle-configuration "
        f"file://lifecycle.json --bucket {bucket.bucket} --endpoint-url {proxy.url}"
    )
    assert list(rules(client, bucket)) == ["invoices"]
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket.bucket, LifecycleConfiguration=shown
    )
    proxy.plan = denying("nothing")
    assert "already" in made(through)[1].sentence


def test_rules_that_may_not_be_read_are_shown_with_a_warning(
    bucket: ObjectsConfig, client: Any, proxy: FaultyProxy
) -> None:
    """Whoever sets them has to look first; nothing was changed."""
    ruled_by_others(client, bucket)
    proxy.plan = denying("GET")
    _, lifecycle, cors = made(replace(bucket, endpoint=proxy.url))
    for notice in (lifecycle, cors):
        assert not notice.done
        assert "Add those that the bucket has already" in notice.sentence
    assert json.loads(lifecycle.document) == {"Rules": lifecycle_rules(7)}
    assert json.loads(cors.document) == {"CORSRules": cors_rules([PAGE])}
    assert list(rules(client, bucket)) == ["invoices"]
    assert list(pages(client, bucket)) == ["shop"]


def test_who_may_not_look_at_the_bucket_may_still_rule_it(
    bucket: ObjectsConfig, proxy: FaultyProxy
) -> None:
    """Permissions come in any mixture."""
    proxy.plan = denying("HEAD")
    first, *others = made(replace(bucket, endpoint=proxy.url))
    assert (first.done, "may not be looked at" in first.sentence) == (False, True)
    assert all(notice.done for notice in others)


@pytest.mark.parametrize("fault", [Answer(500), Hang()], ids=repr)
def test_a_store_that_is_away_is_an_error(
    bucket: ObjectsConfig, proxy: FaultyProxy, fault: Answer | Hang
) -> None:
    """Whoever migrates should know."""
    proxy.plan = lambda _: fault
    hasty = replace(
        bucket, endpoint=proxy.url, retries=0, request_timeout=timedelta(seconds=1)
    )
    with pytest.raises(StorageUnavailable):
        made(hasty)


def test_a_store_that_leads_in_circles_is_an_error(
    bucket: ObjectsConfig, proxy: FaultyProxy
) -> None:
    """What stands before it sends everyone to another address."""
    proxy.plan = lambda _: Answer(301)
    with pytest.raises(StorageUnavailable, match="AWS_ENDPOINT_URL"):
        made(replace(bucket, endpoint=proxy.url, retries=0))


def test_a_bucket_is_made_only_if_asked_for(bucket: ObjectsConfig, client: Any) -> None:
    """A slip of the pen in its name would make another one."""
    absent = replace(bucket, bucket=a_name())
    with pytest.raises(ConfigurationInvalid, match="--create-bucket"):
        made(absent)
    try:
        assert made(absent, create=True)[0].sentence == (
            f"Bucket {absent.bucket} was made."
        )
        assert made(absent, create=True)[0].sentence == (
            f"Bucket {absent.bucket} is there."
        )
    finally:
        client.delete_bucket(Bucket=absent.bucket)


def test_a_bucket_that_may_not_be_made_is_said(
    bucket: ObjectsConfig, proxy: FaultyProxy
) -> None:
    """With the store's own reason."""
    proxy.plan = denying("PUT")
    absent = replace(bucket, bucket=a_name(), endpoint=proxy.url)
    with pytest.raises(ConfigurationInvalid, match="AccessDenied"):
        made(absent, create=True)
