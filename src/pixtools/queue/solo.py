"""One embedded service for each data directory.

Whoever holds the lock knows that every lease in the database is a dead one's, so
that work which a killed server left is taken up at once, not when leases lapse.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold the directory; raises ConfigurationInvalid if another service does.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationInvalid(
                f"PIXTOOLS_DATA_DIR {directory} is in use by another PixTools: "
                "stop that one, or choose another directory."
            ) from None
        yield
