"""The database of this deployment, brought up to date or refused with a sentence."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pixtools.domain.errors import ConfigurationInvalid, DatabaseUnavailable
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.database import SqlDatabase
from pixtools.settings import Settings

log = logging.getLogger(__name__)
CLOCKS_APART: Final = 5.0
"""Seconds that no clock is off which somebody sets."""


@contextmanager
def facts(settings: Settings) -> Iterator[SqlDatabase]:
    """An open database at this release's schema; raises ConfigurationInvalid.

    A file of our own is migrated on the spot. A server is shared by many processes
    and migrated by `pixtools migrate`, once for all of them.
    """
    database = SqlDatabase(persistence_config(settings))
    try:
        if settings.sqlite_path:
            _bring_up_to_date(database, settings)
        else:
            with database_named(settings), database.in_silence():
                database.check()
                if apart := clocks_apart(database):
                    log.warning("clock_differs", extra={"reason": apart})
        yield database
    finally:
        database.close()


@contextmanager
def database_named(settings: Settings) -> Iterator[None]:
    """Whoever starts us learns what is the matter, in the driver's words.

    Those name file, host and user, never the password. Raises ConfigurationInvalid.
    """
    try:
        yield
    except DatabaseUnavailable as error:
        place = settings.sqlite_path or "of DATABASE_URL"
        said = _driver_words(error)
        why = f"{error.detail.rstrip('.')} ({said})." if said else error.detail
        text = f"The database {place} can't be used: {why}"
        raise ConfigurationInvalid(text) from None


def clocks_apart(database: SqlDatabase) -> str:
    """What is wrong with this machine's clock, in a sentence; empty if nothing is.

    Who is ahead by a lease takes living workers for dead ones, whose jobs then fail.
    """
    lead = database.clock_lead().total_seconds()
    if abs(lead) < CLOCKS_APART:
        return ""
    way = "ahead of" if lead > 0 else "behind"
    return (
        f"This machine's clock is {abs(lead):.0f} s {way} the database's: keep the "
        "clocks of all machines in step (NTP), for leases and links go by them."
    )


def persistence_config(settings: Settings) -> PersistenceConfig:
    """Where facts rest, and how many may ask at once."""
    size = settings.database_pool_size
    return PersistenceConfig(url=settings.sqlalchemy_url, pool_size=size, overflow=size)


def _bring_up_to_date(database: SqlDatabase, settings: Settings) -> None:
    """Migrate in a process of its own: the service never carries Alembic."""
    try:
        with database.in_silence():
            database.check()
    except DatabaseUnavailable:
        command = [sys.executable, "-m", "pixtools", "migrate"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            why = done.stderr.strip().rpartition("\n")[2].removeprefix("✗ ")
            place = f"The database {settings.sqlite_path} can't be used: "
            raise ConfigurationInvalid(place + why.removeprefix(place)) from None
        database.check()


def _driver_words(error: BaseException) -> str:
    """What the first cause says, in one line; nothing where the finding is ours."""
    cause = error.__cause__
    while cause is not None and cause.__cause__ is not None:
        cause = cause.__cause__
    return "" if cause is None else " ".join(str(cause).split())
