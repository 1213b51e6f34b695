"""What pixels cost on one core: the numbers of `pixtools.domain.prices`.

`python -m benchmarks.prices` prints CPU milliseconds per megapixel, measured with the
engine in a pixel child, beside what is written down. The least disturbed of a few
times is taken; a machine of another speed shows other numbers in about the same
proportions.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.machine import describe
from pixtools.domain.formats import FORMATS
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Box, Encode, OutputPlan, RenderPlan
from pixtools.domain.prices import reading_ms, writing_ms
from pixtools.testing.images import photo_jpeg
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

PATIENT: Final = Limits(memory_budget_bytes=8 << 30)
READ_AT: Final = (4000, 3000)
WRITE_AT: Final = (1600, 1200)
SLOW_AT: Final = (640, 480)
"""Where a megapixel takes many seconds, a third of one says enough."""
READ: Final = ("jpg", "png", "webp", "gif", "tiff", "avif")
EFFORTS: Final[dict[str, list[int | None]]] = {
    "jpg": [None],
    "png": [0, 1, 3, 6, 9],
    "webp": [0, 1, 2, 4, 6],
    "avif": [0, 1, 2, 4, 6, 9],
    "gif": [1, 4, 7, 10],
    "tiff": [None],
}
LOSSLESS: Final[dict[str, list[int | None]]] = {"webp": [0, 2, 4, 6], "avif": [0, 1, 4]}


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs for each megapixel, as measured and as written down."""

    what: str
    measured: float
    written: float


class Till:
    """Renders in one child and tells what it cost."""

    def __init__(self, renderer: ProcessRenderer, folder: Path, times: int) -> None:
        self._renderer = renderer
        self._folder = folder
        self._times = times

    def cpu_ms(self, source: Path, *outputs: OutputPlan) -> float:
        """CPU time of one render, the least of some."""
        return min(self._once(source, outputs) for _ in range(self._times))

    def made(self, source: Path, encode: Encode) -> Path:
        """The picture in another format."""
        self._once(source, [_whole(encode)])
        return self._folder / f"whole.{FORMATS[encode.format].extension}"

    def _once(self, source: Path, outputs: Sequence[OutputPlan]) -> float:
        report = self._renderer.render(
            source,
            RenderPlan(outputs=tuple(outputs)),
            self._folder,
            assets={},
            limits=PATIENT,
            checkpoint=lambda _: None,
            timeout=900,
        )
        if report.failures:
            raise RuntimeError(report.failures[0].detail)
        return float(report.cpu_ms)


def reading(till: Till, folder: Path) -> Iterator[Price]:
    """From each format to something tiny: decoding, and scaling down."""
    original = folder / "read.jpg"
    photo_jpeg(original, *READ_AT)
    area = READ_AT[0] * READ_AT[1]
    for format in READ:
        source = till.made(original, _encode(format))
        for shrink in (1, 2, 4, 8) if format == "jpg" else (1,):
            width = READ_AT[0] // (64 if format != "jpg" else shrink * 2)
            cost = till.cpu_ms(source, _small(width)) - writing_ms(
                _encode("jpg"), width * width * 3 // 4
            )
            wanted = width * width * 3 // 4
            told = reading_ms(format, area, wanted)
            yield Price(
                f"read {format} 1/{shrink}", cost / area * 1e6, told / area * 1e6
            )


def writing(till: Till, folder: Path) -> Iterator[Price]:
    """Each encoder at its efforts: what it adds to a JPEG of the same pixels."""
    for encode in _encodes():
        slow = encode.format == "avif" and (encode.lossless or (encode.effort or 0) > 4)
        width, height = SLOW_AT if slow else WRITE_AT
        source = folder / f"write-{width}.jpg"
        if not source.exists():
            photo_jpeg(source, width, height)
        area = width * height
        with_it = till.cpu_ms(source, _whole(encode))
        without = till.cpu_ms(source, _small(32))
        cost = (with_it - without) / area * 1e6
        yield Price(_name(encode), cost, writing_ms(encode, area) / area * 1e6)


def _encodes() -> Iterator[Encode]:
    for format, efforts in EFFORTS.items():
        for effort in efforts:
            yield replace(_encode(format), effort=effort)
    for format, efforts in LOSSLESS.items():
        for effort in efforts:
            yield replace(_encode(format), effort=effort, lossless=True, quality=None)


def _encode(format: str) -> Encode:
    return Encode(format=format)


def _whole(encode: Encode) -> OutputPlan:
    return OutputPlan(id="whole", action="convert", encode=encode)


def _small(width: int) -> OutputPlan:
    box = Box(width=width, height=width)
    return OutputPlan(id="small", action="resize", encode=_encode("jpg"), box=box)


def _name(encode: Encode) -> str:
    effort = "" if encode.effort is None else f" effort {encode.effort}"
    return f"write {encode.format}{' lossless' if encode.lossless else ''}{effort}"


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="renders of each kind")
    times = parser.parse_args().times
    print("; ".join(f"{name} {value}" for name, value in describe().items()))
    print(f"\n{'CPU ms per megapixel':<28}{'measured':>10}{'written':>10}")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessRenderer(WorkersConfig(count=1, memory_bytes=8 << 30)) as renderer,
    ):
        till = Till(renderer, Path(folder), times)
        for part in (reading, writing):
            for price in part(till, Path(folder)):
                numbers = f"{price.measured:>10.1f}{price.written:>10.1f}"
                print(f"{price.what:<28}{numbers}", flush=True)


if __name__ == "__main__":
    main()
