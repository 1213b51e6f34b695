"""Whether the service lives, is ready, and reaches what it depends on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pixtools.api.deps import House, HouseDep
from pixtools.api.schemas import Health, Liveness

router = APIRouter(tags=["health"])
metrics = APIRouter(tags=["health"])
UNHEALTHY: dict[int | str, dict[str, Any]] = {
    503: {"model": Health, "description": "A dependency can't be reached."}
}
EXPOSITION: dict[int | str, dict[str, Any]] = {
    200: {"description": "Text exposition format.", "content": {"text/plain": {}}}
}
State = Literal["ok", "unreachable"]


@router.get("/api/livez")
async def show_liveness() -> Liveness:
    """Answer as long as the process runs; asks nobody."""
    return Liveness(status="alive")


@router.get("/healthz")
async def show_health_to_platforms() -> Liveness:
    """Answer platforms that ask here."""
    return Liveness(status="ok")


@router.get("/api/readyz", response_model=Health, responses=UNHEALTHY)
async def show_readiness(house: HouseDep) -> Response:
    """Say whether jobs can be taken; asks only what that needs."""
    return await _asked(house, house.needed)


@router.get("/api/health", response_model=Health, responses=UNHEALTHY)
async def show_health(house: HouseDep) -> Response:
    """Say of every dependency whether it can be reached."""
    return await _asked(house, house.watch.names)


@metrics.get("/metrics", response_class=Response, responses=EXPOSITION)
def show_metrics(house: HouseDep) -> Response:
    """Show Prometheus metrics of this process."""
    body = generate_latest(house.meters.registry)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _asked(house: House, names: Collection[str]) -> Response:
    found = await house.watch.ask(names)
    states: dict[str, State] = {
        name: "ok" if reached else "unreachable" for name, reached in found.items()
    }
    well = all(found.values())
    shown = Health(status="healthy" if well else "unhealthy", dependencies=states)
    return Response(
        shown.model_dump_json(),
        status_code=200 if well else 503,
        headers={"Cache-Control": "no-store"},
        media_type="application/json",
    )
