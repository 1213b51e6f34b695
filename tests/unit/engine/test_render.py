"""One source, one decode, all outputs: what a caller of `render` may rely on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.plans import made, output, plan

from pixtools.domain.errors import (
    Canceled,
    CorruptImage,
    EncodeFailed,
    TruncatedImage,
)
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Mark
from pixtools.domain.report import Report, from_json, to_json
from pixtools.engine import render
from pixtools.testing.compare import pixels_of, psnr
from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_damage import truncated
from pixtools.testing.images_formats import JPEGS, PNGS


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 900 x 600."""
    return photo_jpeg(tmp_path_factory.mktemp("photo") / "photo.jpg", 900, 600)


def gallery(source: Path, scratch: Path) -> Report:
    outputs = [
        output("jpg", id="thumb", width=100, height=100, fit="cover"),
        output("jpg", id="large", width=512, height=512),
        output("jpg", id="small", width=128, height=128),
        output("jpg", id="medium", width=256, height=256),
    ]
    return render(source, plan(*outputs), scratch)


def test_a_report_tells_what_was_made(photo: Path, tmp_path: Path) -> None:
    report = gallery(photo, tmp_path)
    assert [facts.id for facts in report.outputs] == [
        "thumb",
        "large",
        "small",
        "medium",
    ]
    for facts in report.outputs:
        raw = (tmp_path / facts.file).read_bytes()
        assert facts.file == f"{facts.id}.jpg"
        assert facts.bytes == len(raw)
        assert facts.quality == 80
        assert pixels_of(raw).shape == (facts.height, facts.width, 3)
    assert report.source.format == "jpg"
    assert report.source.estimated_bytes > 0
    assert report.cpu_ms > 0
    assert report.wall_ms > 0
    assert report.peak_rss_bytes > 10 * 2**20
    assert from_json(to_json(report)) == report


def test_the_ladder_costs_no_quality(photo: Path, tmp_path: Path) -> None:
    """Each size looks like the one made alone, straight from the source."""
    for facts in gallery(photo, tmp_path).outputs:
        alone = tmp_path / f"alone-{facts.id}"
        alone.mkdir()
        fit = "cover" if facts.id == "thumb" else "inside"
        _, file = made(
            photo, alone, "png", fit=fit, width=facts.width, height=facts.height
        )
        assert psnr(pixels_of(tmp_path / facts.file), pixels_of(file)) > 27


def test_nothing_but_the_outputs_is_left(photo: Path, tmp_path: Path) -> None:
    report = gallery(photo, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        facts.file for facts in report.outputs
    }


def test_one_failure_leaves_the_others_alone(photo: Path, tmp_path: Path) -> None:
    outputs = [
        output("webp", id="too-long", width=20_000, height=2, fit="fill", enlarge=True),
        output("jpg", id="right", width=100),
        output("jpg", id="marked", mark=Mark(image="absent")),
        output("jpg", id="tight", max_bytes=50),
        output("png", id="vast", width=32_000, enlarge=True),
    ]
    report = render(photo, plan(*outputs), tmp_path)
    assert [facts.id for facts in report.outputs] == ["right"]
    assert {failure.id: failure.code for failure in report.failures} == {
        "too-long": "output_too_large_for_format",
        "vast": "output_too_large",
        "marked": "watermark_unusable",
        "tight": "max_bytes_unreachable",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["right.jpg"]


def test_a_refusal_teaches(photo: Path, tmp_path: Path) -> None:
    wide = output("webp", width=20_000, height=2, fit="fill", enlarge=True)
    report = render(photo, plan(wide), tmp_path)
    assert report.failures[0].detail == (
        "Expected sides of at most 16383 pixels for WebP "
        "but this output would be 20000 × 2."
    )


def test_an_output_folder_that_can_t_be_written_fails_the_output(
    photo: Path, tmp_path: Path
) -> None:
    report = render(photo, plan(output("jpg", width=50)), tmp_path / "absent")
    assert [failure.code for failure in report.failures] == [EncodeFailed.code]
    assert str(tmp_path) not in report.failures[0].detail


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_broken_source_is_the_source_s_fault(
    photo: Path, tmp_path: Path, outputs: int
) -> None:
    """Also where decoder and encoder run as one; and nothing half-made is left."""
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(truncated(photo.read_bytes(), 0.6))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    plans = [output("jpg", id=str(at), width=400 + at) for at in range(outputs)]
    with pytest.raises(TruncatedImage, match="ends before its picture is complete"):
        render(cut, plan(*plans), scratch)
    assert list(scratch.iterdir()) == []


def test_a_corrupt_source_names_no_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    raw = bytearray(PNGS["rgb"]())
    middle = len(raw) // 2
    raw[middle : middle + 60] = b"\x55" * 60
    broken.write_bytes(raw)
    with pytest.raises(CorruptImage) as caught:
        render(broken, plan(output("jpg")), tmp_path)
    assert caught.value.detail == "The PNG is broken: its picture can't be read."


def test_progress_climbs_to_one(photo: Path, tmp_path: Path) -> None:
    heard: list[float] = []
    outputs = [output("jpg", id="a"), output("webp", id="b"), output("png", id="c")]
    render(photo, plan(*outputs), tmp_path, checkpoint=heard.append)
    assert heard == sorted(heard)
    assert 0 <= heard[0] < 0.5
    assert heard[-1] == 1.0
    assert len(heard) >= 5


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("at", [0.0, 0.2, 0.5, 0.9])
def test_what_a_checkpoint_raises_comes_out_unchanged(
    photo: Path, tmp_path: Path, at: float, outputs: int
) -> None:
    stop = Canceled("enough")

    def checkpoint(done: float) -> None:
        if done >= at:
            raise stop

    plans = [output("webp", id=str(i), quality=80 + i) for i in range(outputs)]
    with pytest.raises(Canceled) as caught:
        render(photo, plan(*plans), tmp_path, checkpoint=checkpoint)
    assert caught.value is stop
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("format", "effort"), [("webp", 6), ("png", 9)])
def test_a_stop_ends_an_encode_midway(tmp_path: Path, format: str, effort: int) -> None:
    """AVIF's encoder hears of it only when it is done."""
    source = photo_jpeg(tmp_path / "photo.jpg", 1600, 1200)
    heard: list[float] = []

    def checkpoint(done: float) -> None:
        heard.append(done)
        if len(heard) == 4:
            raise Canceled

    big = output(format, effort=effort)
    with pytest.raises(Canceled):
        render(source, plan(big), tmp_path, checkpoint=checkpoint)
    assert len(heard) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photo.jpg"]


