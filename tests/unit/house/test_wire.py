"""Who answers: the few words that `make services` has of each protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from scripts.services import wire
from scripts.services.errors import NoAnswer


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A server that says one thing to whoever asks; its host and port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1024)
                line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


STARTING = b"E\x00\x00\x00\x30SFATAL\x00C57P03\x00Mstarting up\x00\x00"
STRANGE = b"E\x00\x00\x00\x30SFATAL\x00C28000\x00Mno pg_hba.conf entry\x00\x00"


@pytest.mark.parametrize(
    ("ask", "scheme", "answer"),
    [
        pytest.param(wire.postgres, "postgresql+psycopg", b"R\x00", id="postgres"),
        pytest.param(wire.postgres, "postgresql", STRANGE, id="postgres, choosy"),
        pytest.param(wire.redis, "redis", b"+PONG\r\n", id="redis"),
        pytest.param(wire.amqp, "amqp", b"\x01\x00\x00\x00", id="amqp"),
    ],
)
def test_the_right_server_is_known(
    ask: Callable[[str], None], scheme: str, answer: bytes
) -> None:
    with saying(answer) as place:
        ask(f"{scheme}://{place}/x")


@pytest.mark.parametrize(
    ("ask", "scheme", "answer", "reason"),
    [
        (wire.postgres, "postgresql", b"HTTP/1.1 400", "not PostgreSQL"),
        (wire.postgres, "postgresql", STARTING, "starting"),
        (wire.redis, "redis", b"-NOAUTH who are you\r\n", "NOAUTH"),
        (wire.amqp, "amqp", b"AMQP\x00\x01\x00\x00", "AMQP 0-9-1"),
        (wire.amqp, "amqp", b"", "AMQP 0-9-1"),
        (wire.management, "http", b"HTTP/1.1 401 No\r\n\r\n", "401"),
        (wire.management, "http", b"what?\r\n\r\n", "no answer"),
    ],
)
def test_another_one_is_not_mistaken_for_it(
    ask: Callable[[str], None], scheme: str, answer: bytes, reason: str
) -> None:
    """Nor is one that is not ready yet, or that does not let us in."""
    with saying(answer) as place, pytest.raises(NoAnswer, match=reason):
        ask(f"{scheme}://me:secret@{place}/x")


@pytest.mark.parametrize("ask", [wire.postgres, wire.redis, wire.amqp, wire.management])
def test_nobody_is_no_answer(ask: Callable[[str], None], free_port: int) -> None:
    with pytest.raises(NoAnswer, match="no answer"):
        ask(f"x://127.0.0.1:{free_port}")
