"""What a request brings to say who sends it, and whether its sender means it."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from fastapi import Request, Response

from pixtools.domain.errors import CredentialsInvalid

MOST_CHARACTERS: Final = 16 * 1024
BY_PAGES_OF_OURS: Final = frozenset({"same-origin", "none"})
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Credential(NamedTuple):
    """A key, a token, or the cookie of a browser that signed in."""

    text: str
    cookie: bool = False


def credential_of(request: Request, base: str) -> Credential | None:
    """What the request brings; raises CredentialsInvalid for what can't be read.

    A header wins over the cookie: who sends one means it.
    """
    given = {text for text in (_bearer(request), _key(request)) if text is not None}
    if len(given) > 1:
        raise CredentialsInvalid("Expected one key but received two different ones.")
    if not given:
        cookie = request.cookies.get(cookie_name(base))
        return Credential(cookie, cookie=True) if cookie else None
    (text,) = given
    if not text or len(text) > MOST_CHARACTERS or not text.isascii():
        raise CredentialsInvalid
    return Credential(text)


def cookie_name(base: str) -> str:
    """Over TLS a name that no other host and no plain connection can set."""
    return "__Host-pixtools" if base.startswith("https:") else "pixtools"


def set_cookie(response: Response, base: str, value: str, life: int) -> None:
    """Have the browser send this value, to us alone; no life (seconds) ends it."""
    response.set_cookie(
        cookie_name(base),
        value,
        max_age=life,
        path="/",
        secure=base.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


def is_foreign(request: Request, base: str, *, proven: bool) -> bool:
    """Whether a page of another site sent this request.

    Browsers say so in Sec-Fetch-Site, older ones by the Origin; who says neither is a
    program. `proven`: it has to be said, since only browsers bring what was brought.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in BY_PAGES_OF_OURS
    origin = request.headers.get("origin")
    if origin is None:
        return proven
    # Not the scheme: a proxy in front of us may speak TLS where we don't know of it.
    hosts = {base.partition("://")[2].partition("/")[0], request.headers.get("host")}
    return origin.partition("://")[2] not in hosts - {"", None}


def is_local(request: Request, public_base_url: str | None) -> bool:
    """Whether the request was meant for this machine, by its Host.

    A name that leads here only since a moment ago makes pages of others look like ours.
    """
    try:
        given = urlsplit(f"//{request.headers.get('host', '')}")
        return (
            given.hostname in LOCAL
            or given.netloc == urlsplit(public_base_url or "").netloc
        )
    except ValueError:
        return False


def _bearer(request: Request) -> str | None:
    given = request.headers.get("authorization")
    if given is None:
        return None
    scheme, _, text = given.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialsInvalid("Expected Authorization: Bearer with a key or token.")
    return text.strip()


def _key(request: Request) -> str | None:
    given = request.headers.get("x-api-key")
    return None if given is None else given.strip()
