"""The HTTP application, made of values: no globals, nothing happens on import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import Lifespan

from pixtools.api import openapi, problems, reference
from pixtools.api.callers import Callers
from pixtools.api.config import ApiConfig
from pixtools.api.deps import House
from pixtools.api.envelope import Envelope
from pixtools.api.metrics import meters
from pixtools.api.ports import Gate, NewsDesk, Probe, RateLimiter
from pixtools.api.probing import Watch
from pixtools.api.rates import Admitted, Limited
from pixtools.api.routers import (
    batches,
    catalogue,
    classic,
    health,
    jobs,
    sandboxes,
    session,
    submission,
    usage,
    webhooks,
)
from pixtools.api.sign_ins import SignIns
from pixtools.api.threads import Threads
from pixtools.domain.errors import PixtoolsError
from pixtools.jobs.service import Service


def create_app(
    config: ApiConfig,
    service: Service,
    *,
    desk: NewsDesk,
    probes: Mapping[str, Probe],
    needed: Collection[str] = ("database", "storage", "s3"),
    doors: Sequence[APIRouter] = (),
    page: Sequence[BaseRoute] = (),
    limiter: RateLimiter | None = None,
    gate: Gate | None = None,
    sign_ins: RateLimiter | None = None,
    check_webhook: Callable[[str, float], None] | None = None,
    registry: CollectorRegistry | None = None,
) -> FastAPI:
    """Build the app on a service.

    `probes` are asked by `/api/health`, those that are `needed` by `/api/readyz`, too.
    `doors` are routers of other parts (files behind signed links); `page` are the
    routes or mounts of the page, tried last. `limiter` counts requests that change
    something; None lets everyone ask as often as they like. `gate` tells who asks; None
    takes all for the same tenant. `sign_ins` counts wrong keys by address. Both
    limiters are closed with the app. `check_webhook` raises UnsafeDestination for
    receivers that may not be called, in so many seconds. `registry` is what `/metrics`
    shows.
    """
    known, threads = meters(registry), Threads()
    house = House(
        config=config,
        service=service,
        desk=desk,
        meters=known,
        threads=threads,
        callers=Callers(
            gate, config.public_base_url, SignIns(sign_ins, known), threads
        ),
        watch=_watch(config, probes),
        needed=needed,
        limiter=limiter,
        check_webhook=check_webhook,
    )
    app = _bare(config, _closing(limiter, sign_ins))
    app.state.house = house
    _answer_errors(app)
    _open_doors(app, config, doors)
    app.router.routes.extend(page)
    openapi.install(app, config.public_base_url)
    app.add_middleware(Envelope, meters=house.meters, new_id=service.ids.new)
    return app


def end_streams(app: FastAPI) -> None:
    """Let all event streams and waiting requests end: the server is stopping."""
    found: House = app.state.house
    found.desk.close()


def _bare(config: ApiConfig, lifespan: Lifespan[FastAPI]) -> FastAPI:
    return FastAPI(
        title="PixTools",
        version=config.version,
        openapi_url="/openapi.json" if config.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        lifespan=lifespan,
    )


def _watch(config: ApiConfig, probes: Mapping[str, Probe]) -> Watch:
    return Watch(probes, timeout=config.probe_timeout, freshness=config.probe_freshness)


def _open_doors(app: FastAPI, config: ApiConfig, doors: Sequence[APIRouter]) -> None:
    for router in (submission, jobs, batches, webhooks, sandboxes, usage, classic):
        app.include_router(router.router, dependencies=[Admitted])
    for open_to_all in (session.router, sandboxes.receiver):
        app.include_router(open_to_all, dependencies=[Limited])
    for router in (catalogue, health):
        app.include_router(router.router)
    if config.metrics:
        app.include_router(health.metrics)
    for door in doors:
        app.include_router(door)
    if config.docs:
        app.include_router(reference.router)


def _closing(*limiters: RateLimiter | None) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for limiter in limiters:
            if limiter is not None:
                await limiter.close()

    return lifespan


def _answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(PixtoolsError, problems.on_domain_error)
    app.add_exception_handler(HTTPException, problems.on_http_exception)
    app.add_exception_handler(RequestValidationError, problems.on_invalid_parameters)


def _operation_id(route: APIRoute) -> str:
    """The function's name: what generated clients call the operation."""
    return route.name
