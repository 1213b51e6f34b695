"""A bucket forgets by itself what we did not prune, and keeps what others ruled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.lifecycle import apply_lifecycle, lifecycle_rules
from pixtools.testing.faulty_proxy import Answer, FaultyProxy, Hang, Request
from pixtools.testing.spaces import Bucket, s3_client

OTHERS = {
    "ID": "invoices",
    "Status": "Enabled",
    "Filter": {"Prefix": "invoices/"},
    "Expiration": {"Days": 3650},
}
DENIED = b"<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"


@pytest.fixture(scope="module")
def client(s3: Bucket) -> Iterator[Any]:
    client = s3_client(s3)
    yield client
    client.close()


@pytest.fixture
def bucket(bucket: ObjectsConfig, client: Any) -> Iterator[ObjectsConfig]:
    yield bucket
    client.delete_bucket_lifecycle(Bucket=bucket.bucket)


@pytest.fixture
def proxy(bucket: ObjectsConfig) -> Iterator[FaultyProxy]:
    server = urlsplit(bucket.endpoint)
    assert server.hostname
    with FaultyProxy(server.hostname, server.port or 80) as proxy:
        yield proxy


def rules(client: Any, bucket: ObjectsConfig) -> dict[str, Any]:
    found = client.get_bucket_lifecycle_configuration(Bucket=bucket.bucket)
    return {rule["ID"]: rule for rule in found["Rules"]}


def set_by_others(client: Any, bucket: ObjectsConfig) -> None:
    client.put_bucket_lifecycle_configuration(
        Bucket=bucket.bucket, LifecycleConfiguration={"Rules": [OTHERS]}
    )


def test_rules_are_set_once(bucket: ObjectsConfig, client: Any) -> None:
    """Objects go after the days, leftovers of uploads after one; again is no change."""
    first = apply_lifecycle(bucket, 7)
    assert (first.applied, first.sentence) == (True, "Lifecycle rules were set.")
    found = rules(client, bucket)
    assert {rule["Filter"]["Prefix"] for rule in found.values()} == {
        "raw/", "processed/", "archives/"
    }  # fmt: skip
    for rule in found.values():
        assert rule["Status"] == "Enabled"
        assert rule["Expiration"]["Days"] == 7
        assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 1
    again = apply_lifecycle(bucket, 7)
    assert (again.applied, "already" in again.sentence) == (True, True)


def test_rules_follow_the_setting(bucket: ObjectsConfig, client: Any) -> None:
    """Another number of days replaces ours."""
    apply_lifecycle(bucket, 7)
    assert apply_lifecycle(bucket, 30).sentence == "Lifecycle rules were set."
    days = {rule["Expiration"]["Days"] for rule in rules(client, bucket).values()}
    assert days == {30}


def test_rules_of_others_stay(bucket: ObjectsConfig, client: Any) -> None:
    """The bucket may be shared."""
    set_by_others(client, bucket)
    apply_lifecycle(bucket, 7)
    found = rules(client, bucket)
    assert len(found) == 4
    assert found["invoices"]["Expiration"]["Days"] == 3650


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_rules_that_may_not_be_set_are_shown(
    bucket: ObjectsConfig, client: Any, proxy: FaultyProxy, method: str
) -> None:
    """Ready to be handed to whoever may; and nothing was changed."""

    def deny(request: Request) -> Answer | None:
        return Answer(403, DENIED) if request.method == method else None

    set_by_others(client, bucket)
    proxy.plan = deny
    report = apply_lifecycle(replace(bucket, endpoint=proxy.url), 7)
    assert not report.applied
    assert "NOT set (AccessDenied)" in report.sentence
    assert json.loads(report.rules) == {"Rules": lifecycle_rules(7)}
    assert list(rules(client, bucket)) == ["invoices"]


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
        apply_lifecycle(hasty, 7)


def test_a_bucket_that_does_not_exist_is_an_error(bucket: ObjectsConfig) -> None:
    """With the store's own code."""
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        apply_lifecycle(replace(bucket, bucket="pixtools-no-such"), 7)


def test_other_kinds_of_stores_get_the_rules_shown() -> None:
    """Google and Azure have rules too, in other words."""
    report = apply_lifecycle(ObjectsConfig(kind="gs", bucket="pictures"), 7)
    assert not report.applied
    assert "processed/" in report.rules
