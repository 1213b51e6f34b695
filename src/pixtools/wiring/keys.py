"""API keys for whoever administers them from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pixtools.identity.keyring import Keyring
from pixtools.settings import Settings
from pixtools.wiring.facts import facts
from pixtools.wiring.identity import keyring


@contextmanager
def keys(settings: Settings) -> Iterator[Keyring]:
    """The keys of this deployment's database, which is made if there is none."""
    if settings.sqlite_path:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    with facts(settings) as database:
        yield keyring(settings, database)
