"""What the operating system says of a disk, in the operator's words."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager
from types import TracebackType

from pixtools.domain.errors import StorageUnavailable

_SENTENCES = {
    errno.ENOSPC: "The object store's disk is full: free some space.",
    errno.EDQUOT: "The object store's disk quota is used up: free some space.",
    errno.EFBIG: "The object store may not hold a file this large.",
    errno.EROFS: "The object store's file system is read-only.",
    errno.EACCES: "The object store's directory refuses access.",
    errno.EPERM: "The object store's directory refuses access.",
    errno.EMFILE: "The object store has too many files open.",
    errno.ENFILE: "The object store has too many files open.",
}


def disk_faults(doing: str) -> AbstractContextManager[None]:
    """Turn an OSError into StorageUnavailable; `doing` is a gerund phrase.

    Sentences name no path: a client may read them. The cause, for the log, does.
    """
    return _Faults(doing)


class _Faults:
    """Entered for every piece that is written: no generator, a quarter of its time."""

    __slots__ = ("_doing",)

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise StorageUnavailable(_sentence(error, self._doing)) from error


def _sentence(fault: OSError, doing: str) -> str:
    known = _SENTENCES.get(fault.errno or 0)
    if known:
        return known
    reason = os.strerror(fault.errno) if fault.errno else str(fault)
    return f"The object store failed while {doing}: {reason}."
