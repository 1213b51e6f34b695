"""The frozen messages; `python -m tests.contract.queue.snapshot` renews them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixtools.domain.job import StageKind
from pixtools.queue.config import LANES, BrokerConfig
from pixtools.queue.contracts import SPOKEN, schemas, written
from pixtools.queue.topology import arguments

FROZEN = Path(__file__).with_name("messages.json")


def described() -> str:
    """Every accepted message's schema, an example of each that is posted, and queues."""
    whole = {
        "accepted": schemas(),
        "posted": {each.name: _example(each.kind) for each in SPOKEN},
        "queues": {lane: arguments(lane, BrokerConfig(url="")) for lane in LANES},
    }
    return json.dumps(whole, indent=1) + "\n"


def _example(kind: StageKind) -> dict[str, Any]:
    headers, body = written(SPOKEN, kind, "0199-stage", "0199-wakeup")
    return {"headers": headers, "body": json.loads(body)}


if __name__ == "__main__":
    FROZEN.write_text(described())
