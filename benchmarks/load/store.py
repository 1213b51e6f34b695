"""The same bytes put straight into the store, without any service between.

A service that answers when the bytes are safe cannot be faster than that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Final

import httpx2

from pixtools.testing.spaces import Bucket, s3_client

ROUNDS: Final = 6
"""The first is not counted."""
PATIENCE: Final = 60.0


def bare_puts(bucket: Bucket, photo: Path, clients: int) -> Sequence[float]:
    """Milliseconds of each PUT; `clients` begin at the same moment in each round."""
    data, barrier = photo.read_bytes(), Barrier(clients)
    links = [_link(bucket, f"bare/{number}") for number in range(clients)]
    with (
        httpx2.Client(timeout=PATIENCE, trust_env=False) as http,
        ThreadPoolExecutor(clients) as pool,
    ):

        def put(link: str) -> list[float]:
            return [_timed(http, link, data, barrier.wait) for _ in range(ROUNDS)]

        return [ms for times in pool.map(put, links) for ms in times[1:]]


def _timed(
    http: httpx2.Client, link: str, data: bytes, together: Callable[[], int]
) -> float:
    together()
    began = time.perf_counter()
    http.put(link, content=data).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _link(bucket: Bucket, key: str) -> str:
    client = s3_client(bucket)
    named = {"Bucket": bucket.name, "Key": key}
    link: str = client.generate_presigned_url("put_object", Params=named)
    client.close()
    return link
