"""A real bucket, as the adapter is told of one."""

from __future__ import annotations

import pytest

from pixtools.storage.config import ObjectsConfig
from pixtools.testing.spaces import Bucket


@pytest.fixture(scope="module")
def bucket(s3: Bucket) -> ObjectsConfig:
    return ObjectsConfig(
        bucket=s3.name,
        region=s3.region,
        endpoint=s3.endpoint,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
    )
