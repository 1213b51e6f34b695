"""What `pixtools doctor` looks at, and what `pixtools migrate` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from urllib.parse import urlsplit

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.domain.explain import shown
from pixtools.settings import Settings
from pixtools.storage.bucket_rules import cors_rules, lifecycle_rules
from pixtools.storage.bucket_setup import Notice, set_up
from pixtools.wiring.facts import clocks_apart, database_named, persistence_config
from pixtools.wiring.pixels import workers_config
from pixtools.wiring.storage import bucket_of, stores_of, tree_of, unusable
from pixtools.workers.pool import ProcessRenderer


def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the database to this version's schema: the versions before and after.

    Raises ConfigurationInvalid and DatabaseUnavailable.
    """
    from pixtools.persistence import migrate as migrations

    if settings.sqlite_path:
        settings.sqlite_path.parent.mkdir(parents=True, exist_ok=True)
    with database_named(settings):
        return migrations.migrate(persistence_config(settings))


def set_up_storage(
    settings: Settings, origins: Sequence[str] = (), *, create: bool = False
) -> Iterator[Notice]:
    """Bring the object store into the state that the service wants, as it may.

    Pages of `origins`, and our own where PUBLIC_BASE_URL tells its address, may use
    signed links. Raises ConfigurationInvalid and StorageUnavailable.
    """
    bucket = bucket_of(settings)
    if bucket is None:
        place = tree_of(settings).directory
        yield Notice(done=True, sentence=f"{place} needs nothing to be set up.")
        return
    lifecycle = lifecycle_rules(
        settings.s3_retention_days,
        bucket.prefix,
        retention=timedelta(hours=settings.job_retention_hours),
    )
    pages = [_origin(url) for url in (*origins, settings.public_base_url) if url]
    cors = cors_rules(pages, bucket.prefix)
    yield from set_up(bucket, lifecycle=lifecycle, cors=cors, create=create)


def describe_pixels(settings: Settings) -> str:
    """For `pixtools doctor`: libvips, formats, networks, as a pixel child says them."""
    with ProcessRenderer(workers_config(settings, 1)) as renderer:
        said = renderer.capabilities()
    reads, writes = ", ".join(said.readable), ", ".join(said.writable)
    models = ", ".join(said.models) or "nothing"
    return (
        f"libvips {said.libvips}; reads {reads}; writes {writes}; denoises by {models}"
    )


def describe_database(settings: Settings) -> str:
    """For `pixtools doctor`: whether facts can be kept."""
    from pixtools.persistence.database import SqlDatabase

    path = settings.sqlite_path
    if path and not path.exists():
        return f"{path} will be made at the first start"
    database = SqlDatabase(persistence_config(settings))
    try:
        with database_named(settings):
            database.check()
            with database.write() as tx:
                # To lock a row takes the right to change it, even where there is none.
                tx.jobs.get("", lock=True)
            if apart := clocks_apart(database):
                raise ConfigurationInvalid(apart)
    finally:
        database.close()
    return f"{path or 'PostgreSQL'} answers"


def describe_redis(settings: Settings) -> str:
    """For `pixtools doctor`: whether servers can share their rate limits."""
    from redis import RedisError

    from pixtools.limits.config import RedisConfig
    from pixtools.limits.redis import check

    try:
        check(RedisConfig(url=settings.redis_url))
    except (RedisError, OSError) as error:
        text = f"Redis of REDIS_URL can't be used: {error}"
        raise ConfigurationInvalid(text) from None
    return "Redis answers"


def describe_broker(settings: Settings) -> str:
    """For `pixtools doctor`: whether workers can be woken."""
    from pixtools.queue.broker import Broker
    from pixtools.queue.config import BrokerConfig

    with closing(Broker(BrokerConfig(url=settings.rabbitmq_url))) as broker:
        broker.check()
    return "RabbitMQ answers"


def describe_storage(settings: Settings) -> str:
    """For `pixtools doctor`: whether bytes can be kept."""
    if not bucket_of(settings):
        folder = tree_of(settings).directory
        if not folder.exists():
            return f"{folder} will be made at the first start"
    stores = stores_of(settings)
    try:
        stores.check()
    except StorageUnavailable as fault:
        raise unusable(stores, fault) from None
    return f"{stores.place} can be used"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationInvalid(
            f"Expected a page's origin, like https://photos.example.org, but received "
            f"{shown(url)}."
        )
    return f"{parts.scheme}://{parts.netloc}"
