"""A multipart upload that is pushed into, where obstore wants to pull."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, wait
from queue import SimpleQueue
from threading import Semaphore, Thread, current_thread
from typing import TYPE_CHECKING

import obstore
from obstore.store import ObjectStore

from pixtools.domain.limits import MIB

if TYPE_CHECKING:  # obstore tells these to type checkers only
    from obstore import Attributes, PutResult

PART = 8 * MIB
"""Bytes of each part but the last. S3 wants 5 MiB at least and 10,000 parts at most."""


class Multipart:
    """One part is under way while the next is being filled, and none waits.

    obstore runs in a thread of this upload's own. It is the one that knows how to
    abort: whatever is raised while it pulls drops all parts.
    """

    def __init__(
        self, store: ObjectStore, key: str, told: Attributes, patience: float
    ) -> None:
        """`patience` is the longest that one call may take (seconds)."""
        self._patience = patience
        self._wanted = Semaphore(0)
        self._parts: SimpleQueue[bytearray | _Aborted | None] = SimpleQueue()
        self._result: Future[PutResult] = Future()
        self._thread = Thread(
            target=_upload,
            args=(store, key, told, self._pulled(), self._result, self._wanted),
            name="multipart-upload",
            daemon=True,
        )
        self._thread.start()

    def push(self, part: bytearray) -> None:
        """Hand over a part; waits for the one before and raises what became of it."""
        self._hand_over(part, self._deadline())

    def finish(self, part: bytearray) -> PutResult:
        """Hand over the last part and make the object visible."""
        deadline = self._deadline()
        self._hand_over(part, deadline)
        self._hand_over(None, deadline)
        return self._result.result(_left(deadline))

    def abort(self) -> None:
        """Drop all parts, and wait until they are dropped. Harmless at any time."""
        self._parts.put(_Aborted())
        if current_thread() is not self._thread:  # garbage is collected anywhere
            wait([self._result], self._patience)

    def _hand_over(self, part: bytearray | None, deadline: float) -> None:
        if not self._wanted.acquire(timeout=_left(deadline)):
            raise TimeoutError
        if self._result.done():
            self._wanted.release()
            self._result.result()
        self._parts.put(part)

    def _deadline(self) -> float:
        return time.monotonic() + self._patience

    def _pulled(self) -> Iterator[bytearray | bytes]:
        while True:
            self._wanted.release()
            part = self._parts.get()
            if part is None:
                return
            if isinstance(part, _Aborted):
                raise part
            yield part
            del part
            # obstore asks for the next part before it waits for this one; with
            # nothing to send it has to wait first.
            yield b""


class _Aborted(Exception):
    """Raised through obstore, which drops all parts then."""


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def _upload(
    store: ObjectStore,
    key: str,
    told: Attributes,
    parts: Iterator[bytearray | bytes],
    result: Future[PutResult],
    wanted: Semaphore,
) -> None:
    try:
        put = obstore.put(
            store,
            key,
            parts,
            attributes=told,
            use_multipart=True,
            chunk_size=PART,
            max_concurrency=1,
        )
        result.set_result(put)
    except BaseException as fault:  # noqa: BLE001 - whoever pushes is told
        result.set_exception(fault)
    finally:
        wanted.release()
