"""Opening a bucket with obstore.

Its threads begin with the first request and do not survive a fork: a process that
forks has to open its own bucket afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from obstore.store import AzureStore, ObjectStore, S3Store

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.config import LONGEST_BACKOFF, ObjectsConfig

if TYPE_CHECKING:  # obstore tells these to type checkers only
    from obstore.store import ClientConfig, RetryConfig, S3Config

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FIRST_BACKOFF = timedelta(milliseconds=100)
_IMPATIENCE = timedelta(seconds=3)


def open_store(config: ObjectsConfig) -> ObjectStore:
    """A bucket, with time-outs and bounded retries; nothing is asked of it yet.

    Raises ConfigurationInvalid.
    """
    try:
        if config.kind == "s3":
            return _s3(config)
        return AzureStore(
            config.bucket,
            prefix=config.prefix or None,
            client_options=_client(config),
            retry_config=_retry(config),
        )
    except Exception as fault:
        raise ConfigurationInvalid(_unopened(config, fault)) from fault


def impatient(config: ObjectsConfig) -> ObjectsConfig:
    """For a health check: one try, and an answer within seconds."""
    return replace(
        config,
        connect_timeout=_IMPATIENCE,
        request_timeout=_IMPATIENCE,
        retry_timeout=_IMPATIENCE,
        retries=0,
    )


def _s3(config: ObjectsConfig) -> ObjectStore:
    told: S3Config = {"region": config.region}
    if config.access_key:
        told["access_key_id"] = config.access_key
        told["secret_access_key"] = config.secret_key
    if config.session_token:
        told["session_token"] = config.session_token
    if config.endpoint:
        told["endpoint"] = config.endpoint
    if _keeps_bytes_whole(config.endpoint):
        told["unsigned_payload"] = True
    return S3Store(
        config.bucket,
        prefix=config.prefix or None,
        config=told,
        client_options=_client(config),
        retry_config=_retry(config),
    )


def _keeps_bytes_whole(endpoint: str) -> bool:
    """Whether nobody on the way can change bytes: TLS sees to it, or there is no way.

    Elsewhere each body's SHA-256 is part of its signature, which costs reading it once
    more on both sides.
    """
    found = urlsplit(endpoint)
    return found.scheme != "http" or found.hostname in LOOPBACK


def _client(config: ObjectsConfig) -> ClientConfig:
    return {
        "allow_http": config.endpoint.startswith("http://"),
        "connect_timeout": config.connect_timeout,
        "timeout": config.request_timeout,
        "user_agent": "pixtools",
    }


def _retry(config: ObjectsConfig) -> RetryConfig:
    return {
        "max_retries": config.retries,
        "retry_timeout": config.retry_timeout,
        "backoff": {
            "init_backoff": _FIRST_BACKOFF,
            "max_backoff": LONGEST_BACKOFF,
            "base": 2,
        },
    }


def _unopened(config: ObjectsConfig, fault: Exception) -> str:
    reason = str(fault).partition("\n")[0].rstrip(".")
    return f"The bucket {config.kind}://{config.bucket} can't be opened: {reason}."
