"""Keys can't leave the tree, nor meet what is kept beside objects."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.errors import InvalidRequest
from pixtools.domain.keys import archive_key, batch_archive_key, output_key, source_key
from pixtools.storage.keys import folder_and_start, names

JOB = "0198c0de-0000-7000-8000-000000000000"

NEVER = [
    "",
    "/",
    "/etc/passwd",
    "raw/",
    "raw//x",
    "..",
    "../x",
    "raw/../../x",
    "raw/./x",
    ".incoming/x",
    "raw/.source.1-2-3",
    "raw/a\0b",
    "raw/a\nb",
    "raw\\x",
    "raw/\ud800",
    "raw/" + "é" * 101,
    "x/" * 40 + "x",
    "/".join(["x" * 199] * 6),
]


@pytest.mark.parametrize("key", NEVER)
def test_a_key_that_could_do_harm_is_refused(key: str) -> None:
    """With one sentence that quotes it, shortened."""
    with pytest.raises(InvalidRequest, match="Expected a storage key") as refused:
        names(key)
    assert len(refused.value.detail) < 250


@pytest.mark.parametrize("prefix", ["", "/", "../", "raw//", "/raw", "./", ".inc"])
def test_a_prefix_that_could_do_harm_is_refused(prefix: str) -> None:
    """Above all the empty one, which would delete everything."""
    with pytest.raises(InvalidRequest):
        folder_and_start(prefix)


@pytest.mark.parametrize(
    "key",
    [
        source_key(JOB),
        output_key(JOB, "a" * 64, "webp"),
        archive_key(JOB),
        batch_archive_key(JOB),
        "inbox/default/Ferien 2026 – Łódź (1).jpeg",
    ],
)
def test_our_own_keys_are_good(key: str) -> None:
    """Every key that the house makes, and what people call their files."""
    assert "/".join(names(key)) == key


def test_a_prefix_is_folders_and_the_beginning_of_a_name() -> None:
    """A slash at the end means: whatever the name."""
    assert folder_and_start("raw/x/") == (("raw", "x"), "")
    assert folder_and_start("raw/x/so") == (("raw", "x"), "so")
    assert folder_and_start("raw") == ((), "raw")


@given(st.text(alphabet=st.sampled_from("ab./\\\0\n é"), max_size=12))
def test_no_accepted_key_has_a_name_that_means_something(key: str) -> None:
    """Accepted names are plain: the path has as many steps as the key has names."""
    try:
        parts = names(key)
    except InvalidRequest:
        return
    assert "/".join(parts) == key
    assert all(part.strip(".") and part[0] != "." for part in parts)
    assert not any(set(part) & set("/\\\0\n") for part in parts)
