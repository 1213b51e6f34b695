"""Everything that can go wrong, in the user's words.

    PixtoolsError
    ├── InvalidRequest            the caller asked for something that makes no sense
    │   ├── InvalidPipeline · InvalidIdempotencyKey · UnsafeDestination
    ├── SourceError               the file that was sent can't be used
    │   ├── EmptyFile · UnsupportedFormat · CorruptImage · TruncatedImage
    │   ├── UploadTooLarge · ImageTooLarge · ImageTooLargeForMemory · TooManyFrames
    │   └── SourceRefused · SourceUnreachable
    ├── OutputError               this one output can't be made
    │   ├── OutputTooLarge · OutputTooLargeForFormat · MaxBytesUnreachable
    │   └── WatermarkUnusable · DenoiserUnusable · EncodeFailed
    ├── Refused                   right request, wrong moment or wrong state
    │   ├── JobNotFound · BatchNotFound · JobExpired · JobConflict
    │   ├── DeliveryNotFound · SandboxNotFound · SecretFixed
    │   ├── UploadMissing · UploadMismatch · SourceMissing
    │   ├── LinkInvalid · LinkExpired
    │   ├── IdempotencyMismatch · IdempotencyInFlight
    │   ├── QueueFull · TenantShareExceeded · RateLimited
    │   └── KeyNotFound
    ├── AccessDenied              who asks is not known, or may not do this
    │   ├── CredentialsMissing · CredentialsInvalid
    │   └── ScopeMissing · CrossSiteRequest · HostUnknown
    ├── Interrupted               the work was stopped on purpose
    │   ├── Canceled · TimedOut · LeaseLost
    ├── Unavailable               something that we depend on is away (retryable)
    │   ├── StorageUnavailable · DatabaseUnavailable · BrokerUnavailable
    │   └── WorkerLost · IssuerUnavailable
    ├── InternalError             a fault of ours, tried again
    ├── WeightsUnusable           a file of weights can't be imported
    └── ConfigurationInvalid      a setting is wrong; the service does not start

`code` is stable and documented; `retryable` says whether the same work may
succeed later. Which HTTP status fits is `api.problems`' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field. `pointer` is a JSON pointer such as `/pipeline/0/width`."""

    pointer: str
    detail: str


class PixtoolsError(Exception):
    """Root of all errors that PixTools raises on purpose."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        fields: tuple[FieldError, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        """Say what happened; `retry_after`: in how many seconds it may fare better."""
        self.detail = detail or (type(self).__doc__ or self.code).strip()
        self.fields = fields
        self.retry_after = retry_after
        super().__init__(self.detail)


class InvalidRequest(PixtoolsError):
    """The request can't be understood."""

    code = "invalid_request"


class InvalidPipeline(InvalidRequest):
    """The pipeline can't be run as asked."""

    code = "invalid_pipeline"


class InvalidIdempotencyKey(InvalidRequest):
    """An idempotency key has 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class UnsafeDestination(InvalidRequest):
    """This address can't be used."""

    code = "unsafe_destination"


class SourceError(PixtoolsError):
    """The source image can't be used."""

    code = "source_error"


class EmptyFile(SourceError):
    """The file is empty."""

    code = "empty_file"


class UnsupportedFormat(SourceError):
    """The file is not an image of an accepted format."""

    code = "unsupported_format"


class CorruptImage(SourceError):
    """The image data is broken."""

    code = "corrupt_image"


class TruncatedImage(SourceError):
    """The image data ends too early."""

    code = "truncated_image"


class UploadTooLarge(SourceError):
    """The file has more bytes than this service accepts."""

    code = "upload_too_large"


class ImageTooLarge(SourceError):
    """The image has more pixels than this service accepts."""

    code = "image_too_large"


class ImageTooLargeForMemory(SourceError):
    """Decoding this image needs more memory than a worker may use."""

    code = "image_too_large_for_memory"


class TooManyFrames(SourceError):
    """The animation has more frames than this service accepts."""

    code = "too_many_frames"


class SourceRefused(SourceError):
    """The source can't be fetched from this address."""

    code = "source_refused"


class SourceUnreachable(SourceError):
    """The address of the source does not answer."""

    code = "source_unreachable"
    retryable = True


class OutputError(PixtoolsError):
    """This output can't be made."""

    code = "output_error"


class OutputTooLarge(OutputError):
    """The output would have more pixels than this service makes."""

    code = "output_too_large"


class OutputTooLargeForFormat(OutputError):
    """The output has longer sides than its format can hold."""

    code = "output_too_large_for_format"


class MaxBytesUnreachable(OutputError):
    """Even at the lowest quality the output is larger than max_bytes."""

    code = "max_bytes_unreachable"


