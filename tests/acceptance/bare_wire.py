"""A connection without a client: what no client would send, byte by byte."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

from tests.acceptance.visiting import WEBP

from pixtools.testing.png_structure import SIGNATURE, header_chunk
from pixtools.testing.serving import Serving


def connected(service: Serving) -> socket.socket:
    """A bare connection to the service."""
    port = int(service.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def form_head() -> bytes:
    """The head of a form, up to how its length is told."""
    kind = b"Content-Type: multipart/form-data; boundary=cut\r\n"
    return b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" + kind


def form_begin() -> bytes:
    """A pipeline, and the head of a file."""
    part = b'--cut\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    pipeline = part % (b"pipeline", b"") + json.dumps(WEBP).encode() + b"\r\n"
    return pipeline + part % (b"file", b'; filename="a.jpg"')


def png_head() -> bytes:
    """What a PNG of 16 x 16 pixels begins with."""
    return SIGNATURE + header_chunk(16, 16)


def chunk(data: bytes) -> bytes:
    """A piece of a body in HTTP's chunked coding."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def sent_until_refused(wire: socket.socket, piece: bytes, *, most: int) -> bytes:
    """Send a piece again and again, until an answer comes; the answer."""
    for _ in range(most):
        try:
            wire.sendall(piece)
        except OSError:
            break
    said = b""
    for data in _heard(wire):
        said += data
    return said


def _heard(wire: socket.socket) -> Iterator[bytes]:
    try:
        while data := wire.recv(4096):
            yield data
            if data.endswith(b"}"):
                return
    except OSError:
        return
