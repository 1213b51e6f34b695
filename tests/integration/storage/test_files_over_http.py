"""Files over a real connection: long, cut short, refused early."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
import uvicorn
from fastapi import FastAPI

from pixtools.api import problems
from pixtools.api.routers.files import files_router
from pixtools.domain.errors import PixtoolsError
from pixtools.storage.config import StorageConfig
from pixtools.storage.files import Files
from pixtools.storage.links import LocalLinks
from pixtools.storage.local import LocalBlobs
from pixtools.storage.secrets_file import SecretsFile
from pixtools.testing.port_suites.blobs import KEY, get, put

MIB = 1024 * 1024
PATIENCE = 60.0
"""A disk may stand still for long when twenty mebibytes come at once."""


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def config(tmp_path: Path, free_port: int) -> StorageConfig:
    base = f"http://127.0.0.1:{free_port}"
    return StorageConfig(
        directory=tmp_path, public_base_url=base, max_upload_bytes=24 * MIB
    )


@pytest.fixture
def blobs(config: StorageConfig) -> LocalBlobs:
    return LocalBlobs(config.objects)


@pytest.fixture
def links(config: StorageConfig) -> LocalLinks:
    return LocalLinks(config, SecretsFile(config.signing_keys), WallClock())


@pytest.fixture
def server(config: StorageConfig, blobs: LocalBlobs, free_port: int) -> Iterator[None]:
    app = FastAPI()
    secrets = SecretsFile(config.signing_keys)
    app.include_router(files_router(Files(blobs, config, secrets, WallClock())))
    app.add_exception_handler(PixtoolsError, problems.on_domain_error)
    settings = uvicorn.Config(
        app, port=free_port, log_level="critical", lifespan="off", ws="none"
    )
    running = uvicorn.Server(settings)
    thread = threading.Thread(target=running.run)
    thread.start()
    wait_until(lambda: running.started)
    yield
    running.should_exit = True
    thread.join()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def unfinished(config: StorageConfig) -> list[Path]:
    return list((config.objects / ".incoming").glob("*"))


@pytest.mark.usefixtures("server")
def test_a_long_file_goes_in_and_comes_out(
    blobs: LocalBlobs, links: LocalLinks
) -> None:
    """Twenty mebibytes, a piece at a time."""
    photo = os.urandom(20 * MIB)
    upload = links.upload(KEY, content_type="image/png", bytes=len(photo), sha256=None)
    head = dict(upload.headers)
    answer = httpx2.put(upload.url, content=photo, headers=head, timeout=PATIENCE)
    assert answer.status_code == 200
    assert get(blobs, KEY) == photo
    url, _ = links.download(KEY, "a.png", "image/png")
    assert httpx2.get(url, timeout=PATIENCE).content == photo


@pytest.mark.usefixtures("server")
def test_a_connection_that_breaks_leaves_nothing(
    blobs: LocalBlobs, config: StorageConfig, links: LocalLinks
) -> None:
    """The file is dropped as soon as the client is gone, not at the next sweep."""
    url = urlsplit(links.upload(KEY, content_type=None, bytes=None, sha256=None).url)
    head = (
        f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {4 * MIB}"
    )
    with socket.create_connection(("127.0.0.1", url.port or 0)) as client:
        client.sendall(f"{head}\r\n\r\n".encode() + b"x" * (2 * MIB))
        wait_until(lambda: len(unfinished(config)) == 1)
    wait_until(lambda: not unfinished(config))
    assert blobs.stat(KEY) is None


@pytest.mark.usefixtures("server")
def test_a_refusal_does_not_wait_for_the_body(links: LocalLinks) -> None:
    """A client in the middle of sending still reads why it may stop."""
    upload = links.upload(KEY, content_type=None, bytes=None, sha256=None)
    answer = httpx2.put(upload.url, content=b"x" * (25 * MIB), timeout=PATIENCE)
    assert answer.status_code == 413
    assert answer.json()["code"] == "upload_too_large"


@pytest.mark.usefixtures("server")
def test_a_download_that_is_given_up_lets_go_of_its_file(
    blobs: LocalBlobs, links: LocalLinks
) -> None:
    """Clients may leave when they have seen enough."""
    put(blobs, KEY, b"x" * 20 * MIB)
    url, _ = links.download(KEY, "a.png", "image/png")
    held = open_objects()
    with httpx2.stream("GET", url, timeout=PATIENCE) as answer:
        chunks = answer.iter_raw(1024)  # while it lives, the connection does
        next(chunks)
        assert open_objects() == held + 1
    wait_until(lambda: open_objects() == held)


def open_objects() -> int:
    """How many objects this process, and so the server in it, holds open."""
    files = psutil.Process().open_files()
    return sum(file.path.endswith(KEY) for file in files)