class WatermarkUnusable(OutputError):
    """The watermark can't be drawn."""

    code = "watermark_unusable"


class DenoiserUnusable(OutputError):
    """The network that removes noise is not there, or its weights are broken."""

    code = "denoiser_unusable"


class EncodeFailed(OutputError):
    """The encoder refused the image."""

    code = "encode_failed"


class Refused(PixtoolsError):
    """The request is right, its moment or target is not."""

    code = "refused"


class JobNotFound(Refused):
    """There is no such job."""

    code = "job_not_found"


class BatchNotFound(Refused):
    """There is no such batch."""

    code = "batch_not_found"


class JobExpired(Refused):
    """The job and its files were deleted when their retention ended."""

    code = "job_expired"


class JobConflict(Refused):
    """The job's status does not allow this."""

    code = "job_conflict"


class DeliveryNotFound(Refused):
    """There is no such delivery."""

    code = "delivery_not_found"


class SandboxNotFound(Refused):
    """There is no such sandbox, or its time is over."""

    code = "sandbox_not_found"


class SecretFixed(Refused):
    """The operator sets this signing secret: it is changed in the environment."""

    code = "secret_fixed"


class UploadMissing(Refused):
    """Nothing was uploaded to the job's source key yet."""

    code = "upload_missing"


class UploadMismatch(Refused):
    """The uploaded file is not the one that was announced."""

    code = "upload_mismatch"


class SourceMissing(Refused):
    """The source object does not exist."""

    code = "source_missing"


class LinkInvalid(Refused):
    """This link was not made here, or was changed on its way."""

    code = "link_invalid"


class LinkExpired(LinkInvalid):
    """This link's time is over: ask for a new one."""

    code = "link_expired"


class IdempotencyMismatch(Refused):
    """This Idempotency-Key was used before with another request."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(Refused):
    """The first request with this Idempotency-Key is still being answered."""

    code = "idempotency_in_flight"
    retryable = True


class QueueFull(Refused):
    """As many jobs wait as this service lets wait."""

    code = "queue_full"
    retryable = True


class TenantShareExceeded(Refused):
    """You have as many jobs waiting as one tenant may have."""

    code = "tenant_share_exceeded"
    retryable = True


class RateLimited(Refused):
    """You ask more often than one client may."""

    code = "rate_limited"
    retryable = True


class KeyNotFound(Refused):
    """There is no such API key."""

    code = "key_not_found"


class AccessDenied(PixtoolsError):
    """You may not do this."""

    code = "access_denied"


class CredentialsMissing(AccessDenied):
    """Say who you are: send Authorization: Bearer with an API key."""

    code = "credentials_missing"


class CredentialsInvalid(AccessDenied):
    """This key or token is not known here, has expired, or was revoked."""

    code = "credentials_invalid"


class ScopeMissing(AccessDenied):
    """Your key does not allow this."""

    code = "scope_missing"


class CrossSiteRequest(AccessDenied):
    """A page of another site may not ask this in your name."""

    code = "cross_site_request"


class HostUnknown(AccessDenied):
    """Without API keys this service answers to localhost alone."""

    code = "host_unknown"


class Interrupted(PixtoolsError):
    """The work was stopped."""

    code = "interrupted"


class Canceled(Interrupted):
    """The job was canceled."""

    code = "canceled"


class TimedOut(Interrupted):
    """The work took longer than it may."""

    code = "timed_out"


class LeaseLost(Interrupted):
    """Another worker has taken over this stage."""

    code = "lease_lost"
    retryable = True


class Unavailable(PixtoolsError):
    """Something that the service depends on does not answer."""

    code = "unavailable"
    retryable = True


class StorageUnavailable(Unavailable):
    """The object store does not answer."""

    code = "storage_unavailable"


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class BrokerUnavailable(Unavailable):
    """The message broker does not answer."""

    code = "broker_unavailable"


class IssuerUnavailable(Unavailable):
    """The issuer of tokens does not answer."""

    code = "issuer_unavailable"


class WorkerLost(Unavailable):
    """The worker process died while it worked on this."""

    code = "worker_lost"


class InternalError(PixtoolsError):
    """Something went wrong inside the service."""

    code = "internal_error"
    retryable = True


class WeightsUnusable(PixtoolsError):
    """This file holds no weights that the denoiser can use."""

    code = "weights_unusable"


class ConfigurationInvalid(PixtoolsError):
    """A setting is wrong."""

    code = "configuration_invalid"


def every_error() -> dict[str, type[PixtoolsError]]:
    """Every error of this tree by its code; docs and clients are checked against it."""
    return {
        kind.code: kind
        for kind in globals().values()
        if isinstance(kind, type) and issubclass(kind, PixtoolsError)
    }
