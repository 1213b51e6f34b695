"""Which jobs' sources have lain still in a bucket, for rounds of upkeep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

import obstore
from obstore.store import ObjectStore

from pixtools.domain.ids import uuid7
from pixtools.jobs.ports.work import Clock
from pixtools.storage.object_faults import store_faults

if TYPE_CHECKING:  # obstore tells these to type checkers only
    from obstore import ObjectMeta

_FOLDER = "raw"
_PAGE = 1000


class StillObjects:
    """Ids of jobs whose sources have come to rest, each told once.

    Ids sort by time, and so does what a bucket lists. An upload arrives at most
    `reach` after its job's id was made, so a look begins that long before the last
    one. The first look sees everything.
    """

    def __init__(
        self,
        opened: Callable[[], ObjectStore],
        clock: Clock,
        *,
        reach: timedelta,
        rest: timedelta = timedelta(minutes=5),
    ) -> None:
        """`opened` gives the bucket when it is first needed."""
        self._opened = opened
        self._clock = clock
        self._reach = reach
        self._rest = rest
        self._since: datetime | None = None

    def look(self) -> Iterator[str]:
        """Those that came to rest since the last look that was seen to its end.

        Raises StorageUnavailable.
        """
        until = self._clock.now() - self._rest
        with store_faults("listing sources"):
            for name, newest in self._sources():
                if newest < until and (self._since is None or newest >= self._since):
                    yield name
        self._since = until

    def _sources(self) -> Iterator[tuple[str, datetime]]:
        """Names below the folder in order, and when they were last written to."""
        for name, entries in groupby(self._listed(), _name):
            yield name, max(entry["last_modified"] for entry in entries)

    def _listed(self) -> Iterator[ObjectMeta]:
        pages = obstore.list(
            self._opened(), _FOLDER, offset=self._offset(), chunk_size=_PAGE
        )
        for page in pages:
            yield from page

    def _offset(self) -> str | None:
        if self._since is None:
            return None
        earliest = (self._since - self._reach).timestamp()
        return f"{_FOLDER}/{uuid7(max(0, int(earliest * 1000)), bytes(10))}"


def _name(entry: ObjectMeta) -> str:
    return entry["path"].split("/", 2)[1]
