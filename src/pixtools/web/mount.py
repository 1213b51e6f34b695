"""The page and its files, as a small application of their own."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = Path(__file__).parent / "page"
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def page_app() -> Starlette:
    """Serves `/` and `/assets/*`; mount it after every other route."""
    return Starlette(
        routes=[
            Route("/", _index, name="page"),
            Mount("/assets", StaticFiles(directory=PAGE / "assets"), name="assets"),
        ],
        middleware=[Middleware(_PageHeaders)],
    )


async def _index(request: object) -> Response:
    del request
    return FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})


class _PageHeaders:
    """Nothing from elsewhere runs in the page, and nobody frames it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.append((b"content-security-policy", POLICY.encode()))
                headers.append((b"x-content-type-options", b"nosniff"))
                headers.append((b"referrer-policy", b"same-origin"))
            await send(message)

        await self._app(scope, receive, with_headers)
