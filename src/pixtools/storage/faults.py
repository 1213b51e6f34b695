"""What the operating system says of a disk, in the operator's words."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final

from pixtools.domain.errors import StorageUnavailable

STORE: Final = "object store"
SCRATCH: Final = "scratch space"

_SENTENCES = {
    errno.ENOSPC: "The {place}'s disk is full: free some space.",
    errno.EDQUOT: "The {place}'s disk quota is used up: free some space.",
    errno.EFBIG: "The {place} may not hold a file this large.",
    errno.EROFS: "The {place}'s file system is read-only.",
    errno.EACCES: "The {place}'s directory refuses access.",
    errno.EPERM: "The {place}'s directory refuses access.",
    errno.EMFILE: "The {place} has too many files open.",
    errno.ENFILE: "The {place} has too many files open.",
}


def disk_faults(doing: str, place: str = STORE) -> AbstractContextManager[None]:
    """Turn an OSError into StorageUnavailable; `doing` is a gerund phrase.

    `place` is what has failed: where objects rest in a bucket, a full disk is ours.

    Sentences name no path: a client may read them. The cause, for the log, does.
    """
    return _Faults(doing, place)


class _Faults:
    """Entered for every piece that is written: no generator, a quarter of its time."""

    __slots__ = ("_doing", "_place")

    def __init__(self, doing: str, place: str) -> None:
        self._doing = doing
        self._place = place

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise StorageUnavailable(
                _sentence(error, self._doing, self._place)
            ) from error


def _sentence(fault: OSError, doing: str, place: str) -> str:
    known = _SENTENCES.get(fault.errno or 0)
    if known:
        return known.format(place=place)
    reason = os.strerror(fault.errno) if fault.errno else str(fault)
    return f"The {place} failed while {doing}: {reason}."
