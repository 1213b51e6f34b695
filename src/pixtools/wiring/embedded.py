"""The embedded mode: the whole service in one process and its pixel children.

Every value is built here, by hand, top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

from fastapi import FastAPI

from pixtools.api.app import create_app
from pixtools.api.config import ApiConfig
from pixtools.api.routers.files import files_router
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
from pixtools.storage.config import StorageConfig
from pixtools.storage.files import Files
from pixtools.storage.links import LocalLinks
from pixtools.storage.local import LocalBlobs
from pixtools.storage.scratch import ScratchDirectories
from pixtools.storage.secrets_file import SecretsFile
from pixtools.storage.still import StillFolders
from pixtools.web.mount import page_routes
from pixtools.wiring.facts import facts
from pixtools.wiring.machine import RandomIds, SystemClock
from pixtools.wiring.pixels import offered, workers_config
from pixtools.wiring.rules import rules
from pixtools.workers.pool import ProcessRenderer

OWNER = "embedded"
LEFTOVER_AGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the embedded mode keeps facts and bytes."""

    database: SqlDatabase
    blobs: LocalBlobs
    config: StorageConfig


@contextmanager
def embedded(settings: Settings) -> Iterator[FastAPI]:
    """The whole service on this machine, running; it stops when the block ends."""
    bell = HouseBell()
    with (
        alone_in(settings.pixtools_data_dir),
        stores(settings) as kept,
        ProcessRenderer(workers_config(settings, settings.workers)) as renderer,
    ):
        service = embedded_service(settings, kept, renderer, bell)
        owner = OWNER
        if settings.sqlite_path:
            release(service, owner)
        else:  # others may work on the same database, and live
            owner = f"{OWNER}-{service.ids.new()}"
        runners = embedded_runners(settings, service, kept, bell, owner)
        runners.start()
        try:
            yield embedded_app(settings, service, kept, bell, runners)
        finally:
            bell.close()
            runners.stop()


@contextmanager
def stores(settings: Settings) -> Iterator[Stores]:
    """Database and objects, at this version's schema and swept of leftovers."""
    config = StorageConfig(
        directory=settings.pixtools_data_dir.resolve(),
        public_base_url=settings.public_base_url.rstrip("/"),
        download_expiry=timedelta(seconds=settings.presigned_url_expiry_seconds),
        upload_expiry=timedelta(seconds=settings.upload_url_expiry_seconds),
        max_upload_bytes=settings.max_upload_bytes,
    )
    with facts(settings) as database:
        yield Stores(database, LocalBlobs(config.objects), config)


def embedded_service(
    settings: Settings, kept: Stores, renderer: ProcessRenderer, bell: HouseBell
) -> Service:
    """All ports of the embedded mode in one value."""
    clock = SystemClock()
    scratch = ScratchDirectories(kept.config.scratch)
    # We are alone here and have not begun: what lies there is a dead service's.
    scratch.sweep()
    kept.blobs.sweep(timedelta())
    return Service(
        database=kept.database,
        blobs=kept.blobs,
        links=LocalLinks(kept.config, SecretsFile(kept.config.signing_keys), clock),
        scratch=scratch,
        renderer=GivingBack(
            renderer, lambda: bell.closed_for, RunnerConfig().finish_within
        ),
        bell=bell,
        clock=clock,
        ids=RandomIds(),
        rules=rules(settings, offered(renderer)),
    )


def embedded_runners(
    settings: Settings, service: Service, kept: Stores, bell: HouseBell, owner: str
) -> Runners:
    """The threads that do the work."""
    config = RunnerConfig(runners=settings.workers)

    def due_in() -> timedelta | None:
        with service.database.read() as tx:
            due = tx.queues.next_due(config.lanes)
        return None if due is None else due - service.clock.now()

    sources = StillFolders(kept.config.objects / "raw")

    def let_go() -> int:
        kept.blobs.sweep(LEFTOVER_AGE)
        drop_orphans(service, sources.look())
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
    kept: Stores,
    bell: HouseBell,
    runners: Runners,
) -> FastAPI:
    """API and page over a running service."""
    secrets = SecretsFile(kept.config.signing_keys)
    door = Files(kept.blobs, kept.config, secrets, service.clock)
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
            "storage": kept.blobs.check,
            "workers": lambda: runners.alive == settings.workers,
        },
        doors=[files_router(door)],
        page=page_routes(),
    )
