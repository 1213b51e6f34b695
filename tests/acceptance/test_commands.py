"""The commands as a person types them: exit codes, lines, files, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image
from tests.acceptance.desk import FAILED, GOOD, INTERRUPTED, MISUSED, Desk
from tests.acceptance.visiting import ENDLESS, job
from tests.stopwatch import Stopwatch

from pixtools.testing.serving import Serving, eventually

Started = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def desk(tmp_path: Path, photo_vga: Path, sources: dict[str, Path]) -> Desk:
    """A desk with a photo, a drawing, a photo that is cut off, and a note."""
    (tmp_path / "photo.jpg").write_bytes(photo_vga.read_bytes())
    (tmp_path / "disc.png").write_bytes(sources["png-rgba"].read_bytes())
    (tmp_path / "cut.jpg").write_bytes(sources["jpg-baseline"].read_bytes()[:-700])
    (tmp_path / "note.jpg").write_text("This is no image.")
    return Desk(tmp_path)


@pytest.fixture
def started(desk: Desk) -> Iterator[Started]:
    """Begin commands; whatever is left of them at the end of the test is ended."""
    begun: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> subprocess.Popen[str]:
        begun.append(desk.begin(*words))
        return begun[-1]

    yield begin
    for process in begun:
        for pid in family(process):
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=10)


def family(process: subprocess.Popen[str]) -> list[int]:
    """Living processes of a command's group."""
    found = []
    for each in psutil.process_iter():
        try:
            group, state = os.getpgid(each.pid), each.status()
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
        if group == process.pid and state != psutil.STATUS_ZOMBIE:
            found.append(each.pid)
    return found


class TestProcess:
    def test_photos_become_files(self, desk: Desk) -> None:
        done = desk.run(
            *("process", "photo.jpg", "disc.png"),
            *("--to", "webp,png", "--width", "100", "--out", "small"),
        )
        assert done.returncode == GOOD, done.stderr
        assert {name for name in desk.files() if "/" in name} == {
            f"small/{stem}.{suffix}"
            for stem in ("photo", "disc")
            for suffix in ("webp", "png")
        }
        with Image.open(desk.here / "small" / "photo.webp") as picture:
            assert (picture.format, picture.size) == ("WEBP", (100, 75))
        assert "small/photo.webp" in done.stdout

    def test_what_fails_is_said_and_does_not_stop_the_rest(self, desk: Desk) -> None:
        done = desk.run(
            *("process", "cut.jpg", "note.jpg", "gone.jpg", "photo.jpg"),
            *("--to", "webp", "--out", "small"),
        )
        assert done.returncode == FAILED
        assert {name for name in desk.files() if "/" in name} == {"small/photo.webp"}
        lines = done.stderr.splitlines()
        assert any("cut.jpg: The JPEG ends" in line for line in lines)
        assert any("note.jpg" in line and "received text" in line for line in lines)
        assert any("gone.jpg" in line for line in lines)
        assert "Traceback" not in done.stderr

    def test_json_is_a_line_for_each_photo(self, desk: Desk) -> None:
        done = desk.run(
            *("process", "photo.jpg", "cut.jpg"),
            *("--to", "webp", "--metadata", "--json", "--out", "small"),
        )
        assert done.returncode == FAILED
        told = {
            document["file"]: document
            for document in map(json.loads, done.stdout.splitlines())
        }
        good, bad = told["photo.jpg"], told["cut.jpg"]
        assert (good["status"], bad["status"]) == ("succeeded", "failed")
        assert good["metadata"]["camera_make"] == "Pixmaker"
        assert bad["error"]["code"] == "truncated_image"
        (output,) = good["outputs"]
        size = (desk.here / output["file"]).stat().st_size
        assert (output["bytes"], output["format"]) == (size, "webp")

    def test_nothing_is_overwritten_unless_asked(self, desk: Desk) -> None:
        words = ("process", "photo.jpg", "--to", "webp")
        (desk.here / "photo.webp").write_text("mine")
        refused = desk.run(*words)
        assert refused.returncode == FAILED
        assert "photo.webp exists: add --overwrite" in refused.stderr
        assert (desk.here / "photo.webp").read_text() == "mine"
        assert desk.run(*words, "--overwrite").returncode == GOOD
        assert (desk.here / "photo.webp").read_bytes()[:4] == b"RIFF"

    def test_a_source_is_never_overwritten(self, desk: Desk) -> None:
        before = (desk.here / "photo.jpg").read_bytes()
        done = desk.run("process", "photo.jpg", "--to", "jpg", "--overwrite")
        assert done.returncode == FAILED
        assert "is a source" in done.stderr
        assert (desk.here / "photo.jpg").read_bytes() == before

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "Nothing to do"),
            (("--to", "bmp"), "--to"),
            (("--to", "webp", "--width", "0"), "--width"),
            (("--to", "png", "--quality", "80"), "quality"),
        ],
    )
    def test_a_call_without_sense_is_explained(
        self, desk: Desk, words: tuple[str, ...], said: str
    ) -> None:
        before = desk.files()
        done = desk.run("process", "photo.jpg", *words)
        assert done.returncode in (MISUSED, FAILED)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert desk.files() == before

    def test_ctrl_c_leaves_neither_half_a_file_nor_a_process(
        self, desk: Desk, photo_12mp: Path, started: Started
    ) -> None:
        before = desk.files()
        slow = ("--to", "avif", "--effort", "4", "--out", "big")
        process = started("process", str(photo_12mp), "photo.jpg", *slow)
        big = desk.here / "big"
        eventually(lambda: big.exists() and any(big.iterdir()), 60)
        # The terminal tells everyone in it.
        with Stopwatch() as watch:
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == INTERRUPTED
        assert watch.seconds < 10
        assert desk.files() - before <= {"big/photo.avif"}
        assert not list(big.glob(".*"))
        assert family(process) == []
        said = process.stderr.read() if process.stderr else ""
        assert "Traceback" not in said


