"""The real child: libvips behind its wall."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import psutil
import pytest
from PIL import Image
from tests.stopwatch import Stopwatch

from pixtools.domain.errors import (
    Canceled,
    ImageTooLargeForMemory,
    SourceError,
    TimedOut,
    UnsupportedFormat,
)
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import Box, Encode, Mark, OutputPlan, RenderPlan
from pixtools.domain.report import Report
from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_FACTS
from pixtools.testing.images_metadata import documented_photo
from pixtools.testing.serving import eventually
from pixtools.workers.config import WorkersConfig
from pixtools.workers.pool import ProcessRenderer

Checkpoint = Callable[[float], None]


def output(format: str = "jpg", **encode: object) -> OutputPlan:
    base = Encode(format=format, quality=None if format == "png" else 80)
    return OutputPlan(id=format, action="convert", encode=replace(base, **encode))  # type: ignore[arg-type]  # options by name


SMALL: Final = RenderPlan(outputs=(replace(output(), box=Box(width=64)),))
SLOW: Final = RenderPlan(outputs=(output("avif", effort=9),))  # about a minute


@pytest.fixture(scope="module")
def renderer() -> Iterator[ProcessRenderer]:
    with ProcessRenderer(WorkersConfig(count=1, grace_seconds=0.2)) as renderer:
        yield renderer


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_jpeg(tmp_path_factory.mktemp("photo") / "photo.jpg", 1200, 900)


@pytest.fixture
def render(
    renderer: ProcessRenderer, tmp_path: Path, photo: Path
) -> Callable[..., Report]:
    def render(
        plan: RenderPlan,
        source: Path = photo,
        *,
        assets: Mapping[str, Path] | None = None,
        limits: Limits | None = None,
        checkpoint: Checkpoint = lambda _: None,
        timeout: float = 60,
    ) -> Report:
        return renderer.render(
            source,
            plan,
            tmp_path,
            assets=assets or {},
            limits=limits or Limits(),
            checkpoint=checkpoint,
            timeout=timeout,
        )

    return render


def test_a_child_says_what_it_can_do(renderer: ProcessRenderer) -> None:
    have = renderer.capabilities()
    assert {"jpg", "png", "webp", "avif", "tiff", "gif"} <= set(have.readable)
    assert {"jpg", "png", "webp", "avif"} <= set(have.writable)
    always = {"convert", "resize", "watermark", "metadata"}
    assert set(have.actions) == (always | {"denoise"} if have.models else always)
    assert "fast" in have.models
    assert have.libvips.count(".") == 2


def test_a_photo_goes_in_and_files_come_out(
    render: Callable[..., Report], tmp_path: Path
) -> None:
    report = render(SMALL)
    (made,) = report.outputs
    with Image.open(tmp_path / made.file) as image:
        assert (image.format, image.size) == ("JPEG", (64, 48))
    assert (report.source.width, report.source.height) == (1200, 900)


def test_relative_paths_mean_the_parents_directory(
    renderer: ProcessRenderer,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renderer.capabilities()
    monkeypatch.chdir(tmp_path)
    Path("out").mkdir()
    Path("photo.jpg").write_bytes(photo.read_bytes())
    renderer.render(
        Path("photo.jpg"),
        SMALL,
        Path("out"),
        assets={},
        limits=Limits(),
        checkpoint=lambda _: None,
        timeout=60,
    )
    assert (tmp_path / "out" / "jpg.jpg").exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"just text", UnsupportedFormat), (b"\xff\xd8\xff\xe0nonsense", SourceError)],
)
def test_a_file_that_is_no_image_fails_with_the_engines_own_error(
    render: Callable[..., Report],
    tmp_path: Path,
    content: bytes,
    error: type[Exception],
) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    with pytest.raises(error):
        render(SMALL, source)


def test_one_output_that_can_not_be_made_does_not_stop_the_others(
    render: Callable[..., Report],
) -> None:
    impossible = replace(output("webp", max_bytes=1), id="impossible")
    report = render(RenderPlan(outputs=(*SMALL.outputs, impossible)))
    assert [made.id for made in report.outputs] == ["jpg"]
    assert [failed.code for failed in report.failures] == ["max_bytes_unreachable"]


def test_progress_of_a_real_encode_reaches_the_caller(
    render: Callable[..., Report],
) -> None:
    heard: list[float] = []
    render(RenderPlan(outputs=(output("png", effort=6),)), checkpoint=heard.append)
    assert heard == sorted(heard)
    assert any(0 < fraction < 1 for fraction in heard)


def test_an_encode_that_does_not_listen_is_canceled_all_the_same(
    render: Callable[..., Report],
) -> None:
    """AVIF ignores libvips' kill: after the grace its process goes."""
    render(SMALL)  # the start of a child can be canceled, too: have one
    began = time.monotonic()

    def cancel(_: float) -> None:
        if time.monotonic() - began > 0.5:
            raise Canceled

    with Stopwatch() as watch, pytest.raises(Canceled):
        render(SLOW, checkpoint=cancel)
    assert watch.seconds < 5
    assert render(SMALL).outputs


