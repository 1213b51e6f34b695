"""A look into the bucket, past the service and past any proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pixtools.testing.spaces import Bucket, s3_client


@dataclass(slots=True)
class Store:
    """The objects of a cluster."""

    bucket: Bucket
    _client: Any = field(init=False)

    def __post_init__(self) -> None:
        """Sign as the owner of the bucket."""
        self._client = s3_client(self.bucket)

    def keys(self) -> set[str]:
        """The key of every object."""
        pages = self._pages("list_objects_v2")
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    def unfinished(self) -> list[str]:
        """The keys of uploads in parts that nobody has finished or dropped."""
        pages = self._pages("list_multipart_uploads")
        return [item["Key"] for page in pages for item in page.get("Uploads", ())]

    def forgets_parts_of(self, key: str) -> bool:
        """Whether the bucket's own rules drop unfinished uploads of such a key."""
        told = self._client.get_bucket_lifecycle_configuration(Bucket=self.bucket.name)
        return any(
            "AbortIncompleteMultipartUpload" in rule
            and key.startswith(rule["Filter"]["Prefix"])
            for rule in told["Rules"]
        )

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _pages(self, verb: str) -> Any:
        return self._client.get_paginator(verb).paginate(Bucket=self.bucket.name)
