"""What every contender is asked to do: one source, some files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Fit = Literal["inside", "cover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One file: its format, and the box in pixels that it is scaled into, if any.

    Without `quality` or `effort` each contender takes its own default.
    """

    id: str
    format: str
    side: int | None = None
    fit: Fit = "inside"
    quality: int | None = None
    effort: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A source by name, and the files wanted of it.

    `repeats` is how often a process does it: the first time is cold, the others are
    warm. `rounds` is how many processes of each contender take turns. `note` is what a
    reader has to know about the job to understand its numbers.
    """

    name: str
    title: str
    source: str
    wanted: tuple[Wanted, ...]
    rounds: int = 3
    repeats: int = 3
    note: str = ""


def _derivatives(*sides: int) -> tuple[Wanted, ...]:
    fitted = tuple(
        Wanted(id=str(side), format="jpg", side=side, quality=80) for side in sides
    )
    square = Wanted(id="200sq", format="jpg", side=200, fit="cover", quality=80)
    return (*fitted, square)


def _four_formats(*, equal: bool) -> tuple[Wanted, ...]:
    """The same dials for all where they have the same meaning, or everyone's own."""
    if not equal:
        return tuple(Wanted(id=f, format=f) for f in ("jpg", "png", "webp", "avif"))
    return (
        Wanted(id="jpg", format="jpg", quality=80),
        Wanted(id="png", format="png", effort=3),
        Wanted(id="webp", format="webp", quality=80, effort=2),
        Wanted(id="avif", format="avif", quality=60, effort=1),
    )


def _webp(effort: int | None) -> tuple[Wanted, ...]:
    return (Wanted(id="1280", format="webp", side=1280, quality=80, effort=effort),)


_SHRINKING = """\
sharp lets the JPEG decoder halve the picture once a factor of three is scaled away,
libvips' own `thumbnail` only from a factor of four on; here it is 3.1. That, not
the encoder, is why sharp was ahead of plain pyvips: see it without
fastShrinkOnLoad. PixTools decides by itself: its decoder shrinks where a factor of 1.5
is left to the resampler and both sides divide evenly. (Where they don't, libvips cuts
the rest off and the picture moves a little; sharp's scores at 2 MP show that.)"""

FOUR: Final = "four-12mp"
"""The job that the targets speak of."""
WEBP_OWN: Final = "webp-own"
WEBP_EQUAL: Final = "webp-e4"
"""The same picture as WebP: with everyone's own effort, and with equal ones."""

JOBS: Final[tuple[Job, ...]] = (
    Job(
        name=FOUR,
        title="12 MP JPEG to 2048, 1024, 512 and 200×200 JPEG, quality 80",
        source="12mp",
        wanted=_derivatives(2048, 1024, 512),
        rounds=5,
    ),
    Job(
        name="four-2mp",
        title="2 MP JPEG to 2048 (not enlarged), 1024, 512 and 200×200 JPEG",
        source="2mp",
        wanted=_derivatives(2048, 1024, 512),
    ),
    Job(
        name="four-48mp",
        title="48 MP JPEG to 2048, 1024, 512 and 200×200 JPEG",
        source="48mp",
        wanted=_derivatives(2048, 1024, 512),
        rounds=2,
        repeats=2,
    ),
    Job(
        name=WEBP_OWN,
        title="12 MP JPEG to 1280 WebP, quality 80, everyone's own effort",
        source="12mp",
        wanted=_webp(None),
        note=_SHRINKING,
    ),
    Job(
        name=WEBP_EQUAL,
        title="12 MP JPEG to 1280 WebP, quality 80, effort 4",
        source="12mp",
        wanted=_webp(4),
        rounds=5,
    ),
    Job(
        name="formats-2mp",
        title="2 MP JPEG to JPEG, PNG, WebP and AVIF at full size, same settings",
        source="2mp",
        wanted=_four_formats(equal=True),
        rounds=2,
        repeats=2,
    ),
    Job(
        name="formats-real",
        title="A real photo (0.27 MP) to JPEG, PNG, WebP and AVIF, same settings",
        source="china",
        wanted=_four_formats(equal=True),
    ),
    Job(
        name="formats-own",
        title="Another real photo to the four formats, everyone's own defaults",
        source="flower",
        wanted=_four_formats(equal=False),
        rounds=2,
        repeats=2,
    ),
)

QUICK: Final[tuple[Job, ...]] = (
    Job(
        name="smoke",
        title="Smoke test: a small photo to three sizes of JPEG",
        source="small",
        wanted=_derivatives(256, 128),
        rounds=1,
        repeats=2,
    ),
)
