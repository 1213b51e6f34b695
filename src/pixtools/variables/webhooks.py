"""How clients are told."""

from __future__ import annotations

from pydantic import BaseModel, Field

from pixtools.variables.times import LONGEST_SECONDS

_SIGNING = r"whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


class Webhooks(BaseModel):
    """Signature, patience and pauses."""

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
        60, gt=0, le=LONGEST_SECONDS, description="How long it is left alone (seconds)."
    )
