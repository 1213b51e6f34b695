"""An issuer asked over HTTP: what is not the plain answer is none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from tests.unit.identity.issuing import a_key

from pixtools.domain.errors import CredentialsInvalid, IssuerUnavailable
from pixtools.identity.config import OidcConfig
from pixtools.identity.issuer import MOST_BYTES, fetched
from pixtools.identity.oidc import OidcTokens

FOREVER = 99_999_999_999
SECONDS = 60.0


class Answers(BaseHTTPRequestHandler):
    """Says what its test has written down for a path."""

    said: dict[str, tuple[int, dict[str, str], bytes]]

    def do_GET(self) -> None:
        """Answer, or 404."""
        status, headers, body = self.said.get(self.path, (404, {}, b"{}"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def answering(said: dict[str, Any]) -> Iterator[str]:
    """The address of a server that says this."""
    handler = type("Handler", (Answers,), {"said": said})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def document(value: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def test_a_token_is_read_with_the_keys_that_discovery_leads_to() -> None:
    key = a_key("one")
    said: dict[str, Any] = {}
    with answering(said) as url:
        said["/.well-known/openid-configuration"] = document(
            {"issuer": url, "jwks_uri": f"{url}/keys"}
        )
        said["/keys"] = document({"keys": [key.as_dict(private=False)]})
        tokens = OidcTokens(OidcConfig(issuer=url, audience="pixtools"))
        claims = {"iss": url, "aud": "pixtools", "sub": "ann", "exp": FOREVER}
        head = {"alg": "ES256", "kid": "one"}
        good = jwt.encode(head, claims, key)
        assert tokens.identify(good).tenant.startswith("oidc-")
        forged = jwt.encode(head, claims, a_key("one"))
        with pytest.raises(CredentialsInvalid):
            tokens.identify(forged)


@pytest.mark.parametrize(
    "answer",
    [
        (302, {"Location": "/good"}, b"{}"),
        (500, {}, b"{}"),
        (200, {}, b"[]"),
        (200, {}, b"{"),
        (200, {}, b'{"a": "' + b"x" * MOST_BYTES + b'"}'),
        (200, {"Content-Encoding": "gzip"}, b"{}"),
    ],
)
def test_what_is_no_plain_answer_is_none(
    answer: tuple[int, dict[str, str], bytes],
) -> None:
    with answering({"/asked": answer, "/good": document({})}) as url:
        assert fetched(f"{url}/good", SECONDS) == {}
        with pytest.raises(IssuerUnavailable):
            fetched(f"{url}/asked", SECONDS)


def test_an_issuer_that_is_not_there_is_said_to_be_away() -> None:
    with answering({}) as url:
        pass
    with pytest.raises(IssuerUnavailable):
        fetched(f"{url}/gone", SECONDS)
