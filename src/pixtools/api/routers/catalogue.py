"""What this deployment can do, for pages and clients."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Response

from pixtools.api.deps import HouseDep, ServiceDep
from pixtools.api.refusals import refusals
from pixtools.api.schemas import (
    Catalogue,
    LimitsDocument,
    PresetDocument,
    PresetList,
)
from pixtools.domain.catalogue import catalogue
from pixtools.domain.presets import PRESETS
from pixtools.jobs.usage import MOST_DAYS

router = APIRouter(prefix="/v1", tags=["catalogue"])
CACHED = {"Cache-Control": "public, max-age=60"}


@router.get("/operations", responses=refusals())
def list_operations(service: ServiceDep, response: Response) -> Catalogue:
    """List the actions as JSON Schema, and the formats that are read and written."""
    response.headers.update(CACHED)
    return Catalogue.model_validate(catalogue(service.rules.capabilities))


@router.get("/presets", responses=refusals())
def list_presets(response: Response) -> PresetList:
    """List the pipelines that the server holds."""
    response.headers.update(CACHED)
    shown = [
        PresetDocument(
            name=each.name, help=each.help, pipeline=each.pipeline.canonical()
        )
        for each in PRESETS.values()
    ]
    return PresetList(data=shown)


@router.get("/limits", responses=refusals())
def show_limits(house: HouseDep, response: Response) -> LimitsDocument:
    """Show how large a job may be, and how long its files stay."""
    response.headers.update(CACHED)
    rules, limits = house.service.rules, house.service.rules.limits
    return LimitsDocument(
        max_upload_bytes=limits.max_upload_bytes,
        max_pixels=limits.max_pixels,
        max_side=limits.max_side,
        max_frames=limits.max_frames,
        max_steps=limits.max_steps,
        max_output_side=limits.max_output_side,
        timeout_seconds=limits.timeout_seconds,
        retention_hours=rules.retention.total_seconds() / 3600,
        upload_expiry_seconds=rules.upload_expiry.total_seconds(),
        max_batch_files=house.config.max_batch_files,
        max_wait_seconds=house.config.max_wait,
        max_usage_days=MOST_DAYS,
        usage_retention_days=rules.usage_retention / timedelta(days=1),
    )
