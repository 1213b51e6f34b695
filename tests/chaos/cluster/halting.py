"""`pixtools …` that stops itself (SIGSTOP) at one line, the first time it gets there.

    python halting.py POINT worker --queues default_queue

A test sees that the process has stopped, and knows where it stands: then it kills it,
or lets it go on. Nothing of the product knows of this: the point is wrapped around a
function of it before its command runs.
"""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final


def _always(*args: Any, **named: Any) -> bool:
    del args, named
    return True


@dataclass(frozen=True, slots=True)
class Point:
    """Just before or just after a call of a function, by its name where it is used."""

    module: str
    name: str
    after: bool = False
    when: Callable[..., bool] = _always
    """Of what the function is called with: whether this is the call."""


POINTS: Final = {
    "api before COMMIT": Point("pixtools.jobs.change", "Change.queue", after=True),
    "api before 202": Point(
        "pixtools.api.routers.submission", "submit_upload", after=True
    ),
    "api within an upload in parts": Point(
        "pixtools.storage.multipart", "Multipart.push", after=True
    ),
    "relay before publish": Point("pixtools.queue.broker", "Broker.post"),
    "relay before COMMIT": Point("pixtools.queue.broker", "Broker.post", after=True),
    "worker before claim": Point("pixtools.jobs.run_stage", "claim"),
    "worker while rendering": Point(
        "pixtools.jobs.render", "Pulse.__call__", when=lambda pulse, done: done > 0
    ),
    "worker before FINISH": Point("pixtools.jobs.render", "advance"),
    "worker before FINISH of a ZIP": Point("pixtools.jobs.archive", "archived"),
    "sender before send": Point("pixtools.wiring.webhooks", "Courier.post"),
    "sender before record": Point(
        "pixtools.wiring.webhooks", "Courier.post", after=True
    ),
    "worker before ack": Point("pixtools.queue.slots", "Slots.serve", after=True),
}
"""Where a process may be stopped."""


def set_up(point: Point) -> None:
    """Wrap the function, so that the first to get there stops its process."""
    owner: Any = importlib.import_module(point.module)
    *parts, name = point.name.split(".")
    for part in parts:
        owner = getattr(owner, part)
    function = getattr(owner, name)
    left = [point]  # `pop` is what one of several threads wins

    @wraps(function)
    def stopping(*args: Any, **named: Any) -> Any:
        here = point.when(*args, **named)
        if here and not point.after:
            _stop(left)
        result = function(*args, **named)
        if here and point.after:
            _stop(left)
        return result

    setattr(owner, name, stopping)


def _stop(left: list[Point]) -> None:
    try:
        left.pop()
    except IndexError:
        return
    # To this thread: it would go on for a moment if another one took the signal.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def main() -> None:
    """Run the command of the rest of the line."""
    point, *words = sys.argv[1:]
    set_up(POINTS[point])
    sys.argv = ["pixtools", *words]
    from pixtools.cli.main import main as pixtools

    pixtools()


if __name__ == "__main__":
    main()
