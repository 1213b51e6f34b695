"""A file that is young while a process does what it is there for."""

from __future__ import annotations

import logging
from pathlib import Path

log = logging.getLogger(__name__)


def beat(file: Path, *, well: bool) -> None:
    """Make the file young if all is well; otherwise the log says why it grows old."""
    if not well:
        log.warning("heartbeat_withheld")
        return
    try:
        file.touch()
    except OSError as error:
        log.warning("heartbeat_failed", extra={"reason": str(error)})
