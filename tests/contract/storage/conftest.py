"""A real bucket, as the adapter is told of one; straight, and through a bad line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from tests.contract.storage.stumbling import (
    ENDURANCE,
    KEPT,
    LONG,
    PATIENCE,
    TIMEOUT,
    UNHURRIED,
)

from pixtools.storage.config import ObjectsConfig
from pixtools.storage.objects import ObjectBlobs, open_objects
from pixtools.testing.faulty_proxy import FaultyProxy, well
from pixtools.testing.port_suites.blobs import put
from pixtools.testing.spaces import Bucket

AT_MOST = timedelta(seconds=10)
"""A server that hangs must not hold up all the tests for minutes."""


@pytest.fixture(scope="module")
def bucket(s3: Bucket) -> ObjectsConfig:
    return ObjectsConfig(
        bucket=s3.name,
        region=s3.region,
        endpoint=s3.endpoint,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        request_timeout=AT_MOST,
        retry_timeout=AT_MOST,
    )


@pytest.fixture(scope="module")
def proxy(bucket: ObjectsConfig) -> Iterator[FaultyProxy]:
    server = urlsplit(bucket.endpoint)
    assert server.hostname
    with FaultyProxy(server.hostname, server.port or 80) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def through(bucket: ObjectsConfig, proxy: FaultyProxy) -> ObjectsConfig:
    """The same bucket behind the proxy, with little patience."""
    return replace(
        bucket,
        endpoint=proxy.url,
        request_timeout=TIMEOUT,
        retry_timeout=PATIENCE,
        retries=2,
    )


@pytest.fixture
def blobs(through: ObjectsConfig, proxy: FaultyProxy) -> Iterator[ObjectBlobs]:
    """A test sets the plan; until then, and after it, nothing fails."""
    proxy.plan = well
    yield open_objects(through)
    proxy.plan = well


@pytest.fixture
def lasting(through: ObjectsConfig, proxy: FaultyProxy) -> Iterator[ObjectBlobs]:
    """Likewise, but it tries again for as long as any machine stalls."""
    proxy.plan = well
    yield open_objects(
        replace(through, request_timeout=UNHURRIED, retry_timeout=ENDURANCE, retries=9)
    )
    proxy.plan = well


@pytest.fixture(scope="module")
def kept(bucket: ObjectsConfig) -> ObjectBlobs:
    """The same bucket without the proxy; holds one object."""
    blobs = open_objects(bucket)
    put(blobs, KEPT, LONG)
    return blobs


@pytest.fixture
def straight(kept: ObjectBlobs) -> Iterator[ObjectBlobs]:
    """Likewise, and clean after each test."""
    yield kept
    kept.delete("processed/a/")
