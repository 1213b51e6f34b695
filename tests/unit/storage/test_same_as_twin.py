"""Whatever is done, the tree and its in-memory twin say the same."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings, strategies as st

from pixtools.domain.errors import SourceMissing
from pixtools.jobs.ports.blobs import Blob, Blobs
from pixtools.storage.local import LocalBlobs
from pixtools.testing.memory_blobs import MemoryBlobs
from pixtools.testing.port_suites.blobs import get, put

KEYS = ["raw/a/source", "raw/ab/source", "processed/a/1.webp", "processed/a/10.webp"]
PREFIXES = ["raw/", "raw/a", "raw/a/", "processed/a/1", "none/", *KEYS]

keys = st.sampled_from(KEYS)
steps = st.one_of(
    st.tuples(st.just("put"), keys, st.text("abc", max_size=3)),
    st.tuples(st.just("abort"), keys, st.text("abc", max_size=3)),
    st.tuples(st.just("copy"), keys, keys),
    st.tuples(st.just("delete"), st.sampled_from(PREFIXES), st.just("")),
)
Step = tuple[str, str, str]


@settings(max_examples=60)
@given(st.lists(steps, max_size=20))
def test_any_story_ends_alike(story: list[Step]) -> None:
    """Every answer is equal, and after each step so is all that is stored."""
    with TemporaryDirectory() as place:
        tree, twin = LocalBlobs(Path(place)), MemoryBlobs()
        for step in story:
            assert told(tree, step) == told(twin, step)
            assert contents(tree) == contents(twin)


def contents(blobs: Blobs) -> list[tuple[Blob, bytes]]:
    found = (blobs.stat(key) for key in KEYS)
    return [(blob, get(blobs, blob.key)) for blob in found if blob]


def told(blobs: Blobs, step: Step) -> Blob | int | str | None:
    """Do one step and tell what came of it."""
    verb, key, other = step
    if verb == "put":
        return put(blobs, key, other.encode(), "image/png")
    if verb == "delete":
        return blobs.delete(key)
    if verb == "abort":
        writer = blobs.writer(key)
        writer.write(other.encode())
        writer.abort()
        return None
    try:
        return blobs.copy(key, other)
    except SourceMissing as missing:
        return missing.code
