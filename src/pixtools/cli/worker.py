"""`pixtools worker`: makes pixels for a cluster."""

from __future__ import annotations

from typing import Annotated

import typer

from pixtools.cli.joining import announce, joining_cluster
from pixtools.cli.say import teaching
from pixtools.domain.errors import InvalidRequest
from pixtools.domain.job import Lane
from pixtools.queue.config import LANES

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools worker\n\n"
    "pixtools worker --queues default_queue\n\n"
    "WORKERS=4 METRICS_PORT=9100 pixtools worker --queues ml_inference_queue"
)


def worker(
    *,
    queues: Annotated[
        str,
        typer.Option(metavar="NAMES", help="Queues to serve, with commas between."),
    ] = ",".join(LANES),
) -> None:
    """Do the work that waits in a cluster's queues; start as many as you like.

    Needs RABBITMQ_URL. WORKERS stages run at once. Asked to stop (Ctrl-C, SIGTERM) it
    finishes what runs or gives it back; asked twice it ends at once. A worker is alive
    while its WORKER_HEARTBEAT_FILE is younger than a minute.
    """
    with teaching():
        lanes = lanes_of(queues)
    with joining_cluster() as settings:
        from pixtools.wiring.cluster import worker as hired

        with hired(settings, lanes) as hands:
            announce(f"Working on {', '.join(lanes)}, {settings.workers} at once")
            hands.run()


def lanes_of(names: str) -> tuple[Lane, ...]:
    """The queues that are named; raises InvalidRequest for one that there is not."""
    wanted = {name.strip() for name in names.split(",")}
    unknown = sorted(wanted.difference(LANES))
    if unknown:
        raise InvalidRequest(
            f"Expected {' or '.join(LANES)} for --queues but received "
            f"{', '.join(unknown) or 'nothing'}."
        )
    return tuple(lane for lane in LANES if lane in wanted)
