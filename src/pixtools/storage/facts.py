"""What is known of an object beside its bytes: SHA-256 and content type.

Both stand in a small side file next to the object, whose name carries the object
file's inode, size and modification time. So side file and bytes can't be mistaken
for one another whoever writes, replaces or restores at the same time: a reader that
finds no side file for exactly this file hashes it and writes one. That is why it
needs no fsync of its own. After a power cut, a restored backup or a file that was
dropped into the tree by hand, only the content type may be unknown.

Extended attributes would be simpler, but not every file system, archive and copy
keeps them.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass

from pixtools.storage.tree import Opened, open_file

_LARGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A hexadecimal SHA-256, and the media type if one was given."""

    sha256: str
    content_type: str | None = None


def side_name(name: str, file: os.stat_result) -> str:
    """How the side file of exactly this file is called."""
    return f".{name}.{file.st_ino:x}-{file.st_size:x}-{file.st_mtime_ns:x}"


def side_now(folder: Opened, name: str) -> str | None:
    """How the side file of what stands there now is called; None if nothing does."""
    try:
        file = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return side_name(name, file)


def belongs_to(side: str) -> str:
    """The file that a hidden name is a side file of."""
    return side[1:].rpartition(".")[0]


def read_facts(folder: Opened, side: str) -> Facts | None:
    """What a side file says; None if it is missing or damaged."""
    try:
        fd = open_file(folder, side)
    except FileNotFoundError:
        return None
    try:
        return _parsed(os.read(fd, _LARGEST))
    finally:
        os.close(fd)


def write_facts(folder: Opened, side: str, facts: Facts) -> None:
    """Write a side file; a torn one counts as missing."""
    text = json.dumps({"sha256": facts.sha256, "content_type": facts.content_type})
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    fd = os.open(side, flags, 0o600, dir_fd=folder.fd)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def drop_facts(folder: Opened, side: str) -> None:
    """Remove a side file; harmless if it is gone."""
    with suppress(FileNotFoundError):
        os.unlink(side, dir_fd=folder.fd)


def _parsed(text: bytes) -> Facts | None:
    try:
        facts = Facts(**json.loads(text))
        return facts if len(bytes.fromhex(facts.sha256)) == 32 else None
    except (ValueError, TypeError):
        return None
