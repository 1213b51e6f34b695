"""The embedded mode: the whole service in one process and its pixel children.

Every value is built here, by hand, top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI

from pixtools.api.app import create_app
from pixtools.api.config import ApiConfig
from pixtools.jobs.expire import expire
from pixtools.jobs.orphans import drop_orphans
from pixtools.jobs.reap import reap, release
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Service
from pixtools.persistence.database import SqlDatabase
from pixtools.queue.bell import HouseBell
from pixtools.queue.config import RunnerConfig
from pixtools.queue.giving_back import GivingBack
from pixtools.queue.runners import Duties, Runners
from pixtools.queue.solo import alone_in
from pixtools.settings import Settings
from pixtools.web.mount import page_routes
from pixtools.wiring.facts import facts
from pixtools.wiring.machine import RandomIds, SystemClock
from pixtools.wiring.pixels import offered, workers_config
from pixtools.wiring.rules import rules
from pixtools.wiring.storage import ObjectStores, object_stores
from pixtools.workers.pool import ProcessRenderer

OWNER = "embedded"
LEFTOVER_AGE = timedelta(hours=1)


@contextmanager
def embedded(settings: Settings) -> Iterator[FastAPI]:
    """The whole service on this machine, running; it stops when the block ends."""
    bell = HouseBell()
    with (
        alone_in(settings.pixtools_data_dir),
        facts(settings) as database,
        object_stores(settings) as stores,
        ProcessRenderer(workers_config(settings, settings.workers)) as renderer,
    ):
        service = embedded_service(settings, database, stores, renderer, bell)
        owner = OWNER
        if settings.sqlite_path:
            release(service, owner)
        else:  # others may work on the same database, and live
            owner = f"{OWNER}-{service.ids.new()}"
        runners = embedded_runners(settings, service, stores, bell, owner)
        runners.start()
        try:
            yield embedded_app(settings, service, stores, bell, runners)
        finally:
            bell.close()
            runners.stop()


def embedded_service(
    settings: Settings,
    database: SqlDatabase,
    stores: ObjectStores,
    renderer: ProcessRenderer,
    bell: HouseBell,
) -> Service:
    """All ports of the embedded mode in one value."""
    stores.scratch.sweep()
    # We are alone in our own directory and have not begun: what lies there is a dead
    # service's. Another one may be shared.
    stores.sweep(LEFTOVER_AGE if settings.storage_url else timedelta())
    return Service(
        database=database,
        blobs=stores.blobs,
        links=stores.links,
        scratch=stores.scratch,
        renderer=GivingBack(
            renderer, lambda: bell.closed_for, RunnerConfig().finish_within
        ),
        bell=bell,
        clock=SystemClock(),
        ids=RandomIds(),
        rules=rules(settings, offered(renderer)),
    )


def embedded_runners(
    settings: Settings,
    service: Service,
    stores: ObjectStores,
    bell: HouseBell,
    owner: str,
) -> Runners:
    """The threads that do the work."""
    config = RunnerConfig(runners=settings.workers)

    def due_in() -> timedelta | None:
        with service.database.read() as tx:
            due = tx.queues.next_due(config.lanes)
        return None if due is None else due - service.clock.now()

    def let_go() -> int:
        stores.sweep(LEFTOVER_AGE)
        drop_orphans(service, stores.still())
        return expire(service)

    duties = Duties(
        run_next=lambda owner: run_next(service, owner, config.lanes) is not None,
        due_in=due_in,
        reap=lambda: reap(service),
        expire=let_go,
    )
    return Runners(duties, bell, config, owner)


def embedded_app(
    settings: Settings,
    service: Service,
    stores: ObjectStores,
    bell: HouseBell,
    runners: Runners,
) -> FastAPI:
    """API and page over a running service."""
    return create_app(
        ApiConfig(
            version=version("pixtools"),
            public_base_url=settings.public_base_url or None,
            metrics=settings.metrics_enabled,
        ),
        service,
        desk=bell,
        probes={
            "database": service.database.check,
            stores.word: stores.check,
            "workers": lambda: runners.alive == settings.workers,
        },
        doors=stores.doors(),
        page=page_routes(),
    )
