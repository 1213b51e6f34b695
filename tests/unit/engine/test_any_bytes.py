"""Whatever comes in: outputs, or an error with a code. Never a crash."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings, strategies as st
from PIL import Image
from tests.pipelines import pipelines

from pixtools.domain.errors import PixtoolsError
from pixtools.domain.formats import FORMATS
from pixtools.domain.layout import layout
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import OutputPlan
from pixtools.domain.report import OutputFacts, Report
from pixtools.engine import render
from pixtools.testing.images_damage import bits_flipped, truncated
from pixtools.testing.images_formats import AVIFS, GIFS, JPEGS, PNGS, TIFFS, WEBPS

WHOLE = {
    "jpg": (JPEGS["baseline"], JPEGS["progressive"], JPEGS["grey"]),
    "png": (PNGS["rgba"], PNGS["palette"], PNGS["16-bit-grey"], PNGS["interlaced"]),
    "webp": (WEBPS["lossy"], WEBPS["animated"], WEBPS["rgba-lossless"]),
    "avif": (AVIFS["8-bit"], AVIFS["10-bit"]),
    "gif": (GIFS["animated"], GIFS["transparent"]),
    "tiff": (TIFFS["deflate"], TIFFS["tiles"], TIFFS["cmyk"], TIFFS["1-bit"]),
}
FILES = {
    f"{name}-{at}": make()
    for name, makes in WHOLE.items()
    for at, make in enumerate(makes)
}
HEADS = [raw[:24] for raw in FILES.values()]
MAY_FAIL = {"max_bytes_unreachable", "watermark_unusable"}
"""A text of spaces can't be drawn, and 1 byte is no image."""
PLAN = Pipeline.parse(
    [
        {"id": "a", "action": "convert", "format": "jpg"},
        {"id": "b", "action": "resize", "width": 20, "format": "png"},
        {"id": "c", "action": "convert", "format": "webp", "animated": True},
        {"id": "d", "action": "metadata"},
    ]
).plan("jpg")


def answer(raw: bytes) -> Report | PixtoolsError:
    """Render these bytes; any error but our own comes out."""
    with tempfile.TemporaryDirectory() as directory:
        source, scratch = Path(directory) / "source", Path(directory) / "scratch"
        source.write_bytes(raw)
        scratch.mkdir()
        try:
            report = render(source, PLAN, scratch)
        except PixtoolsError as error:
            assert list(scratch.iterdir()) == []
            return error
        assert len(report.outputs) + len(report.failures) == 3
        return report


@given(st.binary(max_size=600))
def test_any_bytes_are_answered(raw: bytes) -> None:
    answer(raw)


@given(st.sampled_from(HEADS), st.binary(max_size=600))
def test_any_bytes_behind_a_right_beginning_are_answered(
    head: bytes, raw: bytes
) -> None:
    answer(head + raw)


@settings(max_examples=150)
@given(st.sampled_from(sorted(FILES)), st.integers(0, 10**6), st.integers(1, 40))
def test_a_damaged_image_is_answered(name: str, seed: int, flips: int) -> None:
    answer(bits_flipped(FILES[name], seed=seed, flips=flips))


@given(st.sampled_from(sorted(FILES)), st.floats(0, 1))
def test_a_cut_image_is_answered(name: str, left: float) -> None:
    answer(truncated(FILES[name], left))


@settings(max_examples=60)
@given(st.data())
def test_any_pipeline_is_carried_out(data: st.DataObject) -> None:
    """Outputs fit what was asked, have the format that was asked, and open."""
    name = data.draw(st.sampled_from(sorted(FILES)), "source")
    format = name.partition("-")[0]
    pipeline = Pipeline.parse(data.draw(pipelines(source_format=format), "pipeline"))
    plan = pipeline.plan(format)
    with tempfile.TemporaryDirectory() as directory:
        source, scratch = Path(directory) / "source", Path(directory) / "scratch"
        source.write_bytes(FILES[name])
        scratch.mkdir()
        report = render(source, plan, scratch)
        assert {f.code for f in report.failures} <= MAY_FAIL
        upright = report.source.upright_size
        wanted = {output.id: output for output in plan.outputs}
        for facts in report.outputs:
            check(facts, wanted[facts.id], upright, scratch / facts.file)


def check(
    facts: OutputFacts, wanted: OutputPlan, upright: tuple[int, int], file: Path
) -> None:
    assert facts.format == wanted.encode.format
    assert file.stat().st_size == facts.bytes
    assert (facts.width, facts.height) == layout(upright, wanted.box).size
    if wanted.encode.max_bytes:
        assert facts.bytes <= wanted.encode.max_bytes
    with Image.open(file) as image:
        image.load()
        assert image.size == (facts.width, facts.height)
        assert image.get_format_mimetype() == FORMATS[facts.format].content_type
        assert image.getexif().get(0x0112, 1) == 1
