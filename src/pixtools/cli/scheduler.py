"""`pixtools scheduler`: looks after a cluster."""

from __future__ import annotations

from pixtools.cli.joining import announce, joining_cluster

EPILOG = "[b]Examples[/b]\n\npixtools scheduler\n\nMETRICS_PORT=9100 pixtools scheduler"


def scheduler() -> None:
    """Wake workers, take up the work of dead ones, delete what has expired.

    Needs RABBITMQ_URL. A cluster needs one; a second one takes over when the first
    is gone, and meanwhile does half of the work. A scheduler is alive while its
    SCHEDULER_HEARTBEAT_FILE is younger than a minute.
    """
    with joining_cluster() as settings:
        from pixtools.wiring.cluster import scheduler as hired

        with hired(settings) as clock:
            announce("Scheduling")
            clock.run()
