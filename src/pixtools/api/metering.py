"""Bodies that tell what jobs have cost."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field


class UsageSum(BaseModel):
    """What jobs have cost."""

    model_config = ConfigDict(from_attributes=True)

    jobs: int = Field(description="Jobs that have ended, however they did.")
    outputs: int = Field(description="Files that were made and kept.")
    pixels_processed: int = Field(description="Pixels of the files that were made.")
    bytes_saved: int = Field(
        description="Bytes that files are smaller than their sources, each by itself."
    )
    compute_time_ms: int = Field(
        description="CPU milliseconds; what was lost and done again counts once."
    )


class _OnADay(BaseModel):
    day: date


class UsageDay(UsageSum, _OnADay):
    """What the jobs have cost that ended on one day (UTC)."""


class UsageList(BaseModel):
    """Every day from `from` to `to`, both included, and all of them together."""

    model_config = ConfigDict(from_attributes=True, validate_by_name=True)

    first: date = Field(alias="from", description="First day.")
    last: date = Field(alias="to", description="Last day.")
    data: list[UsageDay] = Field(
        validation_alias="days", description="Each day, the oldest first."
    )
    total: UsageSum
