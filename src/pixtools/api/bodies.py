"""Reading bytes and JSON off the wire, within bounds."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, NoReturn, TypeVar

from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from pixtools.domain.errors import InvalidRequest
from pixtools.domain.explain import field_errors

T = TypeVar("T")


LEAST_RATE: Final = 1024
"""Bytes a second of the slowest client; a phone in a valley sends ten times that."""


async def each_chunk(
    request: Request, idle_timeout: float, take: Callable[[bytes], Awaitable[None]]
) -> None:
    """Have the body taken as it comes; 408 if it comes too slowly.

    That is if nothing comes for so many seconds, or if all bytes together are so many
    seconds later than they would be at the least rate. How long the taking lasts does
    not count. One deadline that moves, because one for each chunk costs more than all
    else that is done with it here; asyncio's own, which is moved in half the time that
    a cancel scope's takes.
    """
    now = asyncio.get_running_loop().time
    late, since = 0.0, now()
    waiting = asyncio.timeout_at(since + idle_timeout)
    try:
        async with waiting:
            async for chunk in request.stream():
                waiting.reschedule(None)
                late += now() - since - len(chunk) / LEAST_RATE
                late = max(0.0, late)
                if chunk:
                    await take(chunk)
                since = now()
                waiting.reschedule(since + idle_timeout - late)
    except TimeoutError:
        if not waiting.expired():
            raise
        text = f"For {idle_timeout:g} seconds nothing of the body came, or too little."
        raise HTTPException(408, text, {"Connection": "close"}) from None


async def read_json(request: Request, limit: int, idle_timeout: float) -> Any:  # noqa: ANN401 - JSON
    """The body as JSON of at most `limit` bytes."""
    return parse_json(await read(request, limit, idle_timeout))


async def read(request: Request, limit: int, idle_timeout: float) -> bytes:
    """The body, of at most `limit` bytes; 413 for more, 408 if it comes too slowly."""
    refuse_declared_length(request, limit)
    body = bytearray()

    async def take(chunk: bytes) -> None:
        body.extend(chunk)
        if len(body) > limit:
            raise _too_large(limit)

    await each_chunk(request, idle_timeout, take)
    return bytes(body)


def refuse_declared_length(request: Request, limit: int) -> None:
    """413 as soon as the head of a request announces too long a body."""
    if declared_length(request) > limit:
        raise _too_large(limit)


def declared_length(request: Request) -> int:
    """Content-Length, or 0 where none is given."""
    given = request.headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdigit() else 0


def parse_json(text: bytes | str) -> Any:  # noqa: ANN401 - JSON
    """Strict JSON: no duplicate names, NaN, lone surrogates or NUL; 400 otherwise."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
        canonical(value)
    except UnicodeError:
        raise HTTPException(400, "The JSON can't be read: it is no UTF-8.") from None
    except RecursionError:
        raise HTTPException(400, "The JSON is nested too deeply.") from None
    except ValueError as error:
        raise HTTPException(400, f"The JSON can't be read: {error}") from None
    return value


def canonical(value: object) -> bytes:
    """JSON in one spelling; raises ValueError for what no database can hold."""
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )
    if "\\u0000" in text.replace("\\\\", ""):
        raise ValueError("text must not hold the character NUL")
    return text.encode()


def checked(kind: TypeAdapter[T], value: object, pointer: str = "") -> T:
    """Check a JSON value; raises InvalidRequest that names every wrong field."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        fields = field_errors(error.errors(include_url=False), pointer)
        more = f" ({len(fields) - 1} more)" if len(fields) > 1 else ""
        detail = f"{fields[0].pointer}: {fields[0].detail}{more}"
        raise InvalidRequest(detail, fields=fields) from None


def media_type(request: Request) -> str:
    """The body's media type, in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        # Counted at once: to look each name up in a list would last for minutes.
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise ValueError(f"the name {twice[:60]!r} stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _too_large(limit: int) -> HTTPException:
    return HTTPException(413, f"Expected a body of at most {limit} bytes.")
