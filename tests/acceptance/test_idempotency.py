"""Idempotency keys: however often a request is sent, it is carried out once."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import WEBP, at_once, ended, post, process

pytestmark = pytest.mark.anywhere


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def jobs(service: Served) -> int:
    return service.rows()["jobs"]


def sources(service: Served) -> set[str]:
    """The originals that are kept (earlier tests' archives may still be packed)."""
    return {name for name in service.files() if "raw/" in name}


def files_of(service: Served, job_id: str) -> set[str]:
    """All that is kept of one job."""
    return {name for name in service.files() if job_id in name}


class TestTheSameAgain:
    def test_a_photo_is_taken_once(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        before = jobs(service)
        first = post(service, photo_vga, headers=key)
        again = post(service, photo_vga, headers=key)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json()["job_id"] == first.json()["job_id"]
        assert again.headers["idempotent-replayed"] == "true"
        assert "idempotent-replayed" not in first.headers
        assert jobs(service) == before + 1

    def test_the_replay_keeps_no_second_copy(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        job_id = post(service, photo_vga, headers=key).json()["job_id"]
        ended(service, job_id)
        originals, own = sources(service), files_of(service, job_id)
        post(service, photo_vga, headers=key)
        assert sources(service) == originals
        assert files_of(service, job_id) == own != set()

    def test_it_shows_the_job_as_it_is_now(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        job_id = post(service, photo_vga, headers=key).json()["job_id"]
        ended(service, job_id)
        again = post(service, photo_vga, headers=key).json()
        assert (again["job_id"], again["status"]) == (job_id, "succeeded")

    def test_an_announcement_is_made_once(
        self, service: Served, key: dict[str, str]
    ) -> None:
        order = {"source_type": "s3_presigned", "pipeline": WEBP}
        first, again = (
            service.http.post("/v1/jobs", json=order, headers=key) for _ in range(2)
        )
        assert first.json()["job_id"] == again.json()["job_id"]
        assert again.status_code == 201
        assert again.json()["upload"]["presigned_put_url"]

    def test_the_pixtools_face_keeps_it_too(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        first, again = (process(service, photo_vga, headers=key) for _ in range(2))
        assert first.json() == again.json()
        assert again.headers["idempotent-replayed"] == "true"

    def test_quotes_around_a_key_mean_nothing(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        quoted = {"Idempotency-Key": f'"{key["Idempotency-Key"]}"'}
        first = post(service, photo_vga, headers=key)
        again = post(service, photo_vga, headers=quoted)
        assert again.json()["job_id"] == first.json()["job_id"]


class TestAnotherRequest:
    @pytest.mark.parametrize("face", ["api", "v1"])
    def test_under_the_same_key_is_refused(
        self, service: Served, photo_vga: Path, key: dict[str, str], face: str
    ) -> None:
        if face == "v1":
            assert post(service, photo_vga, headers=key).status_code == 202
            other = [{**WEBP[0], "width": 65}]
            answer = post(service, photo_vga, other, headers=key)
        else:
            assert process(service, photo_vga, headers=key).status_code == 202
            answer = process(service, photo_vga, ["png"], headers=key)
        assert answer.status_code == 422
        assert answer.json()["code"] == "idempotency_mismatch"

    def test_another_photo_is_another_request(
        self,
        service: Served,
        photo_vga: Path,
        photo_2mp: Path,
        key: dict[str, str],
    ) -> None:
        post(service, photo_vga, headers=key)
        before = service.files()
        answer = post(service, photo_2mp, headers=key, filename=photo_vga.name)
        assert answer.json()["code"] == "idempotency_mismatch"
        assert {name for name in service.files() - before if "/raw/" in name} == set()

    def test_a_refused_request_does_not_use_its_key_up(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        wrong = [{**WEBP[0], "width": -1}]
        assert post(service, photo_vga, wrong, headers=key).status_code == 422
        assert post(service, photo_vga, headers=key).status_code == 202


class TestAtTheSameMoment:
    def check(self, service: Served, answers: list[Any], before: int) -> None:
        codes = [answer.status_code for answer in answers]
        assert set(codes) <= {201, 202, 409}, answers
        told = {a.json()["job_id"] for a in answers if a.status_code < 300}
        assert len(told) == 1
        refused = {a.json()["code"] for a in answers if a.status_code == 409}
        assert refused <= {"idempotency_in_flight"}
        assert all(a.headers["retry-after"] for a in answers if a.status_code == 409)
        assert jobs(service) == before + 1

    def test_twenty_racers_make_one_job(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        before = jobs(service)
        send = partial(post, service, photo_vga, headers=key)
        self.check(service, at_once(*[send] * 20), before)

    def test_twenty_announcements_make_one_job(
        self, service: Served, key: dict[str, str]
    ) -> None:
        before = jobs(service)
        body = json.dumps({"source_type": "s3_presigned", "pipeline": WEBP})
        headers = {**key, "Content-Type": "application/json"}
        send = partial(service.http.post, "/v1/jobs", content=body, headers=headers)
        self.check(service, at_once(*[send] * 20), before)

    def test_the_losers_files_are_gone(
        self, service: Served, photo_vga: Path, key: dict[str, str]
    ) -> None:
        before = {name for name in service.files() if "/raw/" in name}
        send = partial(post, service, photo_vga, headers=key)
        at_once(*[send] * 10)
        after = {name for name in service.files() if "/raw/" in name}
        assert len({name.split("/")[2] for name in after - before}) == 1
