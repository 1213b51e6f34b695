"""What the engine answers: facts and files, never opinions about jobs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from pixtools.domain.plan import Model

Skipped = Literal["clean"]
"""Why noise was left alone: there was none to speak of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What a header says about a source; `width` × `height` as stored, in pixels.

    `orientation` is the EXIF value 1..8; `pages` counts frames; `bits` is per
    band. `estimated_bytes` is the memory that the plan was estimated to need.
    """

    format: str
    width: int
    height: int
    pages: int = 1
    orientation: int = 1
    has_alpha: bool = False
    color_space: str = "srgb"
    bits: int = 8
    icc_profile: str | None = None
    interlaced: bool = False
    estimated_bytes: int = 0

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as a viewer sees them, orientation applied."""
        turned = self.orientation in (5, 6, 7, 8)
        return (self.height, self.width) if turned else (self.width, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFacts:
    """A file that was made: `file` is its name inside the scratch directory.

    Where noise was to be removed, `noise_sigma` is the estimate of it (standard
    deviation out of 255, at the output's size), `model` the network that ran, and
    `skipped` says why none did.

    Its hash is taken where it is stored: a decoder of hostile images carries no
    cryptography, which would be an eighth of its memory.
    """

    id: str
    file: str
    format: str
    width: int
    height: int
    bytes: int
    duration_ms: int
    quality: int | None = None
    frames: int = 1
    kept_source: bool = False
    noise_sigma: float | None = None
    model: Model | None = None
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFailure:
    """An output that could not be made; the others are not touched by it."""

    id: str
    code: str
    detail: str
    duration_ms: int = 0
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one render. `cpu_ms` is process CPU time spent inside it."""

    source: SourceFacts
    outputs: tuple[OutputFacts, ...] = ()
    failures: tuple[OutputFailure, ...] = ()
    metadata: dict[str, Any] | None = None
    wall_ms: int = 0
    cpu_ms: int = 0
    peak_rss_bytes: int = 0


def to_json(report: Report) -> dict[str, Any]:
    """Turn a report into JSON-ready values."""
    return asdict(report)


def from_json(value: dict[str, Any]) -> Report:
    """Read back what `to_json` wrote; raises KeyError or TypeError if it isn't one."""
    return Report(
        source=SourceFacts(**value["source"]),
        outputs=tuple(OutputFacts(**item) for item in value["outputs"]),
        failures=tuple(OutputFailure(**item) for item in value["failures"]),
        metadata=value["metadata"],
        wall_ms=value["wall_ms"],
        cpu_ms=value["cpu_ms"],
        peak_rss_bytes=value["peak_rss_bytes"],
    )
