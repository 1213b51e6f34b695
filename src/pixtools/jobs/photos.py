"""Photos that rest where the service can read them, and what is known of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from pixtools.domain.errors import FieldError, InvalidRequest, SourceMissing
from pixtools.domain.job import Source, SourceType
from pixtools.domain.keys import inbox_prefix
from pixtools.jobs.header import read_header
from pixtools.jobs.intake import Received, check_size, header_of
from pixtools.jobs.ports.blobs import Blob
from pixtools.jobs.service import Service


def stored_source(kind: SourceType, received: Received, filename: str | None) -> Source:
    """A source that stands in the store, with what its header says."""
    blob, header = received.blob, received.header
    return Source(
        type=kind,
        key=blob.key,
        filename=filename,
        content_type=header.content_type,
        bytes=blob.bytes,
        sha256=blob.sha256,
        format=header.format,
        width=header.width,
        height=header.height,
        etag=blob.etag,
        seen=header.facts,
    )


def object_of_tenant(service: Service, tenant: str, key: str) -> Blob:
    """An object that a tenant may name as a source.

    Raises InvalidRequest, SourceMissing and UploadTooLarge.
    """
    if not key.startswith(inbox_prefix(tenant)):
        text = f"Expected an object below {inbox_prefix(tenant)}"
        raise InvalidRequest(f"{text} but received {key!r}.")
    found = service.blobs.stat(key)
    if found is None:
        raise SourceMissing(f"There is no object {key}.")
    check_size(service, found)
    return found


def open_local_file(service: Service, path: str) -> BinaryIO:
    """A file below the configured local root, symbolic links resolved, to be read.

    Raises InvalidRequest and SourceMissing.
    """
    try:
        return _local_file(service, path).open("rb")
    except OSError:  # it may not be read, or has gone meanwhile
        raise SourceMissing(f"There is no file {path} that can be read.") from None


def _local_file(service: Service, path: str) -> Path:
    root = service.rules.local_root
    if root is None:
        raise InvalidRequest("This service reads no local files (LOCAL_FILE_ROOT).")
    top = root.resolve()
    try:
        file = (top / path).resolve()
    except (OSError, RuntimeError):  # links that lead in a circle
        raise SourceMissing(f"There is no file {path}.") from None
    if not file.is_relative_to(top):
        raise InvalidRequest(
            f"Expected a path below the local root but received {path!r}."
        )
    if not _is_file(file):
        raise SourceMissing(f"There is no file {path}.")
    return file


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long for any
        return False


def check_fetching(service: Service) -> None:
    """Raise InvalidRequest where nothing is fetched from addresses."""
    if service.fetcher is None:
        detail = "This service fetches no sources from addresses."
        raise InvalidRequest(detail, fields=(FieldError("/source_type", detail),))


def seen_object(
    service: Service, tenant: str, key: str, filename: str | None = None
) -> Source:
    """An object as a source, looked at where it rests; it is not copied.

    Raises what `object_of_tenant` and `read_header` raise.
    """
    blob = object_of_tenant(service, tenant, key)
    received = Received(blob, header_of(service, blob))
    return stored_source("object", received, filename or key.rpartition("/")[2])


def seen_file(service: Service, path: str, filename: str | None = None) -> Source:
    """A local file as a source, looked at where it rests; it is not copied.

    Raises what `open_local_file` and `read_header` raise, and UploadTooLarge.
    """
    rules = service.rules
    with open_local_file(service, path) as opened:
        blob = Blob(key="", bytes=os.fstat(opened.fileno()).st_size, etag="")
        check_size(service, blob)
        header = read_header(opened, rules.limits, rules.capabilities, complete=True)
    name = filename or Path(opened.name).name
    return stored_source("local_file", Received(blob, header), name)
