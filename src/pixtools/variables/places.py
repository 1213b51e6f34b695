"""Where facts, messages and bytes rest."""

from __future__ import annotations

from pathlib import Path

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from pixtools.variables.addresses import check_address, check_redis_options


class Places(BaseModel):
    """Database, broker, Redis, bucket, and the addresses that lead to them."""

    pixtools_data_dir: Path = Field(
        Path("data"), description="Where the embedded mode keeps database and files."
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
        description="redis://…; holds rate limits that all servers share. A question "
        "may take 0.1 s, or socket_timeout if the URL has one (?socket_timeout=0.5).",
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

    @field_validator("database_url", "rabbitmq_url", "redis_url")
    @classmethod
    def _can_be_read(cls, url: str, field: ValidationInfo) -> str:
        check_address(str(field.field_name).upper(), url)
        if field.field_name == "redis_url":
            check_redis_options(url)
        return url

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
