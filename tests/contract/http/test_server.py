"""Over a real socket: stopping ends streams at once, and cuts nobody off."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from tests.contract.http.site import Site

from pixtools.api.server import Server, server_config


@contextmanager
def served(site: Site) -> Iterator[tuple[str, Server, threading.Thread]]:
    """A server on a free loopback port, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(server_config(site.app, shutdown_seconds=60))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server, thread
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def test_a_stopping_server_ends_its_streams_and_is_gone(site: Site) -> None:
    with served(site) as (base, server, thread), httpx2.Client(base_url=base) as client:
        batch = client.post("/v1/batches", json={}).json()
        events = batch["links"]["events"]
        with client.stream("GET", events) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 3000"
            while not next(lines).startswith("id: "):
                pass
            server.should_exit = True
            assert not [line for line in lines if line]
        thread.join(10)
        assert not thread.is_alive()


def test_a_job_goes_over_a_socket_as_it_goes_in_process(site: Site) -> None:
    with served(site) as (base, _, _), httpx2.Client(base_url=base) as client:
        made = client.post(
            "/v1/jobs",
            files={"file": ("a.gif", b"GIF89a\x09\0\x09\0" + bytes(70))},
            data={"preset": "gallery"},
        )
        assert made.status_code == 202
        site.work()
        job = client.get(made.headers["location"], params={"wait": 5}).json()
        assert job["status"] == "succeeded"


def test_a_photo_of_many_pieces_arrives_as_it_was_sent(site: Site) -> None:
    photo = b"GIF89a\x09\0\x09\0" + random.Random(4).randbytes(3_000_000)
    with served(site) as (base, _, _), httpx2.Client(base_url=base) as client:
        made = client.post(
            "/v1/jobs", files={"file": ("a.gif", photo)}, data={"preset": "gallery"}
        )
        assert made.status_code == 202
        source = made.json()["source"]
        assert source["bytes"] == len(photo)
        assert source["sha256"] == hashlib.sha256(photo).hexdigest()
