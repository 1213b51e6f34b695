"""What a parent and its pixel child say to each other: JSON in frames, never pickles.

A frame is its length in four bytes, big endian, then that many bytes of JSON. A job's
talk, in order:

    parent  Render                  Go                              Cancel?
    child            Estimate           Progress*  Done | Failed

The child opens with Hello and takes one job at a time. It decodes hostile images, so
its parent believes nothing of what it says unchecked (see `answers`). This module is
the child's as well: standard library only.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, fields, is_dataclass
from typing import Final, Literal

from pixtools.domain import plan as plans
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Model, RenderPlan
from pixtools.domain.report import Report

VERSION: Final = 1
MAX_FRAME: Final = 1024 * 1024
"""Bytes; a report of 32 outputs with all its facts takes some 20,000."""

_LENGTH: Final = struct.Struct(">I")


class BrokenProtocol(Exception):
    """The other side does not keep to the protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a child can do: format names, actions, and the version of libvips.

    `models` are the networks that it has to denoise with, the best first.
    """

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    actions: tuple[str, ...]
    libvips: str
    models: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The child is ready."""

    pid: int
    capabilities: Capabilities
    version: int = VERSION
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """Do a job; paths are absolute.

    `cpu_seconds` bounds the job's CPU time, should the parent not be there to do it.
    """

    id: int
    source: str
    scratch: str
    plan: RenderPlan
    assets: dict[str, str]
    limits: Limits
    cpu_seconds: float
    type: Literal["render"] = "render"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How much memory the job will need; the child now waits for Go."""

    id: int
    bytes: int
    type: Literal["estimate"] = "estimate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """There is room: begin."""

    id: int
    type: Literal["go"] = "go"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The fraction done, 0..1."""

    id: int
    fraction: float
    type: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop this job at the next checkpoint; Failed follows, or the child is killed."""

    id: int
    type: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The job is finished, each output on its own made or failed."""

    id: int
    report: Report
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The job as a whole failed, with a domain error's code."""

    id: int
    code: str
    detail: str
    type: Literal["failed"] = "failed"


Request = Render | Go | Cancel
Answer = Hello | Estimate | Progress | Done | Failed


def frame(message: Request | Answer) -> bytes:
    """Encode one message; raises BrokenProtocol if it is too long for a frame."""
    body = json.dumps(
        message, default=_fields, allow_nan=False, separators=(",", ":")
    ).encode()
    if len(body) > MAX_FRAME:
        raise BrokenProtocol(
            f"Expected at most {MAX_FRAME} bytes in a frame but received {len(body)}."
        )
    return _LENGTH.pack(len(body)) + body


class Frames:
    """Cuts a stream of bytes into the frames that came in whole."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take in bytes as they arrive."""
        self._pending += chunk

    def next(self) -> bytes | None:
        """The body of the next whole frame, or None; raises BrokenProtocol."""
        if len(self._pending) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._pending)
        if length > MAX_FRAME:
            raise BrokenProtocol(
                f"Expected at most {MAX_FRAME} bytes in a frame but received {length}."
            )
        end = _LENGTH.size + length
        if len(self._pending) < end:
            return None
        body = bytes(self._pending[_LENGTH.size : end])
        del self._pending[:end]
        return body


def read_request(body: bytes) -> Request:
    """Decode what the parent said; the child trusts its parent's values."""
    value = json.loads(body)
    match value["type"]:
        case "render":
            plan, limits = plans.from_json(value["plan"]), Limits(**value["limits"])
            return Render(**{**value, "plan": plan, "limits": limits})
        case "go":
            return Go(**value)
        case _:
            return Cancel(**value)


def _fields(value: object) -> dict[str, object]:
    """A dataclass as a dict; `asdict` would also copy all that lies below it."""
    if not is_dataclass(value):
        raise TypeError(
            f"Expected JSON's values but received a {type(value).__name__}."
        )
    return {field.name: getattr(value, field.name) for field in fields(value)}
