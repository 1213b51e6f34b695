"""One embedded service for each data directory.

Whoever holds the lock knows that every lease in the database is a dead one's, so
that work which a killed server left is taken up at once, not when leases lapse.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from pixtools.domain.errors import ConfigurationInvalid


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold the directory; raises ConfigurationInvalid if another service does.

    The kernel lets go of the lock when the process ends, however it ends.
    """
    with _lock_file(directory) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationInvalid(
                f"PIXTOOLS_DATA_DIR {directory} is in use by another PixTools: "
                "stop that one, or choose another directory."
            ) from None
        yield


def _lock_file(directory: Path) -> TextIO:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return (directory / "serve.lock").open("w")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationInvalid(
            f"PIXTOOLS_DATA_DIR {directory} can't be used: {reason}."
        ) from None
