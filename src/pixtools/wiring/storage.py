"""Where bytes rest in this deployment: a tree of this machine, or a bucket."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.domain.keys import folders
from pixtools.jobs.expire import expire
from pixtools.jobs.orphans import drop_orphans
from pixtools.jobs.ports.blobs import Blobs, Links
from pixtools.jobs.service import Service
from pixtools.settings import Settings
from pixtools.storage.config import (
    LONGEST_BACKOFF,
    ObjectsConfig,
    StorageConfig,
    storage_url,
)
from pixtools.storage.scratch import ScratchDirectories
from pixtools.storage.told import told
from pixtools.wiring.machine import SystemClock

if TYPE_CHECKING:
    from fastapi import APIRouter

LEFTOVER_AGE = timedelta(hours=1)
"""Then what a writer left unfinished is a dead one's."""

LEAST_REQUEST = timedelta(seconds=3)
"""However short a lease is: a part of 8 MiB has to get through."""

UPLOADS_ARRIVE_WITHIN = 4
"""Lives of an upload link: a job waits for two, a link made last lives one more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStores:
    """All that a process needs to keep bytes, and to keep their place in order.

    `check` raises StorageUnavailable; health calls it by `word`. `place` is for
    people. `sweep` removes what writers left that died so long ago, and `still`
    names jobs whose files lie still, for `drop_orphans`. `doors` gives the routers
    that serve and take files behind our own links: none where a bucket does. `origins`
    are those that links to files lead to, where that is not our own.
    """

    blobs: Blobs
    links: Links
    scratch: ScratchDirectories
    word: Literal["storage", "s3"]
    place: str
    check: Callable[[], object]
    sweep: Callable[[timedelta], int]
    still: Callable[[], Iterable[str]]
    doors: Callable[[], Sequence[APIRouter]]
    origins: Callable[[], Sequence[str]]


@contextmanager
def object_stores(settings: Settings) -> Iterator[ObjectStores]:
    """The stores that the settings name; raises ConfigurationInvalid.

    A bucket that refuses us stops the start. One that does not answer does not: it
    may come back, and until then health tells.
    """
    stores = stores_of(settings)
    if bucket_of(settings):
        _refuse_refusals(stores)
    yield stores


def stores_of(settings: Settings) -> ObjectStores:
    """The same, of which nothing is asked yet."""
    bucket = bucket_of(settings)
    return _in_bucket(settings, bucket) if bucket else _in_tree(tree_of(settings))


def unusable(stores: ObjectStores, fault: StorageUnavailable) -> ConfigurationInvalid:
    """What stands in the way, in the store's own words."""
    return ConfigurationInvalid(f"{stores.place} can't be used: {told(fault)}")


def make_room(settings: Settings, objects: ObjectStores) -> None:
    """Clear away what the dead left in scratch; raises ConfigurationInvalid.

    A worker that can make no file there would put aside, time and again, every job
    that the others could have done.
    """
    try:
        objects.scratch.sweep()
        with objects.scratch.directory():
            pass
    except StorageUnavailable as fault:
        at_hand = settings.storage_url.startswith("file:")
        name = "STORAGE_URL" if at_hand else "PIXTOOLS_DATA_DIR"
        text = f"There is no room to work in at {name}: {told(fault)}"
        raise ConfigurationInvalid(text) from fault


def prune(service: Service, objects: ObjectStores) -> int:
    """Delete what has expired and what nobody will finish; how many jobs went."""
    try:
        objects.sweep(LEFTOVER_AGE)
        drop_orphans(service, objects.still())
    finally:  # what lies in the way there holds up nothing here
        gone = expire(service)
    return gone


