"""A photo behind an address: fetched by a worker, whoever the stranger is."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import WEBP, check_whole, ended

from pixtools.testing.stranger import Asked, Stranger, answer_of, ok

pytestmark = pytest.mark.anywhere


@pytest.fixture
def stranger(photo_vga: Path) -> Iterator[Stranger]:
    """Serves a photo below /photos; hangs below /slow; leads elsewhere below /inside."""
    photo = photo_vga.read_bytes()

    def answer(asked: Asked, line: socket.socket) -> None:
        match asked.path.split("/")[1]:
            case "photos":
                line.sendall(ok(photo, content_type="image/jpeg"))
            case "slow":
                server.leaving.wait()
            case "moved":
                line.sendall(answer_of(302, location="/photos/forest.jpg"))
            case "inside":
                line.sendall(answer_of(302, location="http://169.254.169.254/"))
            case _:
                line.sendall(answer_of(404))

    with Stranger(answer) as server:
        yield server


def asked(service: Served, stranger: Stranger, path: str, **more: Any) -> Any:
    url = stranger.url(path, "127.0.0.1")
    body = {"source_type": "url", "url": url, "pipeline": WEBP, **more}
    return service.http.post("/v1/jobs", json=body)


def test_a_photo_is_fetched_and_made_into_outputs(
    service: Served, stranger: Stranger, photo_vga: Path
) -> None:
    photo = photo_vga.read_bytes()
    digest = hashlib.sha256(photo).hexdigest()
    answer = asked(service, stranger, "/moved/x", bytes=len(photo), sha256=digest)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    job = ended(service, answer.json()["job_id"])
    assert job["status"] == "succeeded", job
    assert job["source"]["sha256"] == digest
    assert job["source"]["filename"] == "forest.jpg"
    check_whole(service, job)


@pytest.mark.parametrize(
    ("path", "code"), [("/none", "source_refused"), ("/inside", "source_refused")]
)
def test_what_can_not_be_fetched_fails_the_job(
    service: Served, stranger: Stranger, path: str, code: str
) -> None:
    job = ended(service, asked(service, stranger, path).json()["job_id"])
    assert (job["status"], job["error"]["code"]) == ("failed", code)


def test_a_job_whose_stranger_hangs_can_be_canceled(
    service: Served, stranger: Stranger
) -> None:
    job_id = asked(service, stranger, "/slow").json()["job_id"]
    assert service.http.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert ended(service, job_id)["status"] == "canceled"


def test_an_address_inside_is_refused_at_once(
    service: Served, stranger: Stranger
) -> None:
    url = "http://10.0.0.1/latest/meta-data"
    body = {"source_type": "url", "url": url, "pipeline": WEBP}
    problem = checked(
        service.http.post("/v1/jobs", json=body), 422, "unsafe_destination"
    )
    assert problem["errors"] == [
        {"pointer": "/url", "detail": "This address can't be used."}
    ]
