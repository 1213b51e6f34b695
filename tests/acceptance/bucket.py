"""A service that keeps its objects in a bucket, and other eyes on that bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from tests.acceptance.visiting import ALL_HANDS

from pixtools.testing.serving import Serving, serving
from pixtools.testing.spaces import Bucket, s3_client


@dataclass(frozen=True, slots=True)
class Shop:
    """The service, its bucket, a client of the store and one of the open internet."""

    service: Serving
    bucket: Bucket
    client: Any
    web: httpx2.Client

    def keys(self, prefix: str = "") -> list[str]:
        """What lies in the bucket."""
        found = self.client.list_objects_v2(Bucket=self.bucket.name, Prefix=prefix)
        return [item["Key"] for item in found.get("Contents", ())]

    def keys_of(self, job_id: str) -> list[str]:
        """What lies there of one job."""
        return [key for key in self.keys() if job_id in key]

    def put(self, key: str, data: bytes) -> None:
        """Put an object there, past the service."""
        self.client.put_object(Bucket=self.bucket.name, Key=key, Body=data)

    def fetched(self, output: dict[str, Any]) -> httpx2.Response:
        """An output behind its link, which leads to the store; its bytes compared."""
        answer = self.web.get(output["url"])
        assert answer.status_code == 200, answer.text
        assert len(answer.content) == output["bytes"]
        if "sha256" in output:
            assert hashlib.sha256(answer.content).hexdigest() == output["sha256"]
        return answer


def settings_of(bucket: Bucket) -> dict[str, str]:
    """The environment of a service that uses a bucket, and nothing else beside it."""
    return {
        "S3_BUCKET": bucket.name,
        "AWS_ENDPOINT_URL": bucket.endpoint,
        "AWS_REGION": bucket.region,
        "AWS_ACCESS_KEY_ID": bucket.access_key,
        "AWS_SECRET_ACCESS_KEY": bucket.secret_key,
    }


@contextmanager
def opened_shop(bucket: Bucket, **settings: str) -> Iterator[Shop]:
    """A started service on this bucket."""
    client = s3_client(bucket)
    with (
        serving(settings_of(bucket) | ALL_HANDS | settings) as service,
        httpx2.Client(timeout=60, trust_env=False) as web,
    ):
        yield Shop(service, bucket, client, web)
    client.close()
