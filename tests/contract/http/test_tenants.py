"""Two tenants attack each other over every route that there is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx2
import pytest
from tests.contract.http.site import GIF, PIPELINE, problem
from tests.contract.http.tenants import MINE, THEIRS, Route, Tenants

from pixtools.domain.identity import key_text

FOR_EVERYBODY = {
    "GET /api/health",
    "GET /api/livez",
    "GET /api/readyz",
    "GET /healthz",
    "GET /metrics",
    "GET /v1/limits",
    "GET /v1/operations",
    "GET /v1/presets",
    "GET /v1/session",
    "POST /v1/session",
    "DELETE /v1/session",
    "POST /v1/webhook-sandbox/{sandbox_id}",
}
"""Whatever is added here is answered to strangers: it must belong to nobody."""


@pytest.fixture(scope="module")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    made = Tenants(tmp_path_factory.mktemp("tenants"))
    yield made
    made.close()


def guarded(tenants: Tenants) -> Iterator[Route]:
    for route in tenants.routes():
        if str(route) not in FOR_EVERYBODY:
            yield route


def told(answer: httpx2.Response, ids: dict[str, str]) -> dict[str, str]:
    """What a problem says, whichever id and request it is about."""
    text = answer.text.replace(answer.headers["x-request-id"], "…")
    for value in ids.values():
        text = text.replace(value, "…")
    said: dict[str, str] = json.loads(text)
    return said


def about_something(tenants: Tenants) -> Iterator[Route]:
    return (route for route in guarded(tenants) if route.ids)


def test_there_is_one_of_everything_that_a_path_can_name(tenants: Tenants) -> None:
    """A new kind of id needs one of its kind in `Tenants`, or nobody attacks it."""
    named = {name for route in about_something(tenants) for name in route.ids}
    assert named <= tenants.ids.keys()
    assert len(list(about_something(tenants))) >= 10


def test_the_owner_finds_what_the_other_looks_for(tenants: Tenants) -> None:
    """Otherwise all of the following would prove nothing."""
    for route in about_something(tenants):
        if route.method == "GET" and "events" not in route.path:
            answer = tenants.ask(MINE, route, route.filled(tenants.ids))
            assert answer.status_code == 200, route


def test_anothers_anything_is_not_there_and_nothing_changes(tenants: Tenants) -> None:
    """Each route × an id of another tenant: 404, as for an id that nobody has."""
    before, files = tenants.rows(), tenants.site.house.blobs.keys()
    for route in about_something(tenants):
        theirs = tenants.ask(THEIRS, route, route.filled(tenants.ids))
        assert theirs.status_code == 404, (str(route), theirs.text)
        nobodys = {name: value[:-1] + "0" for name, value in tenants.ids.items()}
        nothing = tenants.ask(THEIRS, route, route.filled(nobodys))
        assert nothing.status_code == 404, str(route)
        assert told(theirs, tenants.ids) == told(nothing, nobodys), str(route)
    assert tenants.rows() == before
    assert tenants.site.house.blobs.keys() == files


def test_nothing_of_another_stands_in_a_list(tenants: Tenants) -> None:
    for route in guarded(tenants):
        if route.method == "GET" and not route.ids:
            for query in ("", *(f"?{n}={v}" for n, v in tenants.ids.items())):
                text = tenants.ask(THEIRS, route, route.path + query).text
                assert not [v for v in tenants.ids.values() if v in text], str(route)


def test_what_one_has_used_is_told_to_nobody_else(tenants: Tenants) -> None:
    tenants.site.work()
    jobs = {
        name: tenants.client(name).get("/v1/usage").json()["total"]["jobs"]
        for name in (MINE, THEIRS)
    }
    assert jobs == {MINE: 1, THEIRS: 0}


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/jobs?dry_run=true"])
def test_what_is_anothers_can_not_be_named_in_a_body_either(
    tenants: Tenants, path: str
) -> None:
    before, files = tenants.rows(), tenants.site.house.blobs.keys()
    theirs, job = tenants.client(THEIRS), tenants.ids["job_id"]
    order = {"source_type": "s3_presigned", "pipeline": PIPELINE}
    for key in (
        f"raw/{job}/source",
        f"processed/{job}/small.webp",
        f"inbox/{MINE}/logo.png",
        f"inbox/{THEIRS}/../{MINE}/logo.png",
    ):
        named = {"source_type": "object", "object_key": key, "pipeline": PIPELINE}
        assert theirs.post(path, json=named).status_code in {409, 422}, key
        marked = [PIPELINE[0] | {"watermark": {"image": key}}]
        answer = theirs.post(path, json=order | {"pipeline": marked})
        assert answer.status_code == 422, key
    joining = order | {"batch_id": tenants.ids["batch_id"]}
    problem(theirs.post(path, json=joining), 404, "batch_not_found")
    with_photo = theirs.post(
        path,
        files={"file": ("a.gif", GIF)},
        data={"preset": "gallery", "batch_id": tenants.ids["batch_id"]},
    )
    problem(with_photo, 404, "batch_not_found")
    assert tenants.rows() == before
    assert tenants.site.house.blobs.keys() == files


def test_the_same_idempotency_key_is_two_tenants_two_keys(tenants: Tenants) -> None:
    order = {"source_type": "s3_presigned", "pipeline": PIPELINE}
    headers = {"Idempotency-Key": "the-same"}
    mine, theirs = (
        tenants.client(name).post("/v1/jobs", json=order, headers=headers).json()
        for name in (MINE, THEIRS)
    )
    assert mine["job_id"] != theirs["job_id"]


def test_nobody_gets_past_the_gate_without_a_key(tenants: Tenants) -> None:
    """Each route: without a key 401, with a wrong one 401, and nothing changes."""
    stranger = tenants.site.client
    wrong = {"Authorization": f"Bearer {key_text(bytes(24))}"}
    before = tenants.rows()
    for route in guarded(tenants):
        path = route.filled(tenants.ids)
        for headers, code in (
            ({}, "credentials_missing"),
            (wrong, "credentials_invalid"),
        ):
            answer = stranger.request(route.method, path, headers=headers)
            problem(answer, 401, code)
    assert tenants.rows() == before


def test_the_document_says_what_is_guarded(tenants: Tenants) -> None:
    for route in tenants.routes():
        if str(route) in FOR_EVERYBODY:
            assert "security" not in route.operation, str(route)
        else:
            assert "security" in route.operation, str(route)
            assert {"401", "403"} <= route.operation["responses"].keys(), str(route)
