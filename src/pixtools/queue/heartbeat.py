"""A file that is young while a process does what it is there for."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid

log = logging.getLogger(__name__)


def promise(name: str, file: Path | None) -> None:
    """Raise ConfigurationInvalid, by its variable, for a file that nobody may touch.

    It is not touched: there is one only from when the process is ready. Whoever waits
    for it would kill a healthy process, or take a folder's age for ours.
    """
    if file is None or (file.is_file() and os.access(file, os.W_OK)):
        return
    if file.exists() or not os.access(file.parent, os.W_OK | os.X_OK):
        raise ConfigurationInvalid(
            f"{name} {file} can't be written: name a file in a folder that is there."
        )


def beat(file: Path, *, well: bool) -> None:
    """Make the file young if all is well; otherwise the log says why it grows old."""
    if not well:
        log.warning("heartbeat_withheld")
        return
    try:
        file.touch()
    except OSError as error:
        log.warning("heartbeat_failed", extra={"reason": str(error)})
