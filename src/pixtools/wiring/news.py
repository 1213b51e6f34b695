"""How processes hear of each other's work and news."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from pixtools.jobs.ports.work import Bell
from pixtools.queue.bell import HouseBell
from pixtools.settings import Settings
from pixtools.wiring.facts import persistence_config


@contextmanager
def news(
    settings: Settings, house: HouseBell, *, listen: bool = True, jobs: bool = True
) -> Iterator[Bell]:
    """A bell whose rings reach every process that shares the database.

    With `listen` those of the others ring `house`: all, or without `jobs` only those
    that say that work waits. SQLite carries no news: there the
    house hears itself alone, and who waits for others looks again every second.
    """
    if settings.sqlite_path:
        yield house
        return
    from pixtools.persistence.news import Listener, PostgresBell

    config = persistence_config(settings)
    with ExitStack() as stack:
        if listen:
            on_news = house.news if jobs else None
            ear = Listener(config, lambda call: house.work([call]), on_news)
            ear.start()
            stack.enter_context(closing(ear))
        yield stack.enter_context(closing(PostgresBell(config)))
