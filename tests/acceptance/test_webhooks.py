"""A client that is told: once, provably, and again on request."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import events, made, process, submitted

from pixtools.testing.serving import eventually
from pixtools.testing.stranger import Asked, Stranger, answer_of, ok

pytestmark = pytest.mark.anywhere

SECONDS = 20.0


@pytest.fixture
def receiver() -> Iterator[Stranger]:
    """Thanks for what comes to /well; wants nothing more at /gone, if it was once."""

    def answer(asked: Asked, line: socket.socket) -> None:
        before = [each for each in server.asked[:-1] if each.path == asked.path]
        gone = asked.path == "/gone" and not before
        line.sendall(answer_of(410, b"gone") if gone else ok(b"thanks"))

    with Stranger(answer) as server:
        yield server


@pytest.fixture
def secret(service: Served) -> str:
    """A new secret of the tenant's."""
    answer = service.http.post("/v1/webhook-secrets")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


def told(service: Served, job_id: str) -> dict[str, Any]:
    """How telling the client of a job went."""
    found: dict[str, Any] = service.http.get(f"/v1/jobs/{job_id}").json()["webhook"]
    return found


def test_a_receiver_hears_of_the_end_once_and_can_prove_who_spoke(
    service: Served, receiver: Stranger, secret: str, photo_vga: Path
) -> None:
    url = receiver.url("/well", "127.0.0.1")
    job = made(service, photo_vga, webhook_url=url)
    job_id = job["job_id"]
    eventually(lambda: told(service, job_id)["state"] == "delivered", SECONDS)
    (asked,) = receiver.asked
    Webhook(secret).verify(asked.body, dict(asked.headers))
    event = json.loads(asked.body)
    assert event["type"] == "job.succeeded"
    assert event["data"]["job_id"] == job_id
    assert event["data"]["archive"]["status"] == "succeeded"
    output = event["data"]["outputs"][0]
    assert output["sha256"] == job["outputs"][0]["sha256"]
    assert service.http.get(output["url"]).status_code == 200
    (delivery,) = service.http.get(f"/v1/jobs/{job_id}/deliveries").json()["data"]
    assert delivery["webhook_id"] == asked.headers["webhook-id"]
    assert [each["body"] for each in delivery["attempts"]] == ["thanks"]


def test_who_is_gone_is_told_again_when_it_is_asked_for(
    service: Served, receiver: Stranger, photo_vga: Path
) -> None:
    url = receiver.url("/gone", "127.0.0.1")
    job_id = process(service, photo_vga, webhook_url=url).json()["job_id"]

    def status() -> str:
        return str(service.http.get(f"/api/jobs/{job_id}").json()["status"])

    eventually(lambda: status() == "COMPLETED_WEBHOOK_FAILED", SECONDS)
    (delivery,) = service.http.get(f"/v1/jobs/{job_id}/deliveries").json()["data"]
    replayed = service.http.post(delivery["links"]["replay"])
    assert replayed.status_code == 202
    eventually(lambda: len(receiver.asked) == 2, SECONDS)
    eventually(lambda: status() == "COMPLETED", SECONDS)
    eventually(lambda: told(service, job_id)["state"] == "delivered", SECONDS)
    first, second = receiver.asked
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_whoever_watches_a_job_sees_its_client_being_told(
    service: Served, receiver: Stranger, photo_vga: Path
) -> None:
    url = receiver.url("/well", "127.0.0.1")
    job_id = submitted(service, photo_vga, webhook_url=url)
    heard = events(service, f"/v1/jobs/{job_id}")
    assert [each.kind for each in heard][-2:] == ["webhook", "done"]
    assert heard[-1].document["webhook"]["state"] == "delivered"


def test_the_sandbox_shows_what_a_receiver_would_get(
    service: Served, photo_vga: Path
) -> None:
    """Live, whoever sends it; and it verifies by another implementation."""
    sandbox = service.http.post("/v1/webhook-sandbox").json()
    with service.http.stream("GET", sandbox["events_url"]) as stream:
        submitted(service, photo_vga, webhook_url=sandbox["url"])
        lines = stream.iter_lines()
        data = next(line for line in lines if line.startswith("data: "))
    receipt = json.loads(data.removeprefix("data: "))
    assert receipt["verdict"] == "valid"
    Webhook(sandbox["secret"]).verify(receipt["body"], receipt["headers"])
    assert json.loads(receipt["body"])["type"] == "job.succeeded"


def test_an_address_inside_is_refused_at_once(service: Served, photo_vga: Path) -> None:
    answer = process(service, photo_vga, webhook_url="http://169.254.169.254/latest")
    assert answer.status_code == 422
    assert answer.json()["code"] == "unsafe_destination"
