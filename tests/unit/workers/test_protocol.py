"""Frames and messages survive the wire, whole or in pieces."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.limits import Limits
from pixtools.domain.plan import Box, Encode, Mark, OutputPlan, RenderPlan
from pixtools.workers.protocol import (
    MAX_FRAME,
    BrokenProtocol,
    Cancel,
    Failed,
    Frames,
    Go,
    Render,
    Request,
    frame,
    read_request,
)

PLAN = RenderPlan(
    outputs=(
        OutputPlan(
            id="small",
            action="resize",
            encode=Encode(format="webp", quality=80),
            box=Box(width=320, fit="cover"),
            mark=Mark(text="© Ωμέγα ش <&>"),
        ),
    ),
    metadata=True,
)
RENDER = Render(
    id=1,
    source="/data/a\udcff.jpg",
    scratch="/scratch",
    plan=PLAN,
    assets={"logo": "/data/logo.png"},
    limits=Limits(max_side=9),
    cpu_seconds=1.5,
)


@pytest.mark.parametrize("request_", [RENDER, Go(id=2), Cancel(id=3)])
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    """Also with a file name that is no UTF-8, and with any script."""
    assert read_request(_only(frame(request_))) == request_


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 20))
def test_frames_come_out_whole_however_they_are_cut(ids: list[int], cut: int) -> None:
    stream = b"".join(frame(Go(id=number)) for number in ids)
    frames, found = Frames(), []
    for at in range(0, len(stream), cut):
        frames.feed(stream[at : at + cut])
        while (body := frames.next()) is not None:
            found.append(read_request(body))
    assert found == [Go(id=number) for number in ids]


def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    frames = Frames()
    frames.feed(struct.pack(">I", MAX_FRAME + 1))
    with pytest.raises(BrokenProtocol, match="at most 1048576 bytes"):
        frames.next()


def test_a_message_that_fits_no_frame_is_not_sent() -> None:
    with pytest.raises(BrokenProtocol):
        frame(Failed(id=1, code="error", detail="x" * MAX_FRAME))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"bytes"])
def test_what_is_no_json_is_not_sent(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        frame(Failed(id=1, code="error", detail=value))


def _only(stream: bytes) -> bytes:
    frames = Frames()
    frames.feed(stream)
    body = frames.next()
    assert body is not None
    assert frames.next() is None
    return body
