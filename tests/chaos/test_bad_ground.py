"""A start that can't be is one sentence; a disk that takes no more is an answer."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.acceptance.refusing import checked
from tests.acceptance.visiting import WEBP, ended, made, post, submitted
from tests.chaos.aftermath import check_all_succeeded, check_tidy

from pixtools.testing.serving import Serving, command, eventually, serving

GARBAGE = b"This is no database. " * 500


@pytest.fixture(scope="module")
def service() -> Iterator[Serving]:
    with serving() as served:
        yield served


def refused(here: Path, **settings: str) -> str:
    """The one sentence with which a service does not start."""
    done = subprocess.run(
        command("serve"),
        cwd=here,
        env=os.environ | {"PORT": "0", "PIXTOOLS_DATA_DIR": "data"} | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.rstrip().endswith(".")
    return done.stderr


class TestStarts:
    def test_a_second_service_on_the_same_data_is_refused(
        self, service: Serving, tmp_path: Path, photo_vga: Path
    ) -> None:
        said = refused(tmp_path, PIXTOOLS_DATA_DIR=str(service.data))
        assert "PIXTOOLS_DATA_DIR" in said
        assert "in use" in said
        assert made(service, photo_vga)["status"] == "succeeded"

    def test_a_port_that_is_taken_is_named(
        self, service: Serving, tmp_path: Path
    ) -> None:
        port = service.url.rpartition(":")[2]
        assert f"PORT {port}" in refused(tmp_path, PORT=port)

    def test_nobody_serves_other_machines_without_asking_who_they_are(
        self, tmp_path: Path
    ) -> None:
        said = refused(tmp_path, HOST="0.0.0.0")
        assert "API_KEY" in said
        assert "pixtools keys create" in said

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("PORT", "eighty"),
            ("DATABASE_URL", "mysql://localhost/pixtools"),
            ("RABBITMQ_URL", "http://localhost"),
            ("API_KEY", "too-short"),
        ],
    )
    def test_a_wrong_setting_is_named(
        self, tmp_path: Path, name: str, value: str
    ) -> None:
        assert name in refused(tmp_path, **{name: value})
        assert not (tmp_path / "data").exists()

    def test_a_data_directory_that_is_a_file_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("mine")
        assert "PIXTOOLS_DATA_DIR" in refused(tmp_path)
        assert (tmp_path / "data").read_text() == "mine"

    def test_a_data_directory_that_can_t_be_made_is_named(self, tmp_path: Path) -> None:
        said = refused(tmp_path, PIXTOOLS_DATA_DIR="/proc/pixtools/data")
        assert "PIXTOOLS_DATA_DIR" in said

    def test_a_database_that_is_none_is_named_and_kept(self, tmp_path: Path) -> None:
        path = tmp_path / "data" / "pixtools.sqlite3"
        path.parent.mkdir()
        path.write_bytes(GARBAGE)
        said = refused(tmp_path)
        assert said.count("pixtools.sqlite3") == 1
        assert "file is not a database" in said
        assert path.read_bytes() == GARBAGE


@contextmanager
def files_of_at_most(service: Serving, size: int) -> Iterator[None]:
    """A service that can write no longer file, as on a full disk, for a block."""
    pid, kind = service.process.pid, resource.RLIMIT_FSIZE
    soft, hard = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, kind, (soft, hard))


class TestFullDisk:
    def test_an_upload_is_refused_and_leaves_nothing(
        self, service: Serving, photo_12mp: Path, photo_vga: Path
    ) -> None:
        check_tidy(service)  # whoever worked before has cleared his place
        before = service.rows(), service.files()
        with files_of_at_most(service, 2 * 1024 * 1024):
            answer = post(service, photo_12mp)
            checked(answer, 503, "storage_unavailable")
            assert answer.headers["retry-after"]
            assert (service.rows(), service.files()) == before
            assert made(service, photo_vga)["status"] == "succeeded"

    def test_a_database_that_can_t_grow_is_said_so(
        self, service: Serving, photo_vga: Path
    ) -> None:
        order = {"source_type": "s3_presigned", "pipeline": WEBP}
        known = submitted(service, photo_vga)
        ended(service, known)
        with files_of_at_most(service, 4096):
            answer = service.http.post("/v1/jobs", json=order)
            checked(answer, 503, "database_unavailable")
            assert service.http.get(f"/v1/jobs/{known}").status_code == 200
            assert service.http.get("/api/livez").status_code == 200
        assert service.http.post("/v1/jobs", json=order).status_code == 201
        check_all_succeeded(service, [submitted(service, photo_vga)])

    def test_work_that_found_no_room_is_done_when_there_is_some(
        self, service: Serving, photo_2mp: Path
    ) -> None:
        """An output that can't be stored is tried again, not given up."""
        steps = [{"id": "big", "action": "convert", "format": "png"}]
        with files_of_at_most(service, 2 * 1024 * 1024):
            job_id = submitted(service, photo_2mp, steps)
            eventually(lambda: stage_errors(service) == ["storage_unavailable"], 60)
        check_all_succeeded(service, [job_id])
        check_tidy(service)


def stage_errors(service: Serving) -> list[str]:
    """Codes of what went wrong with stages that wait."""
    with closing(service.database()) as database:
        rows = database.execute(
            "SELECT json_extract(error, '$.code') FROM stages"
            " WHERE status = 'queued' AND error IS NOT NULL"
        )
        return [code for (code,) in rows]
