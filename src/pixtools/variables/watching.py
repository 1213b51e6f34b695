"""What may be seen from outside."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class Watching(BaseModel):
    """Logs and metrics."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least serious log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        "console", description="json for machines, console for people."
    )
    metrics_enabled: bool = Field(True, description="Serve /metrics.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's or scheduler's metrics."
    )
