"""Bodies of the /v1 face that are not the job document itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SkipValidation,
    TypeAdapter,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pixtools.domain.document import BatchDocument, JobDocument
from pixtools.domain.identity import Scope
from pixtools.domain.operations.actions import Step


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


SourceTypeName = Annotated[
    Literal["s3_presigned", "object", "local_file", "url"], BeforeValidator(_lowered)
]
Steps = SkipValidation[list[Step]]
"""Checked by `Pipeline.parse`, documented by its type."""


class Body(BaseModel):
    """A request body: unknown names are errors, values are never coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Wish(Body):
    """What is asked of a source, wherever it comes from."""

    pipeline: Steps | None = Field(None, description="Steps; or name a preset.")
    preset: str | None = Field(
        None, max_length=64, description="A pipeline that the server holds."
    )
    archive: bool = Field(True, description="Whether a ZIP of all outputs is made.")
    webhook_url: str | None = Field(
        None, max_length=2048, description="Where to tell that the job has ended."
    )
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="The client's own words, given back as sent."
    )
    batch_id: str | None = Field(None, max_length=64, description="A batch to join.")

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        if (self.pipeline is None) == (self.preset is None):
            got = "neither" if self.pipeline is None else "both"
            raise PydanticCustomError(
                "one_wish",
                "Expected either pipeline or preset but received {got}.",
                {"got": got, "field": "pipeline"},
            )
        return self


class NewJob(Wish):
    """A job whose source is not part of this request."""

    source_type: SourceTypeName = Field(description="Where the photo comes from.")
    object_key: str | None = Field(
        None,
        min_length=1,
        max_length=1024,
        description="Key of an existing object, or path below the local root.",
    )
    url: str | None = Field(
        None,
        max_length=2048,
        description="Where a worker fetches the photo; public addresses only.",
    )
    filename: str | None = Field(
        None, max_length=1024, description="What the file is called on downloads."
    )
    content_type: str | None = Field(
        None, max_length=255, description="What the upload will be sent as."
    )
    bytes: int | None = Field(None, ge=1, description="Size of the file.")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-fA-F]{64}$", description="Hash of the file, in hex."
    )

    @model_validator(mode="after")
    def _fits_its_source(self) -> Self:
        stored = self.source_type in ("object", "local_file")
        if stored and not self.object_key:
            raise PydanticCustomError(
                "object_key_missing",
                "Expected object_key for source_type={kind} but received none.",
                {"kind": self.source_type, "field": "object_key"},
            )
        if not stored and self.object_key:
            raise PydanticCustomError(
                "object_key_unexpected",
                "object_key does not go with source_type={kind}.",
                {"kind": self.source_type, "field": "object_key"},
            )
        if (self.source_type == "url") != bool(self.url):
            raise PydanticCustomError(
                "url_and_source_type",
                "Expected url with source_type=url, and with no other.",
                {"field": "url"},
            )
        return self


