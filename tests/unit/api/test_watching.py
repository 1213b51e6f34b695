"""Waiting for a change asks no more often than it must."""

from __future__ import annotations

import asyncio

from tests.unit.api.desk import ScriptedDesk, house

from pixtools.api.watching import wait_until


def test_waiting_ends_as_soon_as_it_is_enough() -> None:
    desk = ScriptedDesk()
    values = [1, 2, 3]

    async def story() -> int:
        desk.ring()
        return await wait_until(
            house(desk, poll_interval=0.01),
            "j",
            lambda: values.pop(0),
            lambda v: v > 2,
            5,
        )

    assert asyncio.run(story()) == 3
    assert desk.listening == []


def test_waiting_ends_when_time_is_up_with_what_there_is() -> None:
    desk = ScriptedDesk()

    async def story() -> int:
        return await wait_until(
            house(desk, poll_interval=0.01), "j", lambda: 1, lambda v: v > 2, 0.05
        )

    assert asyncio.run(story()) == 1


def test_not_waiting_reads_once() -> None:
    desk = ScriptedDesk()

    async def story() -> int:
        return await wait_until(house(desk), "j", lambda: 1, lambda v: v > 2, 0)

    assert asyncio.run(story()) == 1
    assert desk.waits == []
