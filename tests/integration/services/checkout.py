"""Another checkout's servers, started and stopped as a person would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from redis import Redis

ROOT = Path(__file__).resolve().parents[3]


@dataclass(slots=True)
class Checkout:
    """What `make services` keeps for another checkout than this one."""

    door: Path
    environ: dict[str, str] = field(default_factory=dict)

    def services(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.whole_environ,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )

    @property
    def whole_environ(self) -> dict[str, str]:
        named = {"PIXTOOLS_SERVICES_DIR": str(self.door)}
        return os.environ | named | self.environ

    @staticmethod
    def command(*words: str) -> list[str]:
        return [sys.executable, "-m", "scripts.services", *words]

    @property
    def lines(self) -> dict[str, str]:
        text = (self.door / "env").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())

    def process(self, name: str) -> psutil.Process:
        record = json.loads((self.door / "processes" / name).read_text())
        return psutil.Process(record["pid"])


def lives(process: psutil.Process) -> bool:
    """Whether it runs; one that nobody has waited for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it was waited for between the two questions
        return False


def answers(url: str) -> bool:
    with Redis.from_url(url) as client:
        return bool(client.ping())