def bucket_of(settings: Settings) -> ObjectsConfig | None:
    """The bucket that S3_BUCKET or STORAGE_URL names, if one does."""
    if settings.s3_bucket and settings.storage_url:
        raise ConfigurationInvalid(
            "S3_BUCKET and STORAGE_URL both name a store: unset one of them."
        )
    kind, place, prefix = _named(settings)
    if kind == "file":
        return None
    lease = timedelta(seconds=settings.lease_seconds)
    request = max(LEAST_REQUEST, (lease / 2 - LONGEST_BACKOFF) / 2)
    return ObjectsConfig(
        kind=kind,
        bucket=place,
        prefix=prefix,
        region=settings.aws_region,
        endpoint=settings.aws_endpoint_url.rstrip("/"),
        public_endpoint=settings.s3_public_endpoint_url.rstrip("/"),
        public_base_url=settings.s3_public_base_url.rstrip("/"),
        access_key=settings.aws_access_key_id,
        secret_key=settings.aws_secret_access_key.get_secret_value(),
        session_token=settings.aws_session_token.get_secret_value(),
        download_expiry=timedelta(seconds=settings.presigned_url_expiry_seconds),
        upload_expiry=timedelta(seconds=settings.upload_url_expiry_seconds),
        # A call that fails in the end takes half a lease, and a fetch a whole one.
        request_timeout=request,
        retry_timeout=request,
    )


def tree_of(settings: Settings) -> StorageConfig:
    """The directory that STORAGE_URL names, else that of the embedded mode."""
    kind, place, _ = _named(settings)
    directory = Path(place) if kind == "file" else settings.pixtools_data_dir
    return StorageConfig(
        directory=directory.resolve(),
        public_base_url=settings.public_base_url.rstrip("/"),
        download_expiry=timedelta(seconds=settings.presigned_url_expiry_seconds),
        upload_expiry=timedelta(seconds=settings.upload_url_expiry_seconds),
        max_upload_bytes=settings.max_upload_bytes,
    )


def _named(settings: Settings) -> tuple[Literal["file", "s3", "az"], str, str]:
    if settings.s3_bucket:
        return "s3", settings.s3_bucket, ""
    if settings.storage_url:
        return storage_url(settings.storage_url)
    return "file", str(settings.pixtools_data_dir), ""


def _in_bucket(settings: Settings, config: ObjectsConfig) -> ObjectStores:
    # Only who keeps objects in a bucket loads what that takes.
    from pixtools.storage.object_links import address_of, open_links
    from pixtools.storage.object_store import open_store
    from pixtools.storage.objects import open_objects
    from pixtools.storage.still_objects import StillObjects

    clock = SystemClock()
    blobs = open_objects(config)
    still = StillObjects(
        partial(open_store, config),
        clock,
        reach=UPLOADS_ARRIVE_WITHIN * config.upload_expiry,
    )
    return ObjectStores(
        blobs=blobs,
        links=open_links(config, clock),
        scratch=ScratchDirectories(settings.pixtools_data_dir.resolve() / "scratch"),
        word="s3" if config.kind == "s3" else "storage",
        place=f"{config.kind}://{config.bucket}/{config.prefix}".rstrip("/"),
        check=blobs.check,
        sweep=_nothing_to_sweep,
        still=still.look,
        doors=tuple,
        origins=lambda: [_origin(address_of(config, clock))],
    )


def _in_tree(config: StorageConfig) -> ObjectStores:
    from pixtools.storage.links import LocalLinks
    from pixtools.storage.local import LocalBlobs
    from pixtools.storage.secrets_file import SecretsFile
    from pixtools.storage.still import StillFolders

    blobs = LocalBlobs(config.objects)
    secrets = SecretsFile(config.signing_keys)

    def doors() -> Sequence[APIRouter]:
        from pixtools.api.routers.files import files_router
        from pixtools.storage.files import Files

        return [files_router(Files(blobs, config, secrets, SystemClock()))]

    return ObjectStores(
        blobs=blobs,
        links=LocalLinks(config, secrets, SystemClock()),
        scratch=ScratchDirectories(config.scratch),
        word="storage",
        place=str(config.directory),
        check=blobs.check,
        sweep=blobs.sweep,
        # Outputs, too: who dies while a job is erased may have put some away late.
        still=StillFolders(*(config.objects / folder for folder in folders())).look,
        doors=doors,
        origins=lambda: [_origin(url) for url in (config.public_base_url,) if url],
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _nothing_to_sweep(older_than: timedelta) -> int:
    """Uploads in parts that nobody ends are the bucket's lifecycle rules' to drop."""
    del older_than
    return 0


def _refuse_refusals(stores: ObjectStores) -> None:
    from pixtools.storage.object_faults import is_refusal

    try:
        stores.check()
    except StorageUnavailable as fault:
        if is_refusal(fault):
            raise unusable(stores, fault) from fault
        log.warning("storage_unavailable", extra={"detail": told(fault)})
