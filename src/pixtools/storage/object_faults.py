"""What an object store's refusals and silences mean, in the operator's words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from pixtools.domain.errors import SourceMissing, StorageUnavailable
from pixtools.storage.sentences import elsewhere, nonsense

_STATUS = re.compile(r"status code: (\d{3})")
_BODY_OF_404 = re.compile(r"status code: 404[^:\n]*: (\S.*)", re.DOTALL)
_REFUSED = (PermissionDeniedError, UnauthenticatedError)
_STALE = ("ExpiredToken", "InvalidToken", "TokenRefreshRequired")
"""Said of temporary keys with a status (400) of its own."""
_ELSEWHERE = ("AuthorizationHeaderMalformed", "Received redirect without LOCATION")
_MOVED = {"301", "302", "303", "307", "308"}
_NONSENSE = ("Got invalid", "Unable to extract metadata", "non-partial response")


@contextmanager
def store_faults(doing: str, *, reads: bool = True) -> Iterator[None]:
    """Turn obstore's errors into SourceMissing and StorageUnavailable.

    `doing` is a gerund phrase. Sentences name neither host nor key: a client may
    read them. The cause, for the log, does. SourceMissing is for who `reads`: where
    something is being made, nothing can be missing but by the store's own doing. Nor
    is it said by a proxy that has lost sight of the store, and answers 404 for it.
    """
    try:
        yield
    except FileNotFoundError as fault:
        if _has_no_bucket(fault) or _is_of_another(fault) or not reads:
            raise StorageUnavailable(_sentence(fault, doing)) from fault
        raise SourceMissing from fault
    # NotImplementedError is obstore's, of what a kind of store has no request for.
    except (BaseError, OSError, NotImplementedError) as fault:
        raise StorageUnavailable(_sentence(fault, doing)) from fault


def is_behind_the_end(fault: StorageUnavailable) -> bool:
    """Whether the object exists, but has no byte in the range that was asked for."""
    cause = fault.__cause__
    said = ("status code: 416", "Invalid range", "StartTooLarge")
    return isinstance(cause, Exception) and _says(cause, said)


def is_refusal(fault: StorageUnavailable) -> bool:
    """Whether the store has answered that it will never let us in as we came.

    An answer that it is busy, or no answer, is none.
    """
    cause = fault.__cause__
    if not isinstance(cause, Exception):
        return False
    return _is_closed(cause) or _has_no_bucket(cause) or _says(cause, _ELSEWHERE)


def is_about_some(fault: StorageUnavailable) -> bool:
    """Whether a bulk delete failed for some objects only.

    Most likely for one that is being written at the same moment.
    """
    return "DeleteFailed" in str(fault.__cause__)


def _sentence(fault: Exception, doing: str) -> str:
    if _has_no_bucket(fault):
        return "The object store has no such bucket."
    if isinstance(fault, PreconditionError):
        return "An object was replaced while it was read."
    if _is_closed(fault):
        return (
            f"The object store refused access while {doing}: look at the "
            "credentials, the bucket's policy and this machine's clock."
        )
    if isinstance(fault, NotImplementedError):
        return f"This kind of object store has no way of {doing}."
    if _says(fault, _ELSEWHERE) or _status(fault) in _MOVED:
        return elsewhere(doing)
    if _says(fault, _NONSENSE):
        return nonsense(doing)
    if status := _status(fault):
        return f"The object store answered {status} while {doing}."
    return f"The object store did not answer while {doing}."


def _has_no_bucket(fault: Exception) -> bool:
    return "NoSuchBucket" in str(fault)


def _is_of_another(fault: Exception) -> bool:
    """Whether a 404 came with a page: stores say with a code what is missing."""
    said = _BODY_OF_404.search(str(fault))
    return said is not None and "<Code>" not in said[1]


def _is_closed(fault: Exception) -> bool:
    refused = isinstance(fault, _REFUSED) or _status(fault) in {"401", "403"}
    return refused or _says(fault, _STALE)


def _says(fault: Exception, words: Iterable[str]) -> bool:
    text = str(fault)
    return any(word in text for word in words)


def _status(fault: Exception) -> str:
    found = _STATUS.search(str(fault))
    return found[1] if found else ""
