"""The adapter of buckets keeps the port's promises on obstore's own store in memory.

No server is needed for that; what only a real one can break is in `test_s3_*.py`.
"""

from __future__ import annotations

import pytest
from obstore.store import MemoryStore

from pixtools.storage.objects import ObjectBlobs
from pixtools.testing.port_suites.blobs import BlobsSuite
from pixtools.testing.port_suites.taking import TakingSuite


@pytest.fixture
def blobs() -> ObjectBlobs:
    return ObjectBlobs(MemoryStore())


class TestObjectBlobs(BlobsSuite, TakingSuite):
    """Objects in a bucket without a server."""
