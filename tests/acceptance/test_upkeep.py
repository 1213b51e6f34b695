"""What whoever runs PixTools types: migrate and doctor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.acceptance.desk import FAILED, GOOD, Desk

from pixtools.testing.serving import Serving


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class TestMigrate:
    def test_it_says_from_where_to_where(self, desk: Desk) -> None:
        first, second = desk.run("migrate"), desk.run("migrate")
        assert (first.returncode, second.returncode) == (GOOD, GOOD)
        assert "empty → " in first.stdout
        assert "Already at " in second.stdout
        assert (desk.here / "data" / "pixtools.sqlite3").exists()

    def test_it_is_safe_while_serving(self, desk: Desk, service: Serving) -> None:
        done = desk.run("migrate", PIXTOOLS_DATA_DIR=str(service.data))
        assert done.returncode == GOOD
        assert "Already at " in done.stdout
        assert service.http.get("/api/health").status_code == 200


class TestDoctor:
    def test_it_says_that_all_is_well(self, desk: Desk) -> None:
        done = desk.run("doctor", "--json")
        assert done.returncode == GOOD, done.stdout
        findings = {found["name"]: found for found in json.loads(done.stdout)}
        assert all(found["good"] for found in findings.values())
        assert "libvips" in findings["Pixels"]["detail"]

    def test_it_says_what_is_not(self, desk: Desk) -> None:
        (desk.here / "data").write_text("This is no folder.")
        done = desk.run("doctor")
        assert done.returncode == FAILED
        assert "✗" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr

    def test_servers_are_looked_at_where_there_are_some(
        self, desk: Desk, free_port: int
    ) -> None:
        nobody = f"opensesame@127.0.0.1:{free_port}"
        urls = {
            "REDIS_URL": f"redis://:{nobody}/0",
            "RABBITMQ_URL": f"amqp://ann:{nobody}//",
        }
        done = desk.run("doctor", "--json", **urls)
        assert done.returncode == FAILED
        findings = {found["name"]: found for found in json.loads(done.stdout)}
        for name in ("Redis", "RabbitMQ"):
            assert not findings[name]["good"]
            assert "Connection refused" in findings[name]["detail"]
        assert findings["Database"]["good"]
        assert "opensesame" not in done.stdout + done.stderr

    def test_a_store_that_is_away_is_a_finding_and_no_log_line(
        self, desk: Desk, free_port: int
    ) -> None:
        store = f"http://127.0.0.1:{free_port}"
        keys = {"AWS_ACCESS_KEY_ID": "ann", "AWS_SECRET_ACCESS_KEY": "opensesame"}
        urls = {"S3_BUCKET": "photos", "AWS_ENDPOINT_URL": store}
        done = desk.run("doctor", "--json", **urls, **keys)
        assert (done.returncode, done.stderr) == (FAILED, "")
        findings = {found["name"]: found for found in json.loads(done.stdout)}
        assert f"{store}/photos: Connection refused" in findings["Storage"]["detail"]

    def test_a_folder_that_is_none_is_a_finding(self, desk: Desk) -> None:
        """Also where facts and files rest elsewhere: work needs room of its own."""
        (desk.here / "data").write_text("This is no folder.")
        facts = f"sqlite:///{desk.here}/facts.sqlite3"
        done = desk.run("doctor", "--json", DATABASE_URL=facts)
        findings = {found["name"]: found for found in json.loads(done.stdout)}
        assert not findings["Disk"]["good"]
        assert "PIXTOOLS_DATA_DIR" in findings["Disk"]["detail"]

    def test_a_wrong_setting_is_one_sentence(self, desk: Desk) -> None:
        done = desk.run("doctor", WORKERS="many")
        assert done.returncode == FAILED
        assert "WORKERS" in done.stderr
        assert len(done.stderr.splitlines()) == 1
