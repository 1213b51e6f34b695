"""Who may ask this deployment, and what that is told by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.identity.config import GateConfig, OidcConfig
from pixtools.identity.gate import Gate, Tokens
from pixtools.identity.keyring import Keyring
from pixtools.jobs.ports.facts import Database
from pixtools.persistence.database import SqlDatabase
from pixtools.settings import Settings
from pixtools.storage.secrets_file import SecretsFile
from pixtools.wiring.facts import facts
from pixtools.wiring.machine import RandomIds, SystemClock


def gate(settings: Settings, database: Database) -> Gate:
    """Tells callers apart; raises ConfigurationInvalid."""
    return Gate(_gate_config(settings), keyring(settings, database), _tokens(settings))


def keyring(settings: Settings, database: Database) -> Keyring:
    """The API keys of this deployment's database."""
    secret = shared_secret(settings)
    return Keyring(
        database=database, clock=SystemClock(), ids=RandomIds(), secret=secret
    )


@contextmanager
def served_facts(settings: Settings, *, exposed: bool) -> Iterator[SqlDatabase]:
    """The database of who serves; raises ConfigurationInvalid.

    Also if it is `exposed` to other machines and would ask nobody for a key, and if
    nobody could be told by what is set.
    """
    _oidc(settings)
    with facts(settings) as database:
        check_gate(settings, database, exposed=exposed)
        yield database


def check_gate(settings: Settings, database: Database, *, exposed: bool) -> None:
    """Raise ConfigurationInvalid if all or nobody could get in, by oversight."""
    if settings.api_key.get_secret_value() or settings.oidc_issuer:
        return
    ring = keyring(settings, database)
    used = ring.is_used()
    if used and not ring.secret:
        raise ConfigurationInvalid(
            "There are API keys in the database, but none could be told: set SECRET_KEY"
            " to the value that they were made with, the same for all processes."
        )
    if exposed and not used:
        raise ConfigurationInvalid(
            "Other machines could reach this address, and nobody would be asked for a "
            "key: set API_KEY, or make a key with pixtools keys create, or listen on "
            "127.0.0.1."
        )


def shared_secret(settings: Settings) -> bytes:
    """What only the processes of this deployment know; empty if they share nothing.

    Who has a database file of their own has a file of secrets beside it, too.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        return given.encode()
    path = settings.sqlite_path
    return _kept_at(path.resolve().parent / "secret-key.json") if path else b""


def _kept_at(path: Path) -> bytes:
    try:
        return SecretsFile(path).newest()[1]
    except ConfigurationInvalid:
        raise ConfigurationInvalid(
            f"Expected a secret in {path.name} but found something else. Restore it, "
            "or delete it: then API keys made so far stop working."
        ) from None


def _gate_config(settings: Settings) -> GateConfig:
    return GateConfig(
        api_key=settings.api_key.get_secret_value(),
        secret=shared_secret(settings),
        session=timedelta(hours=settings.session_hours),
    )


def _tokens(settings: Settings) -> Tokens | None:
    config = _oidc(settings)
    if config is None:
        return None
    # Only who has an issuer loads what reads its tokens.
    from pixtools.identity.oidc import OidcTokens

    return OidcTokens(config)


def _oidc(settings: Settings) -> OidcConfig | None:
    if not settings.oidc_issuer:
        return None
    return OidcConfig(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        tenant_claim=settings.oidc_tenant_claim,
    )
