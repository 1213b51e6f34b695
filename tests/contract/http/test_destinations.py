"""Addresses that clients give: looked at when they are given, refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.contract.http.site import GIF, PIPELINE, Site, pointers, problem

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import UnsafeDestination
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.testing.hostile_destinations import HOSTILE, answered

GUARD = Guard(GuardConfig(), answered)
INSIDE = "https://mixed.example/hook"
OUTSIDE = "https://receiver.example/hook"
LATER = {"source_type": "s3_presigned", "pipeline": PIPELINE}
BY_URL = {
    "source_type": "url",
    "url": "https://photos.example/cat.gif",
    "preset": "gallery",
}
SENDABLE = [url for url in HOSTILE if url and not set(url) & {"\x00", "\ud800"}]
"""Those that are an address to the readers of JSON."""
DRY = "/v1/jobs?dry_run=true"
SENTENCE = "This address can't be used."


@pytest.fixture
def site() -> Site:
    return Site(check_webhook=GUARD.check)


@pytest.fixture(scope="module")
def shared() -> Site:
    return Site(check_webhook=GUARD.check)


def order(site: Site, body: object, to: str = "/v1/jobs") -> Any:
    return site.ask("POST", to, json=body)


TAKING: dict[str, Callable[[Site, str], Any]] = {
    "announced": lambda site, url: order(site, {**LATER, "webhook_url": url}),
    "fetched": lambda site, url: order(site, {**BY_URL, "webhook_url": url}),
    "uploaded": lambda site, url: site.upload(webhook_url=url),
    "on the other face": lambda site, url: site.process(webhook_url=url),
    "in a batch": lambda site, url: order(
        site, {"jobs": [{**LATER, "webhook_url": url}]}, "/v1/batches"
    ),
    "in a batch of photos": lambda site, url: site.ask(
        "POST",
        "/v1/batches",
        files={"file": ("cat.gif", GIF)},
        data={"pipeline": json.dumps(PIPELINE), "webhook_url": url},
    ),
}


@pytest.mark.parametrize("way", TAKING)
def test_a_receiver_inside_is_refused_whatever_way_a_job_is_given(
    site: Site, way: str
) -> None:
    told = problem(TAKING[way](site, INSIDE), 422, "unsafe_destination")
    assert told["detail"] == SENTENCE
    at = "/jobs/0/webhook_url" if way == "in a batch" else "/webhook_url"
    assert pointers(told) == [at]
    assert site.left() == ([], [])


def test_a_receiver_inside_is_refused_before_a_job_is_given(site: Site) -> None:
    bare = order(site, {**LATER, "webhook_url": INSIDE}, DRY)
    form = {"preset": "gallery", "webhook_url": INSIDE}
    photo = site.ask("POST", DRY, files={"file": ("cat.gif", GIF)}, data=form)
    for answer in (bare, photo):
        told = problem(answer, 422, "unsafe_destination")
        assert (told["detail"], pointers(told)) == (SENTENCE, ["/webhook_url"])


@pytest.mark.parametrize("way", TAKING)
def test_a_receiver_outside_is_taken(site: Site, way: str) -> None:
    assert TAKING[way](site, OUTSIDE).status_code in (201, 202)
    jobs = site.left()[1]
    assert [site.house.job(each).webhook_url for each in jobs] == [OUTSIDE]


@pytest.mark.parametrize("url", SENDABLE)
def test_a_hostile_receiver_is_refused_when_it_is_given(shared: Site, url: str) -> None:
    """With its form or in the one sentence; either way no job is made."""
    answer = order(shared, {**LATER, "webhook_url": url})
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("unsafe_destination", "invalid_request")
    assert pointers(answer.json()) == ["/webhook_url"]
    assert shared.left() == ([], [])


def test_a_photo_is_fetched_from_its_address(site: Site) -> None:
    site.house.fetcher.photos[BY_URL["url"]] = GIF
    answer = order(site, {**BY_URL, "filename": "mine.gif", "bytes": len(GIF)})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["source"]["filename"]) == ("queued", "mine.gif")
    assert "photos.example" not in answer.text
    site.work()
    shown = site.ask("GET", f"/v1/jobs/{body['job_id']}").json()
    assert (shown["status"], shown["source"]["width"]) == ("succeeded", 160)


def test_what_is_wrong_with_the_address_is_the_jobs_error(site: Site) -> None:
    site.house.fetcher.photos[BY_URL["url"]] = b"no photo at all, only some text" * 4
    job_id = order(site, BY_URL).json()["job_id"]
    site.work()
    shown = site.ask("GET", f"/v1/jobs/{job_id}").json()
    assert (shown["status"], shown["error"]["code"]) == ("failed", "unsupported_format")


@pytest.mark.parametrize(
    ("to", "wrap", "pointer"),
    [
        ("/v1/jobs", lambda job: job, "/url"),
        (DRY, lambda job: job, "/url"),
        ("/v1/batches", lambda job: {"jobs": [LATER, job]}, "/jobs/1/url"),
    ],
)
def test_an_address_inside_is_not_fetched(
    site: Site, to: str, wrap: Callable[[object], object], pointer: str
) -> None:
    site.house.fetcher.inside.add(BY_URL["url"])
    told = problem(order(site, wrap(BY_URL), to), 422, "unsafe_destination")
    assert (told["detail"], pointers(told)) == (SENTENCE, [pointer])
    assert site.left() == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        {"source_type": "url", "preset": "gallery"},
        {**BY_URL, "url": ""},
        {**BY_URL, "url": "photos.example/cat.gif"},
        {**BY_URL, "url": "file:///etc/passwd"},
        {**LATER, "url": BY_URL["url"]},
    ],
)
def test_an_address_goes_with_its_source_type_and_no_other(
    site: Site, body: object
) -> None:
    told = problem(order(site, body), 422, "invalid_request")
    assert pointers(told) == ["/url"]


def test_a_request_that_was_answered_before_is_answered_alike(site: Site) -> None:
    """Wherever the name leads by now: it is looked at again when it is dialled."""
    body = {**LATER, "webhook_url": OUTSIDE}
    first = site.ask("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": "k"})
    site.app.state.house = replace(site.app.state.house, check_webhook=refuse)
    again = site.ask("POST", "/v1/jobs", json=body, headers={"Idempotency-Key": "k"})
    assert again.status_code == first.status_code == 201
    assert again.json()["job_id"] == first.json()["job_id"]
    problem(order(site, body), 422, "unsafe_destination")


def test_whoever_answers_slowly_for_names_keeps_nobody_waiting() -> None:
    """While all lookups hang names are taken as they are, to be looked at when dialled.

    What needs no look-up is refused as ever.
    """
    patience = ApiConfig(lookup_timeout=0.2)
    site = Site(config=patience, check_webhook=Guard(GuardConfig(), answered).check)
    lookups = site.app.state.house.threads.lookups
    with site.client:
        portal = site.client.portal
        assert portal
        for number in range(int(lookups.total_tokens)):
            portal.call(lookups.acquire_on_behalf_of, number)
        assert order(site, {**LATER, "webhook_url": INSIDE}).status_code == 201
        literal = order(site, {**LATER, "webhook_url": "http://10.0.0.1/"})
        problem(literal, 422, "unsafe_destination")


def refuse(url: str, within: float) -> None:
    raise UnsafeDestination
