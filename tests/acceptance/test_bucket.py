"""The service with its objects in a bucket, on a real server that checks signatures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.visiting import ended, submitted

from pixtools.testing.serving import Serving, serving
from pixtools.testing.spaces import Bucket


@pytest.fixture(scope="module")
def shop(s3: Bucket) -> Iterator[Serving]:
    """A service that was told of a bucket, and of nothing else."""
    told = {
        "S3_BUCKET": s3.name,
        "AWS_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": s3.region,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
    }
    with serving(told) as served:
        yield served


def test_a_photo_goes_in_and_files_come_out_of_the_bucket(
    shop: Serving, photo_vga: Path
) -> None:
    document = ended(shop, submitted(shop, photo_vga))
    assert document["status"] == "succeeded"