def test_a_hard_time_out_ends_a_slow_encode(render: Callable[..., Report]) -> None:
    render(SMALL)
    with Stopwatch() as watch, pytest.raises(TimedOut):
        render(SLOW, timeout=0.5)
    assert watch.seconds < 5
    assert render(SMALL).outputs


def test_the_parents_death_ends_the_child_at_its_work(
    photo: Path, tmp_path: Path
) -> None:
    program = f"""
import sys
from pathlib import Path
from pixtools.domain.limits import Limits
from pixtools.domain.plan import Encode, OutputPlan, RenderPlan
from pixtools.workers.pool import ProcessRenderer
renderer = ProcessRenderer()
renderer.capabilities()
print(renderer.children()[0].pid, flush=True)
avif = Encode(format="avif", quality=80, effort=9)
plan = RenderPlan(outputs=(OutputPlan(id="a", action="convert", encode=avif),))
renderer.render(Path({str(photo)!r}), plan, Path({str(tmp_path)!r}), assets={{}},
    limits=Limits(), checkpoint=lambda f: print(f, flush=True), timeout=60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        idle = child.cpu_times().user
        eventually(lambda: child.cpu_times().user > idle + 0.5, within=60)
        parent.kill()
    child.wait(timeout=10)


def test_ctrl_c_is_the_parents_business(
    render: Callable[..., Report], renderer: ProcessRenderer
) -> None:
    render(SMALL)
    (child,) = renderer.children()
    os.kill(child.pid, signal.SIGINT)
    os.kill(child.pid, signal.SIGTERM)
    render(SMALL)
    assert [c.pid for c in renderer.children()] == [child.pid]


def test_the_kernel_holds_the_child_within_bounds(
    render: Callable[..., Report], renderer: ProcessRenderer
) -> None:
    render(SMALL, limits=Limits(memory_budget_bytes=100 * MIB))
    (child,) = renderer.children()
    process = psutil.Process(child.pid)

    def soft(kind: int) -> int:
        return resource.prlimit(child.pid, kind)[0]

    assert soft(resource.RLIMIT_CORE) == 0
    assert 200 * MIB < soft(resource.RLIMIT_DATA) < 600 * MIB
    assert soft(resource.RLIMIT_FSIZE) < 1024 * MIB
    assert 240 <= soft(resource.RLIMIT_CPU) < 400
    assert int(Path(f"/proc/{child.pid}/oom_score_adj").read_text()) >= 500
    assert not any("pydantic" in mapped.path for mapped in process.memory_maps())


def test_text_image_and_facts_cross_the_wall(
    render: Callable[..., Report], tmp_path: Path
) -> None:
    """A plan with everything: marks of both kinds, an asset, metadata."""
    Image.new("RGB", (8, 8), "white").save(tmp_path / "logo.png")
    photo = documented_photo(tmp_path / "photo.jpg")
    marks = Mark(text="© Ωμέγα <&>"), Mark(image="logo")
    outputs = tuple(
        replace(output("png"), id=str(at), mark=mark) for at, mark in enumerate(marks)
    )
    plan = RenderPlan(outputs=outputs, metadata=True)
    report = render(plan, photo, assets={"logo": tmp_path / "logo.png"})
    assert report.failures == ()
    assert report.metadata is not None
    told = {name: report.metadata[name] for name in SAMPLE_FACTS}
    assert told == {**SAMPLE_FACTS, "focal_length": "50mm"}


def test_each_job_tells_its_own_peak_of_memory(
    render: Callable[..., Report], renderer: ProcessRenderer
) -> None:
    large = render(RenderPlan(outputs=(output("avif", effort=0),))).peak_rss_bytes
    (child,) = renderer.children()
    idle = psutil.Process(child.pid)
    eventually(lambda: idle.memory_info().rss < large - 5 * MIB, within=60)
    small = render(SMALL).peak_rss_bytes
    assert 20 * MIB < small < large - 5 * MIB


def test_an_image_too_large_for_memory_is_refused_without_waiting_for_room(
    render: Callable[..., Report],
) -> None:
    with pytest.raises(ImageTooLargeForMemory):
        render(SMALL, limits=Limits(memory_budget_bytes=MIB))


def test_many_threads_share_one_child(
    render: Callable[..., Report], renderer: ProcessRenderer
) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            render(RenderPlan())
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(renderer.children()) == 1
