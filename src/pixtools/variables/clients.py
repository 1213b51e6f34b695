"""What clients may ask of us, and how often."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from pixtools.variables.times import LONGEST_SECONDS


class Clients(BaseModel):
    """Sources that we fetch, addresses that we call, rates."""

    local_file_root: Path | None = Field(
        None, description="Folder below which source_type=local_file may read."
    )
    source_timeout_seconds: float = Field(
        30, gt=0, le=600, description="Longest that fetching a source may take."
    )
    source_allowed_networks: str = Field(
        "",
        description="Private networks that source_type=url may fetch from, as "
        "10.1.0.0/16,fd00:1::/32.",
    )
    webhook_allowed_networks: str = Field(
        "", description="Private networks that webhooks may be sent to, likewise."
    )
    outbound_https_only: bool = Field(
        False, description="Call the addresses that clients give by https alone."
    )
    rate_limit_enabled: bool | None = Field(
        None,
        description="Limit requests; empty does so for callers that are known, and "
        "where REDIS_URL is set for all.",
    )
    rate_limit_capacity: int = Field(
        60, ge=1, description="Requests that one client may make in a window."
    )
    rate_limit_window: float = Field(
        60, gt=0, le=LONGEST_SECONDS, description="Length of that window (seconds)."
    )
