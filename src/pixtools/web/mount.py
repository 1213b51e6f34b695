"""The page and its files, as routes that the API tries last."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.responses import FileResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE = Path(__file__).parent / "page"
POLICY = (
    "default-src 'self'; img-src {images}; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
IMAGES = ("'self'", "blob:", "data:")


def page_routes(shown: Sequence[str] = ()) -> Sequence[BaseRoute]:
    """`/` and `/assets/…`: routes that an app tries after all its others.

    The page shows pictures of the origins `shown`, beside its own.
    """
    policy = POLICY.format(images=" ".join((*IMAGES, *shown)))
    assets = _PageHeaders(StaticFiles(directory=PAGE / "assets"), policy)
    return [
        Route("/", _PageHeaders(_index, policy), name="page"),
        Mount("/assets", assets, name="assets"),
    ]


async def _index(scope: Scope, receive: Receive, send: Send) -> None:
    answer = FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})
    await answer(scope, receive, send)


class _PageHeaders:
    """Nothing from elsewhere runs in the page, and nobody frames it."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._policy = policy.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message.setdefault("headers", [])
                headers.append((b"content-security-policy", self._policy))
                headers.append((b"x-content-type-options", b"nosniff"))
                headers.append((b"referrer-policy", b"same-origin"))
            await send(message)

        await self._app(scope, receive, with_headers)
