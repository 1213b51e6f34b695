"""How slowly a body may come: told by a clock that passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import anyio
import pytest
from fastapi import Request
from starlette.exceptions import HTTPException

from pixtools.api import bodies
from pixtools.testing.stepped_loop import at_once

PATIENCE = 30.0
"""Seconds, as they are served."""


def sent(pieces: Iterable[tuple[float, int]]) -> Request:
    """A body whose pieces of so many bytes come after so many seconds each."""
    left = iter(pieces)

    async def receive() -> dict[str, object]:
        piece = next(left, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(piece[0])
        return {"type": "http.request", "body": bytes(piece[1]), "more_body": True}

    return Request({"type": "http", "headers": []}, receive)


async def taken(
    request: Request, patience: float = PATIENCE, *, pause: float = 0
) -> tuple[int, float]:
    """How many bytes were taken, by when; the taking may pause after each piece."""
    count = 0

    async def take(chunk: bytes) -> None:
        nonlocal count
        count += len(chunk)
        await asyncio.sleep(pause)

    await bodies.each_chunk(request, patience, take)
    return count, anyio.current_time()


async def given_up(request: Request, patience: float = PATIENCE) -> float:
    """When the body was no longer waited for."""
    with pytest.raises(HTTPException) as refused:
        await taken(request, patience)
    assert refused.value.status_code == 408
    return anyio.current_time()


def test_a_body_at_a_steady_pace_may_take_its_time() -> None:
    """Longer than any pause in it may be; here twenty-five minutes."""
    pieces = [(0.25, 512)] * 6000
    assert at_once(taken(sent(pieces))) == (6000 * 512, 1500)


def test_pauses_are_allowed_for_what_comes_in_large_pieces() -> None:
    piece = (29, 29 * bodies.LEAST_RATE)
    assert at_once(taken(sent([piece] * 10))) == (10 * piece[1], 290)


def test_a_pause_too_long_is_the_end() -> None:
    pieces = [(0.1, 1 << 20)] * 10 + [(31, 1 << 20)]
    assert at_once(given_up(sent(pieces))) == pytest.approx(1 + PATIENCE)


def test_a_body_that_never_begins_is_given_up() -> None:
    assert at_once(given_up(sent([(1e9, 1)]))) == PATIENCE


@pytest.mark.parametrize("pause", [0.1, 1, 10])
def test_a_body_that_drips_is_too_slow_though_it_never_stops(pause: float) -> None:
    """It is given up when it is late by as much as a pause may last."""
    assert at_once(given_up(sent([(pause, 1)] * 9999))) == pytest.approx(PATIENCE, 0.02)


def test_who_was_slow_may_catch_up() -> None:
    """Being late is forgiven with the bytes, not remembered for ever."""
    slow, fast = (20, 1), (1, 64 * 1024)
    count, _ = at_once(taken(sent([slow, fast] * 50)))
    assert count == 50 * (1 + 64 * 1024)


def test_who_was_fast_gets_no_longer_a_pause_for_it() -> None:
    pieces = [(1, 1 << 30), (31, 1)]
    assert at_once(given_up(sent(pieces))) == pytest.approx(1 + PATIENCE)


def test_the_time_of_the_taking_does_not_count() -> None:
    """A slow disk is not the client's fault."""
    pieces = [(1, 2048)] * 10
    assert at_once(taken(sent(pieces), pause=100)) == (10 * 2048, 1010)
