"""What each order must come to: computed by the engine, without any service."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from tests.chaos.cluster.orders import CLASSIC, Order

from pixtools.api.classic import parse_pipeline
from pixtools.domain.catalogue import STANDARD
from pixtools.domain.errors import SourceError
from pixtools.domain.job import JobStatus
from pixtools.domain.limits import Limits
from pixtools.domain.pipeline import Pipeline
from pixtools.engine import open_engine, render
from pixtools.jobs.header import read_header


@dataclass(frozen=True, slots=True)
class File:
    """One output, as the engine makes it."""

    format: str
    width: int
    height: int
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Promise:
    """How a job ends that nobody stops, and what it leaves."""

    status: JobStatus
    files: Mapping[str, File]
    facts: bool = False

    @property
    def pixels(self) -> int:
        """Pixels of all files together."""
        return sum(file.width * file.height for file in self.files.values())


@dataclass(slots=True)
class Promises:
    """Answers of the engine, each asked for once."""

    photos: Mapping[str, Path]
    scratch: Path
    _known: dict[tuple[str, str], Promise] = field(default_factory=dict)

    def of(self, order: Order) -> list[Promise]:
        """One for each photo of an order."""
        pipeline = _pipeline(order)
        return [self._of(photo, pipeline) for photo in order.photos]

    def _of(self, photo: str, pipeline: Pipeline) -> Promise:
        key = photo, pipeline.digest()
        if key not in self._known:
            place = self.scratch / str(len(self._known))
            place.mkdir(parents=True)
            self._known[key] = _made(self.photos[photo], pipeline, place)
        return self._known[key]


def _pipeline(order: Order) -> Pipeline:
    if order.face == "classic":
        return parse_pipeline(json.dumps(CLASSIC), None, 20)
    return Pipeline.parse(order.steps)


def _made(photo: Path, pipeline: Pipeline, scratch: Path) -> Promise:
    open_engine()
    with photo.open("rb") as opened:
        header = read_header(opened, Limits(), STANDARD, complete=True)
    try:
        report = render(photo, pipeline.plan(header.format), scratch)
    except SourceError:
        return Promise("failed", {})
    files = {
        made.id: _file(scratch / made.file, made.format) for made in report.outputs
    }
    status: JobStatus = "partial" if report.failures else "succeeded"
    return Promise(status, files, facts=pipeline.wants_metadata)


def _file(path: Path, format: str) -> File:
    data = path.read_bytes()
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()  # an independent reader takes it, too
        width, height = picture.size
    digest = hashlib.sha256(data).hexdigest()
    return File(format, width, height, digest, len(data))
