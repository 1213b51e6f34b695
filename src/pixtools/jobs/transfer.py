"""Moving bytes into the store while a claim stays alive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixtools.jobs.ports.blobs import Blob, Blobs, BlobWriter
from pixtools.jobs.pulse import Pulse


def put(
    blobs: Blobs,
    file: Path,
    key: str,
    content_type: str,
    pulse: Pulse,
    *,
    more: bool = False,
) -> Blob:
    """Store a file; the claim is sure to be ours before its bytes become visible.

    With `more` others follow beside it, and only the last one makes all last.
    """
    with writing(blobs, key, content_type) as writer:
        writer.take(file, pulse.again)
        pulse.hold()
        return writer.commit(more=more)


@contextmanager
def writing(blobs: Blobs, key: str, content_type: str) -> Iterator[BlobWriter]:
    """A writer that is aborted if its block raises or does not commit."""
    writer = blobs.writer(key, content_type)
    try:
        yield writer
    finally:
        writer.abort()
