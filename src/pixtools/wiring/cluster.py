"""The cluster: the same service as processes of three kinds, on many machines.

The control plane takes jobs and answers, workers make pixels, schedulers relay work to
them and clean up. They meet in the database, the broker and the store, nowhere else.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from pixtools.domain.catalogue import STANDARD
from pixtools.domain.errors import ConfigurationInvalid, WorkerLost
from pixtools.domain.job import Lane, Stage
from pixtools.jobs.reap import reap
from pixtools.jobs.relay import relay
from pixtools.jobs.run_stage import run_next
from pixtools.jobs.service import Service
from pixtools.jobs.work import is_heavy
from pixtools.queue.bell import HouseBell
from pixtools.queue.broker import Broker
from pixtools.queue.config import BrokerConfig, SchedulerConfig, WorkerConfig
from pixtools.queue.giving_back import GivingBack, GivingBackFetcher
from pixtools.queue.heartbeat import promise
from pixtools.queue.scheduler import Scheduler, SchedulerDuties
from pixtools.settings import Settings
from pixtools.wiring.facts import facts
from pixtools.wiring.identity import served_facts
from pixtools.wiring.machine import RandomIds, let_session_yield
from pixtools.wiring.net import sources
from pixtools.wiring.news import news
from pixtools.wiring.pixels import NoPixels, ask_pixels, offered, workers_config
from pixtools.wiring.rules import rules
from pixtools.wiring.service import assemble, face
from pixtools.wiring.storage import ObjectStores, make_room, object_stores, prune
from pixtools.wiring.webhooks import outbound, sealer
from pixtools.workers.pool import ProcessRenderer

if TYPE_CHECKING:
    from fastapi import FastAPI

    from pixtools.api.ports import Probe
    from pixtools.queue.worker import Worker

# Each kind of process carries what it needs: Celery only the workers, FastAPI only the
# control plane. So both are imported where they are used.
log = logging.getLogger(__name__)
FINISH_SECONDS = 20.0
"""How long a stopping worker lets a stage go on; an orchestrator waits for 30."""


@contextmanager
def control_plane(settings: Settings, *, exposed: bool = False) -> Iterator[FastAPI]:
    """API and page; it decodes nothing and runs no work.

    Where other machines can reach it, raises ConfigurationInvalid if nobody would be
    asked for a key.
    """
    can = ask_pixels(settings)
    with (
        closing(HouseBell()) as house,
        served_facts(settings, exposed=exposed) as database,
        object_stores(settings) as objects,
        news(settings, house) as bell,
        closing(Broker(broker_config(settings))) as broker,
    ):
        known, registry = rules(settings, can), CollectorRegistry()
        service = assemble(
            database,
            objects,
            NoPixels(),
            bell,
            known,
            registry,
            sources(settings),
            sealer=sealer(settings),
        )
        probes: dict[str, Probe] = {
            "database": database.check,
            "rabbitmq": broker.check,
            objects.word: objects.check,
        }
        yield face(settings, service, house, objects, probes, registry)


@contextmanager
def worker(settings: Settings, lanes: Sequence[Lane]) -> Iterator[Worker]:
    """Runs stages of these lanes, when it is told that there are some."""
    from pixtools.queue.worker import Worker

    denoises = tuple(lanes) == ("ml_inference_queue",)
    pool = workers_config(settings, settings.workers, denoises=denoises)
    let_session_yield(pool.nice)
    with (
        facts(settings) as database,
        object_stores(settings) as objects,
        news(settings, HouseBell(), listen=False) as bell,
        ProcessRenderer(pool) as pixels,
    ):
        make_room(settings, objects)
        if denoises:
            _open_networks(pixels, settings)
        known = rules(settings, offered(pixels))

        def run_one(owner: str, light_only: bool) -> Stage | None:
            return run_next(service, owner, lanes, light_only=light_only)

        hands = Worker(
            worker_config(settings, lanes),
            run_one,
            partial(is_heavy, known),
            alive=pixels.alive,
        )
        renderer = GivingBack(pixels, hands.stopping_for, FINISH_SECONDS)
        fetcher = GivingBackFetcher(
            sources(settings), hands.stopping_for, FINISH_SECONDS
        )
        shown = hands.meters.registry
        service = assemble(database, objects, renderer, bell, known, shown, fetcher)
        yield hands


def _open_networks(pixels: ProcessRenderer, settings: Settings) -> None:
    """Be able to begin at once before anybody hears that we are ready."""
    try:
        pixels.warm()
    except WorkerLost as lost:
        text = f"The networks can't be opened, imported ones of {settings.weights_dir} "
        raise ConfigurationInvalid(f"{text}included: {lost.detail}") from lost
    if not pixels.capabilities().models:
        log.warning("no_network_to_denoise_with")


@contextmanager
def scheduler(settings: Settings) -> Iterator[Scheduler]:
    """Relays work to the broker, takes up that of the dead, prunes what expired."""
    with (
        closing(HouseBell()) as house,
        facts(settings) as database,
        object_stores(settings) as objects,
        news(settings, house, jobs=False) as bell,
    ):
        known, registry = rules(settings, STANDARD), CollectorRegistry()
        keys = sealer(settings)
        service = assemble(
            database, objects, NoPixels(), bell, known, registry, sealer=keys
        )
        duties, config = scheduler_duties(service, objects), scheduler_config(settings)
        with outbound(settings, service, house, registry):
            yield Scheduler(config, duties, house, registry=registry)


def scheduler_duties(service: Service, objects: ObjectStores) -> SchedulerDuties:
    """What schedulers do, in the words of the verbs."""

    def due_in() -> timedelta | None:
        with service.database.read() as tx:
            due = tx.outbox.next_due()
        return None if due is None else due - service.clock.now()

    def due() -> Mapping[Lane, int]:
        with service.database.read() as tx:
            return tx.queues.due(service.clock.now())

    return SchedulerDuties(
        relay=partial(relay, service),
        due_in=due_in,
        due=due,
        reap=partial(reap, service),
        expire=partial(prune, service, objects),
    )


def broker_config(settings: Settings) -> BrokerConfig:
    """Where wake-ups go."""
    return BrokerConfig(url=settings.rabbitmq_url)


def worker_config(settings: Settings, lanes: Sequence[Lane]) -> WorkerConfig:
    """How much one worker does at once; raises ConfigurationInvalid."""
    promise("WORKER_HEARTBEAT_FILE", settings.worker_heartbeat_file)
    return WorkerConfig(
        broker=broker_config(settings),
        owner=f"{socket.gethostname()}-{os.getpid()}-{RandomIds().new()}",
        lanes=tuple(lanes),
        concurrency=settings.workers,
        finish_within=FINISH_SECONDS,
        heartbeat_file=settings.worker_heartbeat_file,
        metrics_port=settings.metrics_port,
    )


def scheduler_config(settings: Settings) -> SchedulerConfig:
    """How often schedulers look. Who sets a short lease won't wait long after it.

    Raises ConfigurationInvalid.
    """
    promise("SCHEDULER_HEARTBEAT_FILE", settings.scheduler_heartbeat_file)
    config = SchedulerConfig(
        broker=broker_config(settings),
        heartbeat_file=settings.scheduler_heartbeat_file,
        metrics_port=settings.metrics_port,
    )
    return replace(config, reap=min(config.reap, settings.lease_seconds / 2))
