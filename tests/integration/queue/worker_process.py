"""A worker process without a database: `worker_process.py OPTIONS`, as JSON.

Each look is a line in `ran`: its owner, whether only light work was wanted, and when.
While the file `hold` exists, a look lasts; it ends as `given back` when the process
has been stopping for longer than it may.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.contract.queue.versions import V2

from pixtools.domain.job import Stage
from pixtools.queue.config import BrokerConfig, WorkerConfig
from pixtools.queue.contracts import ACCEPTED
from pixtools.queue.worker import Worker

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LIGHT = Stage(id="s", job_id="j", kind="render", run_at=BEGAN, created_at=BEGAN)


def main(options: dict[str, Any]) -> None:
    folder = Path(options["folder"])
    hold = folder / "hold"

    def run_next(owner: str, light_only: bool) -> Stage | None:
        _note(folder / "ran", f"{owner} {light_only} {time.time()}")
        while hold.exists():
            if worker.stopping_for() > config.finish_within:
                _note(folder / "given_back", owner)
                break
            time.sleep(0.005)
        return LIGHT

    config = WorkerConfig(
        broker=BrokerConfig(url=options["url"]),
        owner=options["name"],
        heartbeat_file=folder / "heartbeat",
        heartbeat_every=0.1,
        **options["config"],
    )
    worker = Worker(
        config,
        run_next,
        lambda stage: False,
        alive=lambda: not (folder / "no_pixels").exists(),
        accepted=(*ACCEPTED, *V2) if options["newer"] else ACCEPTED,
    )
    worker.run()


def _note(file: Path, line: str) -> None:
    with file.open("a") as lines:
        lines.write(f"{line}\n")


if __name__ == "__main__":
    logging.basicConfig(level="INFO", format="%(levelname)s %(message)s")
    logging.getLogger("celery").setLevel("WARNING")
    main(json.loads(sys.argv[1]))
