"""The estimate made from a header, against the peak of a real process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from tests.plans import output

from pixtools.domain.limits import Limits
from pixtools.domain.memory import estimate
from pixtools.domain.task import task_for
from pixtools.engine import probe
from pixtools.engine.cost import reading_time, writing_time
from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_formats import saved

WIDTH, HEIGHT = 1500, 1000
GALLERY = [("jpg", 1200), ("jpg", 600), ("jpg", 300)]
Write = Callable[[Image.Image], bytes]

CASES: dict[str, tuple[Write, list[tuple[str, int]]]] = {
    "jpg to a gallery": (lambda p: saved(p, "JPEG", quality=90), GALLERY),
    "jpg to jpg": (lambda p: saved(p, "JPEG", quality=90), [("jpg", WIDTH)]),
    "progressive jpg to jpg": (
        lambda p: saved(p, "JPEG", quality=90, progressive=True),
        [("jpg", 800)],
    ),
    "png to webp": (lambda p: saved(p, "PNG", compress_level=1), [("webp", WIDTH)]),
    "rgba png to a gallery": (
        lambda p: saved(p.convert("RGBA"), "PNG", compress_level=1),
        GALLERY,
    ),
    "rgba png to webp": (
        lambda p: saved(Image.merge("RGBA", [*p.split(), p.split()[1]]), "PNG"),
        [("webp", 900)],
    ),
    "webp to jpg": (
        lambda p: saved(p, "WEBP", quality=80, method=0),
        [("jpg", WIDTH)],
    ),
    "avif to jpg": (lambda p: saved(p, "AVIF", speed=9), [("jpg", 800)]),
    "tiff to png": (lambda p: saved(p, "TIFF"), [("png", WIDTH)]),
    "jpg to avif": (lambda p: saved(p, "JPEG", quality=90), [("avif", 800)]),
    "jpg to gif": (lambda p: saved(p, "JPEG", quality=90), [("gif", 300)]),
    "a tiny png": (lambda p: saved(p.resize((30, 20)), "PNG"), [("webp", 30)]),
}

CHILD = """
import json, sys
from pathlib import Path
from pixtools.domain.plan import from_json
from pixtools.engine import open_engine, render
open_engine()
report = render(Path(sys.argv[1]), from_json(json.loads(sys.argv[2])), Path(sys.argv[3]))
assert not report.failures, report.failures
print(report.source.estimated_bytes, report.peak_rss_bytes)
"""


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    path = photo_jpeg(tmp_path_factory.mktemp("photo") / "p.jpg", WIDTH, HEIGHT)
    with Image.open(path) as image:
        image.load()
        return image


@pytest.mark.parametrize("case", CASES)
def test_an_estimate_is_enough_and_not_much_more(
    case: str, photo: Image.Image, tmp_path: Path, unmeasured: dict[str, str]
) -> None:
    write, sizes = CASES[case]
    source = tmp_path / "source"
    source.write_bytes(write(photo))
    estimated, peak = peak_of(source, sizes, tmp_path, unmeasured)
    assert peak <= estimated <= 2.5 * peak


def peak_of(
    source: Path, sizes: list[tuple[str, int]], scratch: Path, environ: dict[str, str]
) -> tuple[int, int]:
    """Estimated and real bytes of a fresh process that makes these sizes."""
    import json

    from pixtools.domain.plan import RenderPlan, to_json

    outputs = tuple(
        output(format, id=f"{format}-{width}", width=width) for format, width in sizes
    )
    asked = json.dumps(to_json(RenderPlan(outputs=outputs)))
    # As the pixel children are started.
    malloc = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "16777216"}
    run = subprocess.run(
        [sys.executable, "-c", CHILD, str(source), asked, str(scratch)],
        env=environ | malloc,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    estimated, peak = map(int, run.stdout.split())
    return estimated, peak


def test_every_frame_of_an_animation_counts(sources: dict[str, Path]) -> None:
    facts = probe(sources["gif-animated"])
    moving, still = (
        [
            task_for(
                output("webp", width=4000, enlarge=True, animated=a), facts, Limits()
            )
        ]
        for a in (True, False)
    )
    assert estimate(facts, moving) > 2 * estimate(facts, still)


def test_what_costs_more_time_weighs_more(sources: dict[str, Path]) -> None:
    facts = probe(sources["jpg-baseline"])
    times = {
        format: writing_time(task_for(output(format), facts, Limits()))
        for format in ("jpg", "webp", "avif")
    }
    assert times["jpg"] < times["webp"] < times["avif"]
    tight = task_for(output("jpg", max_bytes=1000), facts, Limits())
    assert writing_time(tight) > times["jpg"]
    assert reading_time(facts, 1) < reading_time(facts, 5)