class TestSubmit:
    def test_photos_are_sent_and_results_fetched(
        self, desk: Desk, service: Serving
    ) -> None:
        done = desk.run(
            *("submit", "photo.jpg", "disc.png", "--to", "webp", "--width", "80"),
            *("--server", service.url, "--out", "got", "--json"),
        )
        assert done.returncode == GOOD, done.stderr
        jobs = [json.loads(line) for line in done.stdout.splitlines()]
        assert {job["status"] for job in jobs} == {"succeeded"}
        got = {"got/photo-webp.webp", "got/disc-webp.webp"}
        assert {name for name in desk.files() if "/" in name} == got
        with Image.open(desk.here / "got" / "photo-webp.webp") as picture:
            assert picture.size == (80, 60)

    def test_a_refusal_is_told_in_the_servers_words(
        self, desk: Desk, service: Serving
    ) -> None:
        done = desk.run(
            *("submit", "note.jpg", "photo.jpg", "--to", "webp"),
            *("--server", service.url),
        )
        assert done.returncode == FAILED
        assert "note.jpg: Expected an image" in done.stderr
        assert "photo.jpg: succeeded" in done.stdout

    def test_ctrl_c_stops_waiting(
        self, desk: Desk, service: Serving, photo_12mp: Path, started: Started
    ) -> None:
        (desk.here / "slow.json").write_text(json.dumps(ENDLESS))
        before = service.rows()["jobs"]
        process = started(
            *("submit", str(photo_12mp), "--pipeline", "slow.json"),
            *("--server", service.url, "--out", "got"),
        )
        eventually(lambda: service.rows()["jobs"] > before, 60)
        newest = service.http.get("/v1/jobs", params={"limit": 1}).json()["data"][0]
        try:
            with Stopwatch() as watch:
                os.killpg(process.pid, signal.SIGINT)
                assert process.wait(60) == INTERRUPTED
            assert watch.seconds < 8
            assert job(service, newest["job_id"])["status"] in ("queued", "processing")
            assert not {name for name in desk.files() if name.startswith("got/")}
        finally:  # or it keeps a worker from whatever comes next
            service.http.delete(f"/v1/jobs/{newest['job_id']}")


COMMANDS = ["serve", "process", "submit", "usage", "migrate", "doctor"]


@pytest.mark.parametrize("name", [*COMMANDS, "keys create"])
def test_help_fits_a_narrow_window_and_shows_examples(desk: Desk, name: str) -> None:
    done = desk.run(*name.split(), "--help")
    assert done.returncode == GOOD
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert f"pixtools {name}" in done.stdout
    assert "Example" in done.stdout
