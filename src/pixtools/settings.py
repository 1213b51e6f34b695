"""The environment, read once into one frozen value.

Names are the contract's (§6) and stand here only; rooms get their own `config`
from `wiring`. A wrong value stops the start with one sentence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.explain import shown

NOT_YET = (
    "RABBITMQ_URL", "REDIS_URL", "S3_BUCKET", "AWS_S3_BUCKET", "STORAGE_URL",
    "API_KEY", "OIDC_ISSUER", "WEBHOOK_SIGNING_SECRET",
)  # fmt: skip
"""Variables of the contract that this version can't honour: refused, not ignored."""


class Settings(BaseSettings):
    """Every variable that PixTools reads, with its default and what it is for."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, case_sensitive=False
    )

    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one.")
    pixtools_data_dir: Path = Field(
        Path("data"), description="Where the embedded mode keeps database and files."
    )
    database_url: str = Field(
        "", description="SQLite URL; empty is a file in PIXTOOLS_DATA_DIR."
    )
    public_base_url: str = Field(
        "", description="Base of URLs shown to clients; empty follows each request."
    )
    workers: int = Field(2, ge=1, le=64, description="Pixel processes at work at once.")
    queue_size: int = Field(
        1000, ge=1, description="Jobs that may wait before 503 queue_full."
    )
    memory_budget_mb: int = Field(
        1024, ge=64, description="Memory that one pixel process may need (MB)."
    )
    max_upload_bytes: int = Field(
        30 * 1024 * 1024, ge=1, description="Largest source in bytes."
    )
    max_image_pixels: int = Field(
        100_000_000, ge=1, description="Most pixels of a source, frames counted."
    )
    task_timeout_seconds: float = Field(
        120, gt=0, description="Longest that one stage may run (seconds)."
    )
    job_retention_hours: float = Field(
        24, gt=0, description="Hours until a finished job and its files are deleted."
    )
    presigned_url_expiry_seconds: int = Field(
        86_400, ge=1, le=604_800, description="Life of download URLs (seconds)."
    )
    upload_url_expiry_seconds: int = Field(
        900, ge=1, le=604_800, description="Life of upload URLs (seconds)."
    )
    idempotency_ttl_seconds: int = Field(
        86_400, ge=1, description="How long first answers are kept (seconds)."
    )
    local_file_root: Path | None = Field(
        None, description="Folder below which source_type=local_file may read."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least serious log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        "console", description="json for machines, console for people."
    )
    metrics_enabled: bool = Field(True, description="Serve /metrics.")

    @property
    def sqlite_path(self) -> Path:
        """The database file of the embedded mode."""
        url = self.database_url
        if not url:
            return self.pixtools_data_dir / "pixtools.sqlite3"
        return Path(url.removeprefix("sqlite:///"))


def load_settings() -> Settings:
    """Read process and `.env`; raises ConfigurationInvalid naming the variable."""
    given = dotenv_values(".env") | os.environ
    refused = [name for name in NOT_YET if given.get(name)]
    if refused:
        raise ConfigurationInvalid(
            f"{refused[0]} is set, but this version runs embedded only and would "
            "ignore it: unset it, or use a version that has the cluster mode."
        )
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigurationInvalid(_sentence(error)) from None
    if settings.database_url and not settings.database_url.startswith("sqlite:///"):
        raise ConfigurationInvalid(
            "Expected sqlite:///… for DATABASE_URL but received another kind of URL."
        )
    return settings


def example() -> str:
    """The text of `.env.example`: every variable with its default and purpose."""
    lines = ["# Everything is optional: nothing set is the embedded mode.", ""]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else field.default
        lines += [f"# {field.description}", f"# {name.upper()}={default}", ""]
    return "\n".join(lines)


def _sentence(error: ValidationError) -> str:
    finding = error.errors(include_url=False)[0]
    name = str(finding["loc"][0]).upper() if finding["loc"] else "the environment"
    rule = finding["msg"][0].lower() + finding["msg"][1:]
    return f"{name} is {shown(finding['input'])}, but {rule}."
