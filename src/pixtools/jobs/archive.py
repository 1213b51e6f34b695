"""The archive stage: a ZIP of outputs, streamed into the store."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

from pixtools.domain.errors import Interrupted, SourceMissing
from pixtools.domain.job import Archive, Job, Stage
from pixtools.domain.keys import archive_key, batch_archive_key
from pixtools.jobs.advance import Outcome, archived, with_results
from pixtools.jobs.documents import ZIP
from pixtools.jobs.names import download_name, unique
from pixtools.jobs.ports.blobs import Blob, Blobs, BlobWriter
from pixtools.jobs.pulse import Pulse
from pixtools.jobs.service import Service
from pixtools.jobs.transfer import writing

CHUNK: Final = 1024 * 1024
_FIRST_YEAR: Final = 1980
SMALL: Final = 64 * 1024
"""Bytes of which a copy costs less than a write of their own."""
_REGULAR_FILE: Final = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a ZIP: its name there, where its bytes are, and when it was made."""

    name: str
    key: str
    bytes: int
    at: datetime


def write_archive(
    service: Service, stage: Stage, job: Job | None, at_hand: Mapping[str, Path]
) -> bool:
    """Make a claimed archive stage's ZIP; False if the claim was lost meanwhile.

    Images do not deflate, so they are stored, and the ZIP needs neither memory nor
    scratch space of its size. Files that are gone by now are left out; those `at_hand`
    are not fetched again.
    """
    pulse = Pulse(service, stage)
    key, jobs = _contents(service, stage, job)
    blob = _packed(service, key, entries_of(jobs), at_hand, pulse)
    archive = _made(blob) if blob else Archive(status="skipped")
    return pulse.insist(lambda: archived(service, stage, archive))


def pack_ahead(
    service: Service,
    stage: Stage,
    job: Job,
    outcome: Outcome,
    at_hand: Mapping[str, Path],
    pulse: Pulse,
) -> Archive | None:
    """The ZIP of a job that this stage ends, made before anybody is told of its end.

    So one transaction tells of all. None where the archive is to be a stage of its own:
    others work on the job, too, or packing would take long, or it fails, whatever the
    reason: pictures that are made need no ZIP. Raises Canceled and LeaseLost.
    """
    if job.archive is None or job.stages_left > 1 or stage.lane != "default_queue":
        return None
    entries = [*entries_of([with_results(job, stage, outcome)])]
    if not entries or sum(e.bytes for e in entries) > service.rules.ahead_bytes:
        return None
    try:
        blob = _packed(service, archive_key(job.id), entries, at_hand, pulse)
    except Interrupted:
        raise
    except Exception:  # noqa: BLE001 - told of where it fails again
        return None
    return _made(blob) if blob else None


def entries_of(jobs: Iterable[Job]) -> Iterator[Entry]:
    """The files that were made, under their download names, each name once."""
    taken: set[str] = set()
    for job in jobs:
        for output in job.outputs:
            if output.status == "succeeded" and output.key:
                yield Entry(
                    unique(download_name(job, output), taken),
                    output.key,
                    output.bytes or 0,
                    # Ahead of the end the same for each attempt, too.
                    job.finished_at or job.started_at or job.created_at,
                )


@dataclass(frozen=True, slots=True)
class Shelf:
    """Stored objects, of which some lie at hand as files, too."""

    blobs: Blobs
    at_hand: Mapping[str, Path] = field(default_factory=dict)

    def chunks(self, key: str) -> Iterator[bytes] | None:
        """An object's bytes; None if it is gone."""
        if key in self.at_hand:
            return _read(self.at_hand[key])
        try:
            chunks = iter(self.blobs.read(key))
            first = next(chunks, b"")
        except SourceMissing:
            return None
        return chain((first,), chunks)


def pack(
    entries: Iterable[Entry], shelf: Shelf, writer: BlobWriter, pulse: Pulse
) -> int:
    """Write a ZIP of stored objects; how many. The same objects make the same bytes."""
    outlet = _Outlet(writer)
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as packed:
        for entry in entries:
            chunks = shelf.chunks(entry.key)
            if chunks is None:
                continue
            with packed.open(_described(entry), "w") as file:
                for chunk in chunks:
                    file.write(chunk)
                    pulse.again()
    outlet.flush()
    return len(packed.filelist)


def _packed(
    service: Service,
    key: str,
    entries: Iterable[Entry],
    at_hand: Mapping[str, Path],
    pulse: Pulse,
) -> Blob | None:
    """Store a ZIP; None if there is nothing to be packed."""
    with writing(service.blobs, key, ZIP) as writer:
        if not pack(entries, Shelf(service.blobs, at_hand), writer, pulse):
            return None
        pulse.hold()
        return writer.commit()


def _made(blob: Blob) -> Archive:
    return Archive(status="succeeded", key=blob.key, bytes=blob.bytes)


def _contents(
    service: Service, stage: Stage, job: Job | None
) -> tuple[str, Sequence[Job]]:
    if stage.batch_id is None:
        return archive_key(stage.job_id or ""), [job] if job else []
    with service.database.read() as tx:
        return batch_archive_key(stage.batch_id), tx.batches.jobs(stage.batch_id)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _described(entry: Entry) -> zipfile.ZipInfo:
    at = entry.at
    seconds = (at.month, at.day, at.hour, at.minute, at.second)
    info = zipfile.ZipInfo(entry.name, (max(at.year, _FIRST_YEAR), *seconds))
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = 3
    info.external_attr = _REGULAR_FILE
    info.file_size = entry.bytes  # known before, so that large files get ZIP64
    return info


class _Outlet:
    """What `zipfile` writes to: from front to back, never seeking.

    A head and a tail come for each file and make one piece with what is small. After a
    write that failed nothing is written: `zipfile` ends its file even then, and what
    the writer says to that would hide what was the matter.
    """

    def __init__(self, writer: BlobWriter) -> None:
        self._writer = writer
        self._small = bytearray()
        self._failed = False

    def write(self, data: bytes, /) -> int:
        if len(data) < SMALL:
            self._small += data
        else:
            self.flush()
            self._put(bytes(data))
        if len(self._small) >= SMALL:
            self.flush()
        return len(data)

    def flush(self) -> None:
        """Write what was held back."""
        if self._small:
            self._put(bytes(self._small))
            self._small.clear()

    def _put(self, data: bytes) -> None:
        if self._failed:
            return
        self._failed = True
        self._writer.write(data)
        self._failed = False

    def close(self) -> None:
        """The writer is committed by whoever opened it."""
