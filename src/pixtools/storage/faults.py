"""What the operating system says of a disk, in the operator's words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def disk_faults(doing: str) -> Iterator[None]:
    """Turn an OSError into StorageUnavailable; `doing` is a gerund phrase.

    Sentences name no path: a client may read them. The cause, for the log, does.
    """
    try:
        yield
    except OSError as fault:
        raise StorageUnavailable(_sentence(fault, doing)) from fault


def _sentence(fault: OSError, doing: str) -> str:
    known = _SENTENCES.get(fault.errno or 0)
    if known:
        return known
    reason = os.strerror(fault.errno) if fault.errno else str(fault)
    return f"The object store failed while {doing}: {reason}."
