"""What a child writes on its standard output and error: logged, and bounded."""

from __future__ import annotations

import logging
import os
from typing import Final

_LOG: Final = logging.getLogger("pixtools.workers")
_CHUNK: Final = 65_536
_LINES_PER_JOB: Final = 40
_LONGEST_LINE: Final = 500


class ChildOutput:
    """A child's output pipe: always emptied, so that the child never blocks on it."""

    def __init__(self, pipe: int, pid: int) -> None:
        """Take over a descriptor; `pid` tells this child's lines from others'."""
        self._pipe = pipe
        self._pid = pid
        self._lines_left = _LINES_PER_JOB
        self._line = b""
        os.set_blocking(pipe, False)

    def fileno(self) -> int:
        """The pipe, for poll."""
        return self._pipe

    def begin_job(self) -> None:
        """Let the log have lines again."""
        self._lines_left = _LINES_PER_JOB

    def drain(self) -> bool:
        """Log what has come; False once nothing can come any more."""
        return self._read() != b""

    def close(self) -> None:
        """Log the rest and let go of the pipe."""
        while self._read():
            pass
        self._log(self._line)
        os.close(self._pipe)

    def _read(self) -> bytes | None:
        """Take and log one chunk; None if there is none now, empty at the end."""
        try:
            chunk = os.read(self._pipe, _CHUNK)
        except BlockingIOError:
            return None
        *lines, rest = (self._line + chunk).split(b"\n")
        self._line = rest[:_LONGEST_LINE]
        for line in lines:
            self._log(line)
        return chunk

    def _log(self, line: bytes) -> None:
        text = line[:_LONGEST_LINE].decode(errors="replace").strip()
        if text and self._lines_left > 0:
            self._lines_left -= 1
            plain = "".join(sign if sign.isprintable() else "?" for sign in text)
            _LOG.warning("pixel child %d: %s", self._pid, plain)
