"""What `pixtools doctor` looks at, and what `pixtools migrate` does."""

from __future__ import annotations

from pixtools.settings import Settings
from pixtools.wiring.facts import persistence_config
from pixtools.wiring.pixels import workers_config
from pixtools.wiring.storage import bucket_of, object_stores, tree_of
from pixtools.workers.pool import ProcessRenderer


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to this version's schema: the versions before and after."""
    from pixtools.persistence import migrate as migrations

    if settings.sqlite_path:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    return migrations.migrate(persistence_config(settings))


def describe_pixels(settings: Settings) -> str:
    """For `pixtools doctor`: libvips and formats, as a pixel child says them."""
    with ProcessRenderer(workers_config(settings, 1)) as renderer:
        said = renderer.capabilities()
    reads, writes = ", ".join(said.readable), ", ".join(said.writable)
    return f"libvips {said.libvips}; reads {reads}; writes {writes}"


def describe_database(settings: Settings) -> str:
    """For `pixtools doctor`: whether facts can be kept."""
    from pixtools.persistence.database import SqlDatabase

    path = settings.sqlite_path
    if path and not path.exists():
        return f"{path} will be made at the first start"
    database = SqlDatabase(persistence_config(settings))
    try:
        database.check()
    finally:
        database.close()
    return f"{path or 'PostgreSQL'} answers"


def describe_storage(settings: Settings) -> str:
    """For `pixtools doctor`: whether bytes can be kept."""
    if not bucket_of(settings):
        folder = tree_of(settings).directory
        if not folder.exists():
            return f"{folder} will be made at the first start"
    with object_stores(settings) as stores:
        stores.check()
        return (
            f"{stores.place} can be {'reached' if stores.word == 's3' else 'written'}"
        )
