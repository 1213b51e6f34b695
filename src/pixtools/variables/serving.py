"""Where the service answers, and whom it knows."""

from __future__ import annotations

import re
from ipaddress import ip_network

from pydantic import BaseModel, Field, SecretStr, ValidationInfo, field_validator

from pixtools.domain.explain import shown

LEAST_SECRET = 16
_VISIBLE = re.compile("[!-~]+")


class Serving(BaseModel):
    """Address, keys and issuer."""

    host: str = Field("127.0.0.1", description="Address that `serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one.")
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
