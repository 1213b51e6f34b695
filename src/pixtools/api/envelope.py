"""The envelope of every answer: ids, safe headers, timing, and no traceback."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixtools.api import problems
from pixtools.api.metrics import Meters

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
TRACEPARENT: Final = re.compile(
    r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)
CSP: Final = "default-src 'none'; frame-ancestors 'none'"


class Envelope:
    """Outermost ASGI layer of the API."""

    def __init__(
        self, app: ASGIApp, *, meters: Meters, new_id: Callable[[], str]
    ) -> None:
        self._app = app
        self._meters = meters
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside the envelope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sealed = _Sealed(scope, send, self._meters)
        state = scope.setdefault("state", {})
        state["request_id"] = self._accepted(scope)
        state["traceparent"] = traceparent(scope)
        try:
            await self._app(scope, receive, sealed)
        except ClientDisconnect:
            return
        except Exception:
            log = logging.getLogger(__name__)
            extra = {"request_id": state["request_id"]}
            log.exception("A request failed on our side.", extra=extra)
            if sealed.started:
                raise
            problem = problems.of_status(500, None, state["request_id"])
            await problems.response(problem)(scope, receive, sealed)

    def _accepted(self, scope: Scope) -> str:
        given = Headers(scope=scope).get("x-request-id", "")
        return given if REQUEST_ID.fullmatch(given) else self._new_id()


def traceparent(scope: Scope) -> str | None:
    """The request's W3C trace context, if it is well-formed."""
    given = Headers(scope=scope).get("traceparent", "").strip()
    return given if TRACEPARENT.fullmatch(given) else None


class _Sealed:
    """A `send` that seals the head of the answer."""

    def __init__(self, scope: Scope, send: Send, meters: Meters) -> None:
        self._scope = scope
        self._send = send
        self._meters = meters
        self._since = time.perf_counter()
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._scope["state"]["request_id"]
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Content-Security-Policy", CSP)
            headers.update(self._scope["state"].get("headers", {}))
            self._count(message["status"])
        await self._send(message)

    def _count(self, status: int) -> None:
        method = self._scope["method"]
        self._meters.latency.labels(
            method if method in problems.METHODS else "other",
            _route(self._scope),
            str(status),
        ).observe(time.perf_counter() - self._since)


def _route(scope: Scope) -> str:
    """The route's template: what was asked for must not make series without end."""
    path: object = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "unmatched"
