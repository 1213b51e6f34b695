"""The README's receiver, as it stands there, beside a service."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import job, submitted

from pixtools.testing.program import Program, eventually

README = Path(__file__).resolve().parents[2] / "README.md"
RUNNING = re.compile(r"Uvicorn running on (http://127\.0\.0\.1:\d+) ")
SECONDS = 60.0


@pytest.fixture
def secret(service: Served) -> str:
    """As the README makes one."""
    return str(service.http.post("/v1/webhook-secrets").json()["secret"])


@pytest.fixture
def receiver(secret: str, tmp_path: Path) -> Iterator[Program]:
    """The ten lines, started as the README says, on a port that they choose."""
    (source,) = re.findall(
        r"```python\n(import os\n.*?)```", README.read_text(), re.DOTALL
    )
    assert len([line for line in source.splitlines() if line.strip()]) <= 11
    (tmp_path / "receiver.py").write_text(source)
    line = [sys.executable, "-m", "uvicorn", "receiver:app", "--port", "0"]
    program = Program(line, {"SECRET": secret}, tmp_path / "said.txt")
    program.start()
    try:
        eventually(lambda: bool(RUNNING.search(program.news())), SECONDS, program.words)
        yield program
    finally:
        program.clear()


def state_of(service: Served, job_id: str) -> str:
    """How telling the client of a job went."""
    return str(job(service, job_id)["webhook"]["state"])


def test_it_hears_of_a_job_and_believes_nobody_else(
    service: Served, receiver: Program, photo_vga: Path
) -> None:
    (running,) = RUNNING.findall(receiver.news())
    url = f"{running}/hook"
    job_id = submitted(service, photo_vga, webhook_url=url)
    eventually(lambda: f"job.succeeded {job_id}" in receiver.news(), SECONDS)
    for headers in (
        {},
        {
            "webhook-id": "msg_1",
            "webhook-timestamp": "1",
            "webhook-signature": "v1,AAAA",
        },
    ):
        answer = httpx2.post(url, content=b"{}", headers=headers, trust_env=False)
        assert answer.status_code == 400
    # What it has heard is known to the service only when it has answered, too.
    eventually(lambda: state_of(service, job_id) == "delivered", SECONDS)
    (delivery,) = service.http.get(f"/v1/jobs/{job_id}/deliveries").json()["data"]
    assert [each["status"] for each in delivery["attempts"]] == [200]