class UploadForm(BaseModel):
    """The form of a job whose photo comes with it. JSON values are sent as text."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
    pipeline: Annotated[
        list[Step] | None, Field(description="Steps, as JSON; or name a preset.")
    ] = None
    preset: str | None = None
    archive: bool = True
    webhook_url: str | None = Field(None, max_length=2048)
    metadata: dict[str, Any] = Field(default_factory=dict)
    batch_id: str | None = None


class BatchForm(BaseModel):
    """Photos that come together: one pipeline for all, one ZIP."""

    file: Annotated[
        list[Annotated[str, Field(json_schema_extra={"format": "binary"})]],
        Field(description="Repeat the field for each photo."),
    ]
    pipeline: Annotated[
        list[Step] | None, Field(description="Steps, as JSON; or name a preset.")
    ] = None
    preset: str | None = None
    archive: bool = True
    closed: bool = True
    webhook_url: str | None = Field(None, max_length=2048)
    metadata: dict[str, Any] = Field(default_factory=dict)


class ClassicForm(BaseModel):
    """The form of POST /api/process."""

    file: Annotated[str, Field(json_schema_extra={"format": "binary"})]
    operations: Annotated[
        str, Field(description='JSON array, for example `["webp","metadata"]`.')
    ]
    operation_params: Annotated[
        str | None,
        Field(description='JSON object, for example `{"webp":{"quality":80}}`.'),
    ] = None
    webhook_url: str | None = Field(None, max_length=2048)


class NewBatch(Body):
    """A batch; `closed` says that no more jobs will join it."""

    archive: bool = Field(True, description="Whether one ZIP of all outputs is made.")
    closed: bool | None = Field(
        None, description="Default: closed if jobs are given here, else open."
    )
    jobs: list[NewJob] = Field(
        default_factory=list, max_length=100, description="Jobs to begin with."
    )


class Upload(BaseModel):
    """Where and how to PUT the photo: exactly these headers."""

    method: str
    object_key: str
    presigned_put_url: str
    presigned_url_state: Literal["ready"] = "ready"
    headers: dict[str, str]
    expires_at: datetime


class AnnouncedJob(JobDocument):
    """A job that waits for its upload."""

    upload: Upload
    start_url: str = Field(description="POST there when the upload is done.")


class JobList(BaseModel):
    """One page of jobs, newest first."""

    data: list[JobDocument]
    has_more: bool
    next_cursor: str | None = Field(description="Pass it as `cursor` for what follows.")


class NewBatchDocument(BatchDocument):
    """A batch just made; presigned uploads of its jobs stand in `uploads`."""

    uploads: dict[str, Upload] = Field(
        default_factory=dict, description="Where to PUT each photo, by job id."
    )


class PresetDocument(BaseModel):
    """A pipeline that the server holds."""

    name: str
    help: str
    pipeline: list[dict[str, Any]]


class PresetList(BaseModel):
    """All presets."""

    data: list[PresetDocument]


class Catalogue(BaseModel):
    """What this deployment can do: actions as JSON Schema, formats as facts."""

    actions: dict[str, dict[str, Any]]
    formats: list[dict[str, Any]]


class LimitsDocument(BaseModel):
    """Bounds on a job; bytes, pixels, seconds and hours as named."""

    max_upload_bytes: int = Field(description="Of a source (MAX_UPLOAD_BYTES).")
    max_pixels: int = Field(
        description="Of a source, frames counted, and of an output (MAX_IMAGE_PIXELS)."
    )
    max_side: int = Field(description="Longest side of a source, in pixels.")
    max_frames: int = Field(description="Frames of an animation.")
    max_steps: int = Field(description="Steps of a pipeline.")
    max_output_side: int = Field(
        description="Longest side of an output, in pixels; formats may hold less."
    )
    timeout_seconds: float = Field(
        description="Longest that a stage may run (TASK_TIMEOUT_SECONDS); one that "
        "denoises longer, by its photo's size."
    )
    retention_hours: float = Field(
        description="How long an ended job and its files stay (JOB_RETENTION_HOURS)."
    )
    upload_expiry_seconds: float = Field(
        description="How long an upload may begin (UPLOAD_URL_EXPIRY_SECONDS)."
    )
    max_batch_files: int = Field(description="Photos of one batch request.")
    max_wait_seconds: float = Field(description="Longest `wait` of GET /v1/jobs/{id}.")
    max_usage_days: int = Field(description="Days of one GET /v1/usage.")
    usage_retention_days: float = Field(
        description="How long usage is kept (USAGE_RETENTION_DAYS)."
    )


class Liveness(BaseModel):
    """The process answers."""

    status: str


class Health(BaseModel):
    """Whether everything that the service depends on can be reached."""

    status: Literal["healthy", "unhealthy"]
    dependencies: dict[str, Literal["ok", "unreachable"]]


class SignIn(Body):
    """An API key, sent once, by a browser that wants to be signed in."""

    key: str = Field(description="The key; it is never shown or repeated.")


class SessionDocument(BaseModel):
    """Whether callers have to be known here, and as whom this one is."""

    authentication: Literal["off", "required"]
    tenant: str | None = Field(description="Whose jobs are seen; null: sign in first.")
    scopes: list[Scope] = Field(description="`read` looks, `write` changes.")


NEW_JOB: TypeAdapter[NewJob] = TypeAdapter(NewJob)
NEW_BATCH: TypeAdapter[NewBatch] = TypeAdapter(NewBatch)
WISH: TypeAdapter[Wish] = TypeAdapter(Wish)
