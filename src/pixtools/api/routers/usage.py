"""What your jobs have cost, by day."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from pixtools.api.deps import ServiceDep, TenantDep
from pixtools.api.metering import UsageList
from pixtools.api.refusals import refusals
from pixtools.domain.explain import shown
from pixtools.jobs.usage import MOST_DAYS, SHOWN_DAYS, usage_by_day

router = APIRouter(prefix="/v1", tags=["usage"])
FROM: Final = f"First day (UTC), of at most {MOST_DAYS}; else {SHOWN_DAYS} are shown."
TO: Final = "Last day (UTC); else today."
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _day(value: object) -> object:
    """Only a day as ISO 8601 writes it: no moment, no count of seconds."""
    text = str(value)
    with suppress(ValueError):
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    said = "Expected a day such as 2026-01-31 but received {got}."
    raise PydanticCustomError("day", said, {"got": shown(value)})


Day = Annotated[date, BeforeValidator(_day)]


@router.get("/usage", responses=refusals("invalid_request"))
def show_usage(
    service: ServiceDep,
    tenant: TenantDep,
    response: Response,
    first: Annotated[Day | None, Query(alias="from", description=FROM)] = None,
    last: Annotated[Day | None, Query(alias="to", description=TO)] = None,
) -> UsageList:
    """Show what your jobs have cost, each on the day (UTC) on which it ended.

    A job counts once, whatever was tried again on the way. One that was never begun
    costs nothing and is not counted. Deleting a job does not change what it has cost.
    """
    response.headers["Cache-Control"] = "no-store"
    report = usage_by_day(service, tenant, first, last)
    return UsageList.model_validate(report)
