"""The embedded mode: the whole service in one process and its pixel children.

Every value is built here, by hand, top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from pixtools.domain.job import Stage
from pixtools.jobs.reap import reap, release
from pixtools.jobs.run_stage import due_in, run_next
from pixtools.jobs.service import Service
from pixtools.queue.bell import HouseBell
from pixtools.queue.config import LANES, RunnerConfig
from pixtools.queue.giving_back import GivingBack, GivingBackFetcher
from pixtools.queue.runners import Duties, Runners
from pixtools.queue.solo import alone_in
from pixtools.settings import Settings
from pixtools.wiring.identity import served_facts
from pixtools.wiring.net import sources
from pixtools.wiring.news import news
from pixtools.wiring.pixels import offered, workers_config
from pixtools.wiring.rules import rules
from pixtools.wiring.service import assemble, face
from pixtools.wiring.storage import LEFTOVER_AGE, ObjectStores, object_stores, prune
from pixtools.wiring.webhooks import outbound, sealer
from pixtools.workers.pool import ProcessRenderer

OWNER = "embedded"


@contextmanager
def embedded(settings: Settings, *, exposed: bool = False) -> Iterator[FastAPI]:
    """The whole service on this machine, running; it stops when the block ends.

    Where other machines can reach it, raises ConfigurationInvalid if nobody would be
    asked for a key.
    """
    house = HouseBell()
    with (
        alone_in(settings.pixtools_data_dir),
        served_facts(settings, exposed=exposed) as database,
        object_stores(settings) as objects,
        news(settings, house) as bell,
        ProcessRenderer(workers_config(settings, settings.workers)) as pixels,
    ):
        objects.scratch.sweep()
        # We are alone in our own directory and have not begun: what lies there is a
        # dead service's. Another one may be shared.
        objects.sweep(LEFTOVER_AGE if settings.storage_url else timedelta())
        within = RunnerConfig().finish_within
        renderer = GivingBack(pixels, lambda: house.closed_for, within)
        fetcher = GivingBackFetcher(sources(settings), lambda: house.closed_for, within)
        known = rules(settings, offered(pixels))
        registry, keys = CollectorRegistry(), sealer(settings)
        service = assemble(
            database, objects, renderer, bell, known, registry, fetcher, sealer=keys
        )
        owner = OWNER
        if settings.sqlite_path:
            release(service, owner)
        else:  # others may work on the same database, and live
            owner = f"{OWNER}-{service.ids.new()}"
        runners = embedded_runners(settings, service, objects, house, owner)
        runners.start()
        probes = {
            "database": database.check,
            objects.word: objects.check,
            "workers": lambda: runners.alive == runners.count,
        }
        try:
            with outbound(settings, service, house, registry), closing(house):
                yield face(settings, service, house, objects, probes, registry)
        finally:
            runners.stop()


def embedded_runners(
    settings: Settings,
    service: Service,
    objects: ObjectStores,
    house: HouseBell,
    owner: str,
) -> Runners:
    """The threads that do the work."""
    config = RunnerConfig(
        # While one puts its outputs away, another has its source at hand: no pixel
        # child waits. Children are what heavy work must leave one of, not runners.
        runners=settings.workers + 1,
        heavy=max(1, settings.workers - 1),
        lanes=LANES,
    )

    busy: dict[str, bool] = {}

    def run_one(owner: str, light_only: bool) -> Stage | None:
        # Where something was found there is often more.
        likely, busy[owner] = busy.get(owner, False), False
        stage = run_next(
            service, owner, config.lanes, light_only=light_only, likely=likely
        )
        busy[owner] = stage is not None
        return stage

    duties = Duties(
        run_next=run_one,
        due_in=lambda light_only: due_in(service, config.lanes, light_only=light_only),
        reap=lambda: reap(service),
        expire=lambda: prune(service, objects),
    )
    return Runners(duties, house, config, owner)
