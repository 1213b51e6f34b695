"""The README's receiver, as it stands there, beside a service."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import submitted

from pixtools.testing.program import Program, eventually

README = Path(__file__).resolve().parents[2] / "README.md"
SECONDS = 30.0


@pytest.fixture
def secret(service: Served) -> str:
    """As the README makes one."""
    return str(service.http.post("/v1/webhook-secrets").json()["secret"])


@pytest.fixture
def receiver(secret: str, free_port: int, tmp_path: Path) -> Iterator[Program]:
    """The ten lines, started as the README says."""
    (source,) = re.findall(
        r"```python\n(import os\n.*?)```", README.read_text(), re.DOTALL
    )
    assert len([line for line in source.splitlines() if line.strip()]) <= 11
    (tmp_path / "receiver.py").write_text(source)
    port = str(free_port)
    line = [sys.executable, "-m", "uvicorn", "receiver:app", "--port", port]
    told = {"SECRET": secret, "PORT": port}
    program = Program(line, told, tmp_path / "said.txt")
    program.start()
    try:
        eventually(lambda: "Uvicorn running" in program.news(), SECONDS, program.words)
        yield program
    finally:
        program.clear()


def test_it_hears_of_a_job_and_believes_nobody_else(
    service: Served, receiver: Program, photo_vga: Path
) -> None:
    url = f"http://127.0.0.1:{receiver.settings['PORT']}/hook"
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
    (delivery,) = service.http.get(f"/v1/jobs/{job_id}/deliveries").json()["data"]
    assert [each["status"] for each in delivery["attempts"]] == [200]
