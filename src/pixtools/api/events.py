"""Server-Sent Events: a job's or batch's document whenever it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
from anyio import to_thread
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from pixtools.api.deps import House
from pixtools.api.ports import Subscription
from pixtools.api.standing import Holds
from pixtools.domain.document import BatchDocument, JobDocument
from pixtools.domain.errors import PixtoolsError

RETRY_MS: Final = 3000
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class Moment:
    """What stands at one moment.

    `mark` differs from the last one's if anything changed; `seq` is the id of the
    newest event, `news` are the ids and kinds of those after the client's last;
    `document` is at least as new as the news. Once it is `over` the stream ends.
    """

    mark: object
    seq: int
    document: JobDocument | BatchDocument
    news: Sequence[tuple[int, str]] = ()
    over: bool = False


Look = Callable[[object, int], Moment | None]
"""Look for changes after a mark and an event; None if there are none.

Called in a thread.
"""


def stream(
    house: House, subject: str, look: Look, seen: int | None, holds: Holds
) -> StreamingResponse:
    """The stream of a subject, from the start or after the event `seen`.

    It ends when it no longer `holds` that its client may listen.
    """
    told = _Telling(house, look, seen, holds)
    return StreamingResponse(
        told.events(subject), headers=HEADERS, media_type="text/event-stream"
    )


def last_event_id(given: str | None) -> int | None:
    """The event that a returning client saw last, if it says so."""
    if given and given.isascii() and given.isdigit() and len(given) < 16:
        return int(given)
    return None


class _Telling:
    """One client's stream."""

    def __init__(
        self, house: House, look: Look, seen: int | None, holds: Holds
    ) -> None:
        self._house = house
        self._holds = holds
        self._look = look
        self._seen = seen
        self._mark: object = None
        self._spoke_at = 0.0
        self._moved_at = 0.0

    async def events(self, subject: str) -> AsyncIterator[bytes]:
        """All that is said, until the subject is done, gone, or we stop."""
        yield format_sse_event(retry=RETRY_MS)
        self._spoke_at = anyio.current_time()
        with (
            self._house.desk.subscribe(subject) as subscription,
            # A stream has no status left to tell: the reconnect gets the problem.
            suppress(PixtoolsError),
        ):
            async for event in self._told(subscription):
                self._spoke_at = anyio.current_time()
                yield event

    async def _told(self, subscription: Subscription) -> AsyncIterator[bytes]:
        config, threads = self._house.config, self._house.threads.watching
        while not self._house.desk.closed and await self._holds():
            moment = await to_thread.run_sync(
                self._look, self._mark, self._seen or 0, limiter=threads
            )
            if moment is None:
                if anyio.current_time() - self._spoke_at >= config.ping_interval:
                    yield KEEPALIVE_COMMENT
                await subscription.wait(config.poll_interval)
                continue
            if not moment.news and (early := self._too_early()) > 0:
                await anyio.sleep(early)
                continue
            kinds = self._kinds(moment)
            for event in self._said(moment, kinds):
                yield event
            if kinds[-1][1] == "done":
                return

    def _kinds(self, moment: Moment) -> list[tuple[int, str]]:
        kinds = list(moment.news) or [(moment.seq, "progress")]
        if self._seen is None:
            kinds = [(moment.seq, "snapshot")]
        if moment.over and kinds[-1][1] != "done":
            kinds.append((moment.seq, "done"))
        return kinds

    def _said(self, moment: Moment, kinds: Sequence[tuple[int, str]]) -> list[bytes]:
        self._mark = moment.mark
        self._seen = max(self._seen or 0, *(seq for seq, _ in kinds), 0)
        self._moved_at = anyio.current_time()
        data = moment.document.model_dump_json()
        return [
            format_sse_event(event=kind, data_str=data, id=str(seq))
            for seq, kind in kinds
        ]

    def _too_early(self) -> float:
        """Seconds until progress may be told again; the first word is never early."""
        if self._mark is None:
            return 0.0
        pause = self._house.config.progress_interval
        return self._moved_at + pause - anyio.current_time()
