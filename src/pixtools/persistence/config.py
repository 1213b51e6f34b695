"""Where facts rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistenceConfig:
    """A database by its URL (`sqlite:////srv/pixtools.sqlite3`).

    `busy_timeout` (seconds) is how long a transaction waits for another process's;
    `pool_size` how many connections stay open, `overflow` how many more may come.
    """

    url: str
    busy_timeout: float = 5.0
    pool_size: int = 4
    overflow: int = 60

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
