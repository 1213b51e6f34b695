"""What a stream says, in which order, and when it is silent."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.unit.api.desk import ScriptedDesk, house, job

from pixtools.api.events import Moment, last_event_id, stream
from pixtools.domain.errors import JobNotFound


@dataclass
class Script:
    """Looks that are answered in turn; the last one again and again as None."""

    moments: list[Moment | None]
    asked: list[tuple[object, int]] = field(default_factory=list)
    after: Callable[[int], None] = lambda _: None

    def __call__(self, mark: object, seen: int) -> Moment | None:
        self.asked.append((mark, seen))
        moment = self.moments.pop(0) if self.moments else None
        self.after(len(self.moments))
        return moment


@dataclass(frozen=True)
class Said:
    event: str | None = None
    id: str | None = None
    data: Any = None
    retry: str | None = None
    comment: str | None = None


def parsed(block: bytes) -> Said:
    """One event as an EventSource would understand it."""
    found: dict[str, Any] = {}
    for line in block.decode().strip().splitlines():
        name, _, value = line.partition(": ")
        found[name or "comment"] = value
    if "data" in found:
        found["data"] = json.loads(found["data"])
    return Said(**found)


async def always() -> bool:
    return True


def listen(
    desk: ScriptedDesk,
    script: Script,
    seen: int | None = None,
    most: int = 50,
    **config: Any,
) -> list[Said]:
    """All that a stream says, until it ends or has said this much."""

    async def story() -> list[Said]:
        heard: list[Said] = []
        answer = stream(house(desk, **config), "j", script, seen, always)
        async for block in answer.body_iterator:
            assert isinstance(block, bytes)
            heard.append(parsed(block))
            if len(heard) >= most:
                break
        return heard

    return asyncio.run(story())


def test_a_stream_tells_how_soon_to_come_back_then_how_things_stand_then_the_end() -> (
    None
):
    script = Script([Moment(1, 7, job(done=True), over=True)])
    heard = listen(ScriptedDesk(), script)
    assert [said.event for said in heard] == [None, "snapshot", "done"]
    assert heard[0].retry == "3000"
    assert [said.id for said in heard[1:]] == ["7", "7"]
    assert heard[1].data["job_id"] == "j"


def test_events_come_in_order_with_their_own_ids_and_the_whole_document() -> None:
    script = Script(
        [
            Moment(1, 2, job()),
            Moment(2, 4, job(), [(3, "status"), (4, "output")]),
            Moment(3, 6, job(done=True), [(5, "archive"), (6, "done")]),
        ]
    )
    heard = listen(ScriptedDesk(), script)[1:]
    assert [(said.event, said.id) for said in heard] == [
        ("snapshot", "2"),
        ("status", "3"),
        ("output", "4"),
        ("archive", "5"),
        ("done", "6"),
    ]
    assert script.asked == [(None, 0), (1, 2), (2, 4)]


def test_a_returning_client_hears_only_what_it_has_missed() -> None:
    script = Script([Moment(1, 6, job(done=True), [(5, "status"), (6, "done")])])
    heard = listen(ScriptedDesk(), script, seen=4)[1:]
    assert [(said.event, said.id) for said in heard] == [("status", "5"), ("done", "6")]
    assert script.asked[0] == (None, 4)


def test_done_waits_for_the_archive() -> None:
    script = Script(
        [
            Moment(1, 2, job(done=True, zipping=True)),
            Moment(2, 4, job(done=True), [(3, "archive"), (4, "done")]),
        ]
    )
    heard = listen(ScriptedDesk(), script)[1:]
    assert [said.event for said in heard] == ["snapshot", "archive", "done"]


def test_progress_is_told_at_most_every_quarter_of_a_second() -> None:
    """What is too early waits, and news that come meanwhile are told instead."""
    early = [Moment(n, 2, job(progress=n / 10)) for n in range(1, 9)]
    script = Script([*early, Moment(99, 3, job(done=True), [(3, "done")])])
    began = time.monotonic()
    heard = listen(ScriptedDesk(), script, progress_interval=0.1)[1:]
    told = [said for said in heard if said.event == "progress"]
    assert 1 <= len(told) == len(heard) - 2
    assert time.monotonic() - began >= 0.1 * len(told) - 0.01
    assert heard[-1].event == "done"


def test_a_quiet_stream_pings() -> None:
    heard = listen(
        ScriptedDesk(),
        Script([Moment(1, 1, job())]),
        most=4,
        ping_interval=0.02,
        poll_interval=0.01,
    )
    assert [said.comment for said in heard[2:]] == ["ping", "ping"]


def test_news_are_looked_for_at_once_and_not_only_at_the_next_poll() -> None:
    desk = ScriptedDesk()
    end = Moment(2, 2, job(done=True), [(2, "done")])
    script = Script([Moment(1, 1, job()), None, end])
    loop: list[asyncio.AbstractEventLoop] = []

    async def story() -> None:
        loop.append(asyncio.get_running_loop())
        answer = stream(house(desk, poll_interval=3600), "j", script, None, always)
        heard = 0
        async for _ in answer.body_iterator:
            heard += 1
            if heard == 2:
                ring = threading.Timer(
                    0.05, lambda: loop[0].call_soon_threadsafe(desk.ring)
                )
                ring.start()
        assert heard >= 3

    asyncio.run(asyncio.wait_for(story(), 5))
    assert desk.waits


def test_a_stream_of_a_job_that_was_erased_just_ends() -> None:
    def gone(mark: object, seen: int) -> Moment | None:
        if mark is None:
            return Moment(1, 1, job())
        raise JobNotFound

    heard = listen(ScriptedDesk(), cast("Script", gone))
    assert [said.event for said in heard] == [None, "snapshot"]


def test_a_stopping_server_ends_its_streams() -> None:
    desk = ScriptedDesk()

    def close(left: int) -> None:
        desk.closed = True

    heard = listen(desk, Script([Moment(1, 1, job())], after=close))
    assert [said.event for said in heard] == [None, "snapshot"]
    assert desk.listening == []


@pytest.mark.parametrize(
    ("given", "seen"),
    [(None, None), ("", None), ("7", 7), ("x", None), ("-1", None), ("9" * 30, None)],
)
def test_a_last_event_id_is_a_number_or_nothing(
    given: str | None, seen: int | None
) -> None:
    assert last_event_id(given) == seen
