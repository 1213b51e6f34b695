"""`make cluster`: the whole topology at one terminal, on real servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from pixtools.testing.cluster import settings_of
from pixtools.testing.serving import eventually
from pixtools.testing.spaces import Bucket

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS, STOP_SECONDS, JOB_SECONDS = 90, 60, 90


class Terminal:
    """Somebody who types `make cluster`, reads, and presses Ctrl-C."""

    def __init__(self, said: Path, environ: dict[str, str]) -> None:
        self._said = said
        with said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "scripts.cluster"],
                cwd=ROOT,
                env=os.environ | environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    @property
    def text(self) -> str:
        return self._said.read_text(errors="replace")

    @property
    def url(self) -> str:
        eventually(lambda: self._greeted or self._ended, START_SECONDS, self._words)
        greeting = re.search(r"cluster runs at (http\S+)", self.text)
        assert greeting, self.text
        return greeting[1]

    def pid(self, name: str) -> int:
        """The process of a member, as the greeting or a later line names it."""
        found = re.search(
            rf"^ +{name} +pixtools .*\(process (\d+)\)$", self.text, re.MULTILINE
        )
        assert found, self.text
        return int(found[1])

    def press_ctrl_c(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    @property
    def _greeted(self) -> bool:
        return "cluster runs at" in self.text

    @property
    def _ended(self) -> bool:
        return self.process.poll() is not None

    def _words(self) -> str:
        return self.text


@pytest.fixture
def settings(
    postgres_url: str, rabbitmq_url: str, redis_url: str, s3: Bucket, tmp_path: Path
) -> dict[str, str]:
    """Servers named by the environment, so that `make cluster` brings none."""
    named = settings_of(
        postgres=postgres_url, rabbitmq=rabbitmq_url, redis=redis_url, bucket=s3
    )
    return {**named, "PORT": "0", "PIXTOOLS_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def terminal(settings: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    at = Terminal(tmp_path / "said.txt", settings)
    yield at
    if at.process.poll() is None:
        at.press_ctrl_c()
    sys.stdout.write(at.text)


def made(url: str, photo: Path) -> str:
    """The status of a new job after its end."""
    with httpx2.Client(base_url=url, timeout=60, trust_env=False) as http:
        answer = http.post(
            "/api/process",
            files={"file": photo.read_bytes()},
            data={"operations": '["webp"]'},
        )
        assert answer.status_code == 202, answer.text
        job = answer.json()["job_id"]

        def has_ended() -> bool:
            now = http.get(f"/v1/jobs/{job}", params={"wait": 30}).raise_for_status()
            return now.json()["finished_at"] is not None

        eventually(has_ended, JOB_SECONDS)
        return str(http.get(f"/api/jobs/{job}").json()["status"])


@pytest.mark.timeout(480)
def test_a_cluster_runs_until_ctrl_c(terminal: Terminal, photo_2mp: Path) -> None:
    """It works, outlives a death of its worker, and ends in order, leaving nothing."""
    url = terminal.url
    health = httpx2.get(f"{url}/api/health", trust_env=False, timeout=60).json()
    assert health["status"] == "healthy"
    assert set(health["dependencies"]) == {"database", "redis", "rabbitmq", "s3"}
    assert made(url, photo_2mp) == "COMPLETED"
    members = [terminal.pid(name) for name in ("api", "worker", "ml", "scheduler")]
    psutil.Process(terminal.pid("worker")).kill()
    again = "worker was ended by SIGKILL; starting it again"
    eventually(lambda: again in terminal.text, 60, lambda: terminal.text)
    assert made(url, photo_2mp) == "COMPLETED"
    family = psutil.Process(terminal.process.pid).children(recursive=True)
    assert terminal.press_ctrl_c() == 0
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    assert not any(psutil.pid_exists(pid) for pid in members)
    text = terminal.text
    ends = [text.index(f"asking {n} to end") for n in ("api", "worker", "scheduler")]
    assert ends == sorted(ends)
    assert "killing" not in text
    assert "PostgreSQL, Redis, RabbitMQ and S3 go on" in text


@pytest.mark.timeout(120)
def test_a_wrong_setting_ends_it_with_one_reason(
    settings: dict[str, str], tmp_path: Path
) -> None:
    at = Terminal(tmp_path / "said.txt", {**settings, "WORKERS": "many"})
    assert at.process.wait(START_SECONDS) == 1
    assert "WORKERS" in at.text
    assert "Traceback" not in at.text
