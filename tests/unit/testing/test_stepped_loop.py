"""A loop whose time passes at once, in order, and never in vain."""

from __future__ import annotations

import asyncio

import pytest

from pixtools.testing.stepped_loop import at_once


def test_hours_pass_at_once_and_in_order() -> None:
    async def story() -> list[tuple[str, float]]:
        happened: list[tuple[str, float]] = []

        async def wake(name: str, after: float) -> None:
            await asyncio.sleep(after)
            happened.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(wake("late", 7200), wake("soon", 60), wake("now", 0))
        return happened

    assert at_once(story()) == [("now", 0), ("soon", 60), ("late", 7200)]


def test_waiting_for_what_never_comes_is_an_error() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        at_once(story())
