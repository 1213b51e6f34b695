"""Where bytes rest on this machine, and how long addresses live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pixtools.domain.limits import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """Storage in a directory.

    `public_base_url` leads every link (`https://images.example.org`, no slash at
    the end); empty makes path-absolute links (`/files/…`), which the API completes
    with the address under which the client reached it.
    """

    directory: Path
    public_base_url: str = ""
    download_expiry: timedelta = timedelta(days=1)
    upload_expiry: timedelta = timedelta(minutes=15)
    max_upload_bytes: int = 30 * MIB

    @property
    def objects(self) -> Path:
        """The tree of objects: a key is a path below it."""
        return self.directory / "objects"

    @property
    def scratch(self) -> Path:
        """Work in progress; on the objects' file system, so that links are free."""
        return self.directory / "scratch"

    @property
    def signing_keys(self) -> Path:
        """The secrets that links are signed with."""
        return self.directory / "signing-keys.json"
