"""Where facts rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistenceConfig:
    """A database by its URL (`sqlite:////srv/pixtools.sqlite3`).

    Times are in seconds. `busy_timeout` is how long a transaction waits for another
    process's, `patience` how long a server may work on one statement (0: for ever).
    `pool_size` connections stay open and `overflow` more may come; who finds them all
    in use waits `pool_timeout`.
    """

    url: str
    busy_timeout: float = 5.0
    patience: float = 10.0
    pool_size: int = 8
    overflow: int = 8
    pool_timeout: float = 5.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("sqlite:///", "postgresql+")):
            raise ConfigurationInvalid(
                "Expected sqlite:///… or postgresql+…:// for DATABASE_URL but "
                "received another kind of URL."
            )

    @property
    def sqlite_file(self) -> Path | None:
        """The database file, or None for a server."""
        path = self.url.removeprefix("sqlite:///")
        return Path(path) if path != self.url else None
