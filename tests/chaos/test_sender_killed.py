"""kill -9 around the sending of an event: by one id, and never not at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from tests.acceptance.visiting import ended, submitted
from tests.chaos.cluster import halting

from pixtools.testing.program import eventually
from pixtools.testing.serving import serving
from pixtools.testing.stranger import Stranger, ok, saying

pytestmark = pytest.mark.timeout(300)

SECONDS = 60.0
# A busy machine may let the receiver wait for a moment, and what was not answered in
# time is told once more. A dead sender's lease is twice as long.
SETTINGS = {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32", "WEBHOOK_TIMEOUT": "5"}


@pytest.fixture
def receiver() -> Iterator[Stranger]:
    with Stranger(saying(ok())) as stranger:
        yield stranger


@pytest.mark.parametrize(
    ("point", "before"), [("sender before send", 0), ("sender before record", 1)]
)
def test_a_sender_that_dies_is_followed_by_another(
    receiver: Stranger, photo_vga: Path, tmp_path: Path, point: str, before: int
) -> None:
    """The receiver is told at least once, always under the same id."""
    line = [sys.executable, str(Path(halting.__file__)), point, "serve"]
    url = receiver.url("/hook", "127.0.0.1")
    data = tmp_path / "data"
    with serving(SETTINGS, data=data, line=line) as service:
        job_id = submitted(service, photo_vga, webhook_url=url)
        process = psutil.Process(service.process.pid)
        eventually(lambda: process.status() == psutil.STATUS_STOPPED, SECONDS)
        service.kill()
    assert len(receiver.asked) == before
    with serving(SETTINGS, data=data) as service:
        job = ended(service, job_id)
        assert job["status"] == "succeeded"

        def state() -> str:
            document = service.http.get(f"/v1/jobs/{job_id}").json()
            return str(document["webhook"]["state"])

        eventually(lambda: state() == "delivered", SECONDS)
        assert service.rows()["deliveries"] == 1
        stages = service.http.get(f"/v1/jobs/{job_id}").json()["usage"]
    assert len(receiver.asked) == before + 1
    assert len({each.headers["webhook-id"] for each in receiver.asked}) == 1
    assert len({each.body for each in receiver.asked}) == 1
    told = json.loads(receiver.asked[0].body)["data"]
    assert told["usage"] == stages  # no pixel was made again
