"""Files that somebody else has made: copied, or kept as they are.

One can be kept if it is ours, has no other name and nobody holds it open for writing,
not even through a mapping: the kernel grants a read lease on such a file alone
(`fcntl(2)`, "Leases"). By then it is read-only for whoever would open it anew. One of
our own user could make it writable again, as any object of the tree.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
from collections.abc import Callable
from pathlib import Path

from pixtools.storage.faults import disk_faults

PIECE = 1024 * 1024
"""Bytes that are read at once."""
_READ_ONLY = 0o400
_PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK


def feed(file: Path, write: Callable[[bytes], None], beat: Callable[[], None]) -> None:
    """Have a plain file written piece by piece, with a beat after each."""
    with disk_faults("reading a file"):
        fd = _open_plain(file)
    with os.fdopen(fd, "rb") as opened:
        while piece := opened.read(PIECE):
            write(piece)
            beat()


def open_if_final(file: Path) -> int | None:
    """Open a file that nobody can write to any more; None for any other.

    It is made read-only, and as of now. Raises OSError if it can't be opened, or is no
    plain file.
    """
    fd = _open_plain(file)
    final = False
    try:
        final = _is_final(fd)
    except OSError:  # somebody holds it open, or a file system without leases
        return None
    finally:
        if not final:
            os.close(fd)
    return fd if final else None


def _open_plain(file: Path) -> int:
    """Open a file itself: a link might lead anywhere, a pipe never come to its end."""
    fd = os.open(file, _PLAIN)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a plain file")
    return fd


def _is_final(fd: int) -> bool:
    """Whether nobody else has a way to it; raises OSError where that is unknown."""
    found = os.fstat(fd)
    if found.st_nlink != 1:
        return False
    if found.st_uid != os.geteuid():  # its owner may make it writable again
        return False
    os.fchmod(fd, _READ_ONLY)
    os.utime(fd)  # whoever made it may have given it any time; an object's is its own
    # Whoever opens it during the lease has us told by a signal: by one that is ignored,
    # where SIGIO, the usual one, would end the process.
    fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return True
