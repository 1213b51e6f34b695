"""Which keys a directory tree can hold safely."""

from __future__ import annotations

from pixtools.domain.errors import InvalidRequest
from pixtools.domain.explain import shown

MAX_KEY_BYTES = 1024
"""As S3 has it."""

MAX_NAME_BYTES = 200
"""One name between slashes: room stays for what is kept beside a file."""

MAX_DEPTH = 32


def names(key: str) -> tuple[str, ...]:
    """Split a key into the names that lead to its file.

    Raises:
        InvalidRequest: the key is empty, too long or too deep, or one of its names
            is empty, hidden (`.`, `..` and our own side files among them) or holds a
            control character or a backslash.
    """
    parts = tuple(key.split("/"))
    if len(parts) > MAX_DEPTH or not _all_visible(key):
        raise _unusable(key)
    octets = len(key.encode())
    if octets > MAX_KEY_BYTES:
        raise _unusable(key)
    # Names of a short key are short themselves.
    if octets > MAX_NAME_BYTES and max(len(p.encode()) for p in parts) > MAX_NAME_BYTES:
        raise _unusable(key)
    return parts


def folder_and_start(prefix: str) -> tuple[tuple[str, ...], str]:
    """Split a prefix into its folders and the beginning of a name, perhaps empty.

    Raises InvalidRequest as `names` does; an empty prefix would be everything.
    """
    folders, slash, start = prefix.rpartition("/")
    if start:
        *parents, start = names(prefix)
        return tuple(parents), start
    if not slash:
        raise _unusable(prefix)
    return names(folders), ""


def _all_visible(key: str) -> bool:
    """Whether no name is empty, hidden or odd: all are looked at in one go.

    Half of a surrogate pair, which has no bytes, is not printable either.
    """
    framed = f"/{key}/"
    return (
        "//" not in framed
        and "/." not in framed
        and "\\" not in key
        and key.isprintable()
    )


def _unusable(key: str) -> InvalidRequest:
    return InvalidRequest(
        "Expected a storage key of visible names separated by single slashes, at most "
        f"{MAX_KEY_BYTES} bytes, but received {shown(key)}."
    )