def test_a_stop_leaves_the_engine_fit_for_the_next(photo: Path, tmp_path: Path) -> None:
    def stop(done: float) -> None:
        raise Canceled

    with pytest.raises(Canceled):
        render(photo, plan(output("jpg")), tmp_path, checkpoint=stop)
    assert gallery(photo, tmp_path).failures == ()


def test_no_outputs_and_metadata_only(photo: Path, tmp_path: Path) -> None:
    report = render(photo, plan(metadata=True), tmp_path)
    assert report.outputs == ()
    assert report.metadata is not None
    assert report.metadata["width"] == 900
    assert list(tmp_path.iterdir()) == []


def test_limits_bound_outputs(photo: Path, tmp_path: Path) -> None:
    limits = Limits(max_output_side=1000)
    asked = output("png", width=1001, enlarge=True)
    report = render(photo, plan(asked), tmp_path, limits=limits)
    assert report.failures[0].code == "output_too_large"


def test_equal_outputs_are_equal_files(photo: Path, tmp_path: Path) -> None:
    """The same plan gives the same bytes, every time."""
    files = [tmp_path / facts.file for facts in gallery(photo, tmp_path).outputs]
    before = [file.read_bytes() for file in files]
    gallery(photo, tmp_path)
    assert [file.read_bytes() for file in files] == before


def test_importing_the_engine_loads_nothing(unmeasured: dict[str, str]) -> None:
    """libvips comes with the first use; pydantic and its kin never do."""
    code = (
        "import sys, pixtools.engine as e;"
        "assert 'pyvips' not in sys.modules;"
        "e.render, e.probe, e.open_engine, e.EngineConfig;"
        "assert 'pyvips' in sys.modules;"
        "heavy = {'pydantic', 'sqlalchemy', 'PIL', 'numpy', 'pillow_heif'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules);"
        "assert callable(e.render) and callable(e.probe)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_an_untrusted_loader_is_blocked_even_by_name(tmp_path: Path) -> None:
    import pyvips

    render(photo_jpeg(tmp_path / "a.jpg", 16, 16), plan(output("jpg")), tmp_path)
    with pytest.raises(pyvips.Error, match="blocked"):
        pyvips.Image.svgload_buffer(b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def test_a_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path) -> None:
    from pixtools.engine.decode import jpeg_shrink

    assert jpeg_shrink((4000, 3000), (2048, 1536)) == 1
    assert jpeg_shrink((4000, 3000), (1280, 960)) == 2
    assert jpeg_shrink((4000, 3000), (400, 300)) == 4
    assert jpeg_shrink((4000, 3000), (300, 225)) == 8
    assert jpeg_shrink((4000, 3000), (400, 3000)) == 1
    assert jpeg_shrink((16, 16), (1, 1)) == 8


def test_a_jpeg_is_not_shrunk_where_something_would_be_left_over() -> None:
    from pixtools.engine.decode import jpeg_shrink

    assert jpeg_shrink((4000, 3004), (300, 225)) == 4
    assert jpeg_shrink((1732, 1155), (512, 341)) == 1
    assert jpeg_shrink((12, 12), (1, 1)) == 4


@pytest.mark.parametrize("side", range(40, 56))
def test_every_odd_size_of_a_shrunk_jpeg_comes_out_right(
    tmp_path: Path, side: int
) -> None:
    """A decoder that shrinks rounds its own way; outputs have the size promised."""
    source = photo_jpeg(tmp_path / "photo.jpg", 401, 303 + side)
    facts, file = made(source, tmp_path, "png", width=side)
    assert pixels_of(file).shape[:2] == (facts.height, side)
    assert facts.height == (2 * (303 + side) * side + 401) // 802


def test_files_of_progressive_and_baseline_jpegs_agree(tmp_path: Path) -> None:
    pictures = []
    for name in ("baseline", "progressive"):
        source = tmp_path / f"{name}.jpg"
        source.write_bytes(JPEGS[name]())
        _, file = made(source, tmp_path, width=60)
        pictures.append(pixels_of(file))
    assert psnr(pictures[0], pictures[1]) > 40
