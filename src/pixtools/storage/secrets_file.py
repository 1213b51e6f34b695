"""The secrets that links are signed with, in one private file of the data directory.

The newest signs, all verify. `rotate` adds a newer one; processes that run notice
at their next link.
"""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.faults import disk_faults

_OCTETS = 32
_KEPT = 3


@dataclass(frozen=True, slots=True)
class _Read:
    """The file's content, newest first, and which file that was."""

    keys: dict[str, bytes]
    identity: tuple[int, int]


class SecretsFile:
    """Secrets by name, newest first; made with the first link."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._place = str(path)
        self._read: _Read | None = None

    def newest(self) -> tuple[str, bytes]:
        """The name and bytes of the secret that signs."""
        return next(iter(self._keys().items()))

    def named(self, name: str) -> bytes | None:
        """A secret that still verifies, or None."""
        return self._keys().get(name)

    def rotate(self, keep: int = _KEPT) -> None:
        """Sign with a new secret from now on; the `keep` newest of all verify."""
        with disk_faults("writing the signing keys"):
            keys = dict([*_made().items(), *self._keys().items()][:keep])
            self._write(keys).replace(self._path)
            _sync(self._path.parent)

    def _keys(self) -> dict[str, bytes]:
        with disk_faults("reading the signing keys"):
            try:
                status = os.stat(self._place)  # noqa: PTH116 - half the time
            except FileNotFoundError:
                self._create()
                status = self._path.stat()
            identity = (status.st_ino, status.st_mtime_ns)
            if self._read is None or self._read.identity != identity:
                self._read = _Read(_parsed(self._path), identity)
            return self._read.keys

    def _create(self) -> None:
        """Write the first secret, unless another process is faster."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._write(_made())
        try:
            os.link(fresh, self._path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(self._path)
        fresh.unlink(missing_ok=True)
        _sync(self._path.parent)

    def _write(self, keys: dict[str, bytes]) -> Path:
        """A complete, durable file under a name that nobody reads yet."""
        text = json.dumps({n: b64encode(s).decode() for n, s in keys.items()}, indent=1)
        fresh = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        return fresh


def _made() -> dict[str, bytes]:
    return {secrets.token_hex(4): secrets.token_bytes(_OCTETS)}


def _parsed(path: Path) -> dict[str, bytes]:
    try:
        told = json.loads(path.read_bytes())
        keys = {str(n): b64decode(s, validate=True) for n, s in told.items()}
    except (ValueError, TypeError, AttributeError) as fault:
        raise _damaged(path) from fault
    if not keys or min(map(len, keys.values())) < _OCTETS:
        raise _damaged(path)
    return keys


def _damaged(path: Path) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"Expected signing keys in {path.name} but found something else. Restore it, "
        "or delete it: then links made so far stop working."
    )


def _sync(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
