"""One run: clients are let loose, and what they did is gathered when all is over."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx2

from benchmarks.load.answers import Answer, Driver
from benchmarks.load.figures import Fact, Run
from benchmarks.load.house import House
from benchmarks.load.meter import cpu_seconds
from benchmarks.load.orders import Drive, Stream

LOOK: Final = 0.5
"""Seconds between two looks whether all jobs have ended."""
GRACE: Final = 90.0
"""Seconds that the clients may take beyond their streams; they end before."""
CANCELERS: Final = 4
NEWEST: Final = 20
"""Jobs whose archives may still be made when all jobs have ended."""
UNDONE: Final = ("queued", "processing")
Documents = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bench:
    """A service, and the photos that clients send to it."""

    house: House
    photos: Mapping[str, Path]
    http: httpx2.Client

    def run(
        self,
        *streams: Stream,
        patience: float = 180,
        until: Sequence[str] | None = None,
    ) -> Run:
        """Let these clients loose until the jobs of the streams named have ended.

        None named is all of them. What has not ended then, or after `patience` seconds,
        is canceled.
        """
        began, cpu = time.time(), cpu_seconds(self.house.roots())
        answers, driver = self._driven(streams)
        if until is None:
            self._wait(lambda: not self._undone(), patience)
        else:
            waited = {one.job for one in answers if one.job and one.stream in until}
            self._wait(lambda: all(map(self._ended, waited)), patience)
        self._cancel_rest()
        self._wait(lambda: not self._undone(), patience)
        spent = cpu_seconds(self.house.roots())
        facts = {fact.job: fact for fact in map(_fact, self._since(began))}
        return Run(
            answers=answers,
            facts=facts,
            began=began,
            ended=time.time(),
            driver=driver,
            cpu={kind: spent[kind] - cpu.get(kind, 0) for kind in spent},
        )

    def _driven(self, streams: tuple[Stream, ...]) -> tuple[list[Answer], Driver]:
        photos = {name: str(path.absolute()) for name, path in self.photos.items()}
        drive = Drive(url=self.house.url, photos=photos, streams=streams)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.load.drive"],
            input=drive.written(),
            capture_output=True,
            text=True,
            timeout=drive.seconds + GRACE,
            check=False,
        )
        if done.returncode:
            sys.exit(f"The clients failed:\n{done.stderr}")
        *lines, last = done.stdout.splitlines()
        answers = [Answer(**json.loads(line)) for line in lines]
        return answers, Driver(**json.loads(last)["driver"])

    def _undone(self) -> bool:
        """Whether a job waits or is at work, or an archive of one that has ended."""
        if any(next(self._listed(status, 1), None) for status in UNDONE):
            return True
        return any(map(_packs, islice(self._listed(None, NEWEST), NEWEST)))

    def _ended(self, job: str) -> bool:
        found = self.http.get(f"/v1/jobs/{job}").raise_for_status().json()
        return found["finished_at"] is not None

    def _cancel_rest(self) -> None:
        jobs = [one["job_id"] for status in UNDONE for one in self._listed(status)]
        with ThreadPoolExecutor(CANCELERS) as pool:
            list(pool.map(lambda job: self.http.post(f"/v1/jobs/{job}/cancel"), jobs))

    def _since(self, began: float) -> Documents:
        for document in self._listed(None):
            if _moment(document["created_at"]) < began:
                return
            yield document

    def _listed(self, status: str | None, limit: int = 100) -> Documents:
        """Jobs, newest first, page after page."""
        query: dict[str, str | int] = {
            "limit": limit,
            **({"status": status} if status else {}),
        }
        while True:
            page = self.http.get("/v1/jobs", params=query).raise_for_status().json()
            yield from page["data"]
            if not page["has_more"]:
                return
            query["cursor"] = page["next_cursor"]

    @staticmethod
    def _wait(so: Callable[[], bool], patience: float) -> None:
        until = time.monotonic() + patience
        while not so() and time.monotonic() < until:
            time.sleep(LOOK)


def _fact(document: Mapping[str, Any]) -> Fact:
    started, finished = document["started_at"], document["finished_at"]
    return Fact(
        job=document["job_id"],
        status=document["status"],
        created=_moment(document["created_at"]),
        started=_moment(started) if started else None,
        finished=_moment(finished) if finished else None,
    )


def _packs(document: Mapping[str, Any]) -> bool:
    archive = document["archive"]
    return bool(archive) and archive["status"] in {"pending", "processing"}


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
