"""The environment, read once into one frozen value.

Names are the contract's (§6) and stand here only; rooms get their own `config`
from `wiring`. A wrong value stops the start with one sentence.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.explain import shown

LEAST_SECRET = 16
_VISIBLE = re.compile("[!-~]+")

EXPECTED_URLS = {
    "DATABASE_URL": "sqlite:///… or postgresql://…",
    "RABBITMQ_URL": "amqp://… or amqps://…",
    "REDIS_URL": "redis://… or rediss://…",
    "WEBHOOK_SIGNING_SECRET": "whsec_ and 24 to 64 bytes in base64 (or two of these)",
    "WEBHOOK_RETRY_SECONDS": "seconds with commas between",
}
"""Their values hold passwords, so a sentence about them shows none."""

_SIGNING = r"whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


class Settings(BaseSettings):
    """Every variable that PixTools reads, with its default and what it is for."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        case_sensitive=False,
    )

    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one.")
    pixtools_data_dir: Path = Field(
        Path("data"), description="Where the embedded mode keeps database and files."
    )
    api_key: SecretStr = Field(
        SecretStr(""), description="A key that opens everything of the default tenant."
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Random text, the same for all processes, that API keys are "
        "digested and webhook secrets encrypted with; needed with PostgreSQL, else a "
        "file beside the database.",
    )
    session_hours: float = Field(
        12, gt=0, le=8760, description="Hours that a browser stays signed in."
    )
    oidc_issuer: str = Field(
        "", description="https://…; tokens that this issuer signed are good here."
    )
    oidc_audience: str = Field(
        "", description="What its tokens have to say whom they are for."
    )
    oidc_tenant_claim: str = Field(
        "", description="Claim that names the tenant; empty: one for each subject."
    )
    forwarded_allow_ips: str = Field(
        "127.0.0.1",
        description="Proxies in front, by address or network, whose X-Forwarded-For "
        "and -Proto are believed; * believes everyone.",
    )
    database_url: str = Field(
        "",
        pattern=r"^$|^sqlite:///.|^postgres(ql)?(\+\w+)?://.",
        description="sqlite:///… or postgresql://…; empty is a file in "
        "PIXTOOLS_DATA_DIR.",
    )
    database_pool_size: int = Field(
        8, ge=1, le=200, description="Connections kept open; as many again may come."
    )
    rabbitmq_url: str = Field(
        "",
        pattern="^$|^amqps?://.",
        description="amqp://…; set, work goes through Celery to `pixtools worker`.",
    )
    redis_url: str = Field(
        "",
        pattern="^$|^(rediss?|unix)://.",
        description="redis://…; holds rate limits that all servers share.",
    )
    s3_bucket: str = Field(
        "",
        validation_alias=AliasChoices("s3_bucket", "aws_s3_bucket"),
        description="Bucket that objects rest in; empty keeps them on this machine.",
    )
    aws_access_key_id: str = Field(
        "", description="Key of the bucket; empty asks the machine's own identity."
    )
    aws_secret_access_key: SecretStr = Field(SecretStr(""), description="Its secret.")
    aws_session_token: SecretStr = Field(
        SecretStr(""), description="Third part of a temporary key."
    )
    aws_region: str = Field("us-east-1", description="Region of the bucket.")
    aws_endpoint_url: str = Field(
        "", description="Where S3 answers; empty is AWS itself."
    )
    s3_public_endpoint_url: str = Field(
        "", description="Where clients reach S3, for signed URLs; empty: as we do."
    )
    s3_public_base_url: str = Field(
        "", description="Outputs are public below this URL and get plain links."
    )
    s3_retention_days: int = Field(
        7, ge=1, description="Days until the bucket itself deletes objects."
    )
    storage_url: str = Field(
        "",
        description="Instead of S3_BUCKET: s3://bucket/prefix, file:///dir or az://….",
    )
    public_base_url: str = Field(
        "", description="Base of URLs shown to clients; empty follows each request."
    )
    workers: int = Field(2, ge=1, le=64, description="Pixel processes at work at once.")
    queue_size: int = Field(
        1000, ge=1, description="Jobs that may wait before 503 queue_full."
    )
    tenant_share: float = Field(
        1.0, gt=0, le=1, description="Share of QUEUE_SIZE that one tenant may take."
    )
    heavy_ms: int = Field(
        8000, ge=1, description="Estimated milliseconds from which work is heavy."
    )
    ml_queue_isolation_enabled: bool = Field(
        True, description="Denoising waits in ml_inference_queue, apart from the rest."
    )
    lease_seconds: float = Field(
        60, ge=1, description="Silence after which a worker's stage is taken up again."
    )
    worker_heartbeat_file: Path | None = Field(
        None, description="File that a living `pixtools worker` touches."
    )
    scheduler_heartbeat_file: Path | None = Field(
        None, description="File that a living `pixtools scheduler` touches."
    )
    memory_budget_mb: int = Field(
        1024, ge=64, description="Memory that pictures of one process may take (MB)."
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
    usage_retention_days: int = Field(
        400, ge=1, le=36_500, description="Days that the usage of jobs is kept."
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
        60, gt=0, description="Length of that window (seconds)."
    )
    webhook_signing_secret: str = Field(
        "",
        pattern=f"^$|^{_SIGNING}( {_SIGNING})?$",
        repr=False,
        description="whsec_… that webhooks are signed with; two while it is changed.",
    )
    webhook_timeout: float = Field(
        15, gt=0, le=60, description="Longest that a receiver may take (seconds)."
    )
    webhook_max_attempts: int = Field(
        7, ge=1, le=50, description="Attempts to tell a client, the first one counted."
    )
    webhook_retry_seconds: str = Field(
        "5,30,120,600,3600,21600",
        pattern=r"^\d+(\.\d+)?(,\d+(\.\d+)?)*$",
        description="Pauses before retries; the last one is repeated.",
    )
    webhook_cb_fail_threshold: int = Field(
        5, ge=1, description="Failures in a row after which a host is left alone."
    )
    webhook_cb_reset_timeout: float = Field(
        60, gt=0, description="How long it is left alone (seconds)."
    )
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

    @field_validator("api_key", "secret_key")
    @classmethod
    def _is_a_secret(cls, given: SecretStr, info: ValidationInfo) -> SecretStr:
        text, name = given.get_secret_value(), str(info.field_name).upper()
        if text and (len(text) < LEAST_SECRET or not _VISIBLE.fullmatch(text)):
            raise ValueError(
                f"Expected at least {LEAST_SECRET} visible ASCII characters for {name} "
                "but received another value."
            )
        return given

    @field_validator("forwarded_allow_ips")
    @classmethod
    def _are_addresses(cls, given: str) -> str:
        for part in () if given == "*" else given.split(","):
            try:
                ip_network(part.strip())
            except ValueError:
                raise ValueError(
                    "Expected addresses, networks or * for FORWARDED_ALLOW_IPS but "
                    f"received {shown(part.strip())}."
                ) from None
        return given

    @property
    def sqlite_path(self) -> Path | None:
        """The database file; None where DATABASE_URL leads to PostgreSQL."""
        url = self.database_url
        if not url:
            return self.pixtools_data_dir / "pixtools.sqlite3"
        path = url.removeprefix("sqlite:///")
        return Path(path) if path != url else None

    @property
    def sqlalchemy_url(self) -> str:
        """The database in SQLAlchemy's words, with the driver that we bring."""
        if self.sqlite_path is not None:
            return f"sqlite:///{self.sqlite_path.resolve()}"
        return f"postgresql+psycopg://{self.database_url.partition('://')[2]}"


def load_settings() -> Settings:
    """Read process and `.env`; raises ConfigurationInvalid naming the variable."""
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationInvalid(_sentence(error)) from None


def example() -> str:
    """The text of `.env.example`: every variable with its default and purpose."""
    lines = ["# Everything is optional: nothing set is the embedded mode.", ""]
    for name, field in Settings.model_fields.items():
        default = _shown_default(field.default)
        lines += [f"# {field.description}", f"# {name.upper()}={default}", ""]
    return "\n".join(lines)


def _shown_default(default: object) -> object:
    if isinstance(default, SecretStr):
        return ""
    return "" if default is None else default


def _sentence(error: ValidationError) -> str:
    finding = error.errors(include_url=False)[0]
    name = str(finding["loc"][0]).upper() if finding["loc"] else "the environment"
    if finding["type"] == "string_pattern_mismatch":
        return f"Expected {EXPECTED_URLS[name]} for {name} but received another value."
    if finding["type"] == "value_error":  # a sentence of ours, which shows no secret
        return str(finding["ctx"]["error"])
    rule = finding["msg"][0].lower() + finding["msg"][1:]
    return f"{name} is {shown(finding['input'])}, but {rule}."
