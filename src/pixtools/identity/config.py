"""Who may ask, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from pixtools.domain.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class GateConfig:
    """`api_key` opens everything of the default tenant; empty: there is none.

    `secret` is what keys of the database are digested with, the same in all processes;
    empty where there is none: then those keys can be neither made nor known. A browser
    stays signed in for `session`. What was looked up is believed for `freshness`.
    """

    api_key: str = field(default="", repr=False)
    secret: bytes = field(default=b"", repr=False)
    session: timedelta = timedelta(hours=12)
    freshness: timedelta = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcConfig:
    """An issuer of tokens, in seconds where nothing else is said.

    The tenant is what `tenant_claim` says; without one each subject is a tenant.
    Clocks may differ by `leeway`. The issuer's keys are asked for anew after `fresh`,
    for an unknown key at once but not more often than every `rest`, and while the
    issuer is away those that are known hold for `stale`. While it is slow to answer, no
    more than `waiting` callers wait for it.
    """

    issuer: str
    audience: str
    tenant_claim: str = ""
    leeway: int = 60
    fresh: float = 300.0
    stale: float = 3600.0
    rest: float = 10.0
    timeout: float = 5.0
    waiting: int = 2

    def __post_init__(self) -> None:
        """Raise ConfigurationInvalid for what could never be safe."""
        if not is_trustworthy(self.issuer):
            raise ConfigurationInvalid(
                "Expected an https:// address for OIDC_ISSUER but received another one."
            )
        if not self.audience:
            raise ConfigurationInvalid(
                "OIDC_ISSUER is set, so OIDC_AUDIENCE has to be: otherwise tokens that "
                "were made for others would be good here."
            )


def is_trustworthy(url: str) -> bool:
    """Whether nobody on the way can answer in its place: https, or this machine."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        return parts.hostname in {"localhost", "127.0.0.1", "::1"}
    return parts.scheme == "https" and bool(parts.hostname)
