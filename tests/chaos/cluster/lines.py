"""One job on its way through a cluster whose processes stop at given lines."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
import psutil
from tests.chaos.cluster import halting
from tests.chaos.cluster.clients import Receipt
from tests.chaos.cluster.house import House
from tests.chaos.cluster.orders import Order
from tests.chaos.cluster.run import Run

from pixtools.testing.cluster import ROLES
from pixtools.testing.program import eventually

SECONDS: Final = 90.0
"""Only a hang takes that long."""
PATIENT: Final = {"LEASE_SECONDS": "60"}
"""For whoever is to keep its stage, though the machine stands still for seconds."""


@dataclass(slots=True)
class Lines:
    """A small cluster: one API, one scheduler, and workers when they are wanted."""

    house: House
    run: Run
    halting: list[str] = field(default_factory=list)

    def start(self, role: str, point: str, **settings: str) -> str:
        """Start one more process of a role that will stop itself at a point."""
        cluster = self.house.cluster
        name = cluster._added(role, settings)
        script = str(Path(halting.__file__))
        cluster.programs[name].line = [sys.executable, script, point, *ROLES[role]]
        cluster.programs[name].start()
        cluster._wait_until_ready(name)
        self.halting.append(name)
        return name

    def wait_until_stopped(self, name: str) -> None:
        """Until the process stands at its point."""
        process = psutil.Process(self.house.cluster.process(name).pid)
        eventually(lambda: process.status() == psutil.STATUS_STOPPED, SECONDS)

    def hire(self) -> None:
        """Start the worker that does not stop, and loses no stage."""
        program = self.house.cluster.process("worker-1")
        program.settings = {**program.settings, **PATIENT}
        self.house.cluster.restart("worker-1")

    def order(
        self, kind: str = "web", photo: str = "camera.jpg", *, archive: bool = False
    ) -> Order:
        """An order that nobody gave before."""
        key = f"{self.run.name}/{len(self.run.crowd.receipts)}".replace(" ", "-")
        return Order(key, "form", kind, (photo,), "keep", archive)

    def submit(self, order: Order, api: str = "api-1") -> httpx2.Response:
        """Send an order once."""
        name = order.photos[0]
        photo = self.house.promises.photos[name].read_bytes()
        return self.house.cluster.client(api).post(
            "/v1/jobs",
            headers={"Idempotency-Key": order.key},
            files={"file": (name, photo)},
            data={
                "pipeline": json.dumps(order.steps),
                "archive": json.dumps(order.archive),
            },
        )

    def taken(self, order: Order, api: str = "api-1") -> str:
        """Send an order that is accepted; the job's id."""
        answer = self.submit(order, api)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["job_id"]
        self.run.crowd.receipts.append(Receipt(order, (job_id,)))
        return job_id

    def attempts(self, job_id: str) -> Mapping[str, int]:
        """How often each stage of a job was begun, by its kind."""
        stages = self.house.facts.stages([job_id])[job_id]
        return {stage.kind: stage.attempt for stage in stages}

    def ended(self, job_id: str) -> None:
        """Wait for the end of a job."""
        eventually(lambda: self._has_ended(job_id), SECONDS)

    def _has_ended(self, job_id: str) -> bool:
        unsettled = self.house.facts.unsettled()
        return unsettled is not None and job_id not in unsettled

    def check(self) -> None:
        """Everything that must be true after any crash."""
        assert self.run.settle().all == []

    def clear(self) -> None:
        """Only what does not stop is left."""
        cluster = self.house.cluster
        for name in self.halting:
            cluster.programs.pop(name).clear()
            cluster.urls.pop(name, None)
        if cluster.process("worker-1").runs:
            cluster.stop("worker-1")


def sent_in_background(send: Callable[[], httpx2.Response]) -> list[Any]:
    """What comes of a request that may never be answered, when it has come."""
    came: list[Any] = []

    def ask() -> None:
        try:
            came.append(send())
        except httpx2.TransportError as error:
            came.append(error)

    threading.Thread(target=ask, daemon=True).start()
    return came
