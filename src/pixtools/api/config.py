"""What the operator decides about the HTTP face."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Bounds on requests, and what is switched on. Times are in seconds.

    How large an upload or an image may be stands in `jobs.service.Rules.limits`;
    here are only the bounds that HTTP itself needs. `public_base_url` goes before
    every link of the OpenAPI document where the service stands behind a proxy.
    `link_period` is how long a 304 may go on telling a client that it has the present
    document: its links grow old meanwhile.
    Whoever listens to a stream is asked for anew every `standing_interval`: a key that
    was revoked opens nothing for longer.
    With `limit_strangers` also callers that nobody knows have a quota, by address.
    """

    version: str = "0"
    public_base_url: str | None = None
    docs: bool = True
    metrics: bool = True
    limit_strangers: bool = True
    max_json_bytes: int = MIB
    max_field_bytes: int = 64 * KIB
    max_fields: int = 32
    max_batch_files: int = 100
    max_client_metadata_bytes: int = 16 * KIB
    max_wait: float = 30.0
    idle_timeout: float = 60.0
    poll_interval: float = 1.0
    progress_interval: float = 0.25
    ping_interval: float = 15.0
    standing_interval: float = 10.0
    lookup_timeout: float = 3.0
    link_period: float = 300.0
    probe_timeout: float = 2.0
    probe_freshness: float = 1.0
