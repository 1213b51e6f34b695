"""A receiver of our own: what came, and whether it verifies."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from standardwebhooks import Webhook
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import Site, problem
from tests.contract.http.test_streams import Heard, listen
from tests.contract.http.test_webhooks import UNKNOWN, ended, tell

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import UnsafeDestination
from pixtools.domain.signature import signed_headers
from pixtools.testing.clock import HandClock
from pixtools.testing.house import House
from pixtools.wiring.machine import SystemClock


@pytest.fixture
def site() -> Site:
    """It is now: the standard library compares signatures with the real clock."""
    config = ApiConfig(poll_interval=0.05)
    return Site(config=config, house=House(clock=HandClock(SystemClock().now())))


def opened(site: Site) -> dict[str, Any]:
    answer = site.ask("POST", "/v1/webhook-sandbox")
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def test_it_shows_what_came_and_whether_it_verifies(site: Site) -> None:
    sandbox = opened(site)
    body = b'{"type": "job.succeeded"}'
    headers = signed_headers("msg_1", site.house.clock.now(), body, [sandbox["secret"]])
    for bend in ({}, {"webhook-id": "msg_2"}):
        said = site.ask("POST", sandbox["url"], content=body, headers=headers | bend)
        assert said.status_code == 200
    shown = site.ask("GET", sandbox["url"]).json()["data"]
    verdicts = [each["verdict"] for each in shown]
    assert verdicts == ["valid", "no signature matches"]
    assert shown[0]["body"] == body.decode()
    assert shown[0]["headers"]["webhook-id"] == "msg_1"


@pytest.mark.parametrize("name", ["Cookie", "Authorization", "X-API-Key"])
def test_it_shows_nobody_the_credentials_of_whoever_sends(
    site: Site, name: str
) -> None:
    """A browser that is signed in sends its cookie, if a page beside ours asks."""
    sandbox = opened(site)
    sent = {name: "known-to-me-alone", "X-Other": "shown"}
    assert site.ask("POST", sandbox["url"], headers=sent).status_code == 200
    shown = site.ask("GET", sandbox["url"])
    assert shown.json()["data"][0]["headers"]["x-other"] == "shown"
    assert "known-to-me-alone" not in shown.text


def test_a_job_may_tell_it_though_it_is_inside(site: Site) -> None:
    """Nobody else's address in there may be called."""

    def refuse(url: str, within: float) -> None:
        raise UnsafeDestination

    site.check_webhook = refuse
    site.open()
    sandbox = opened(site)
    ended(site, sandbox["url"])
    assert tell(site).sent == []
    (receipt,) = site.ask("GET", sandbox["url"]).json()["data"]
    assert receipt["verdict"] == "valid"
    Webhook(sandbox["secret"]).verify(receipt["body"], receipt["headers"])
    other = sandbox["url"][:-1]
    answer = site.upload(webhook_url=other)
    problem(answer, 422, "unsafe_destination")


def test_it_is_watched_as_it_happens(site: Site) -> None:
    sandbox = opened(site)
    path = httpx2.URL(sandbox["events_url"]).path

    async def story() -> list[Heard]:
        async with Exchange(site.app, "GET", path) as stream:
            head = await stream.head()
            assert head.headers["content-type"].startswith("text/event-stream")
            await asyncio.to_thread(site.ask, "POST", sandbox["url"], content=b"1")
            heard = await listen(stream, until="delivery")
            await asyncio.to_thread(site.ask, "POST", sandbox["url"], content=b"2")
            return heard + await listen(stream, until="delivery")

    heard = asyncio.run(story())
    assert [(each.id, each.document["body"]) for each in heard] == [
        ("1", "1"),
        ("2", "2"),
    ]
    assert heard[0].document["verdict"] == "missing header webhook-id"


def test_who_comes_back_hears_what_was_missed(site: Site) -> None:
    sandbox = opened(site)
    for n in range(3):
        site.ask("POST", sandbox["url"], content=str(n).encode())
    path = httpx2.URL(sandbox["events_url"]).path

    async def story() -> list[Heard]:
        headers = {"Last-Event-ID": "2"}
        async with Exchange(site.app, "GET", path, headers) as stream:
            await stream.head()
            return await listen(stream, until="delivery")

    assert [each.id for each in asyncio.run(story())] == ["3"]


@pytest.mark.parametrize("rest", ["", "/events"])
@pytest.mark.parametrize("sandbox_id", [UNKNOWN, "x", "%00"])
def test_an_unknown_one_is_not_found(site: Site, sandbox_id: str, rest: str) -> None:
    path = f"/v1/webhook-sandbox/{sandbox_id}{rest}"
    problem(site.ask("GET", path), 404, "sandbox_not_found")
    if not rest:
        answer = site.ask("POST", path, content=b"x")
        problem(answer, 404, "sandbox_not_found")


def test_after_a_day_it_is_gone(site: Site) -> None:
    sandbox = opened(site)
    site.house.clock.advance(timedelta(hours=24))
    problem(site.ask("GET", sandbox["url"]), 404, "sandbox_not_found")


def test_what_is_too_long_is_refused(site: Site) -> None:
    sandbox = opened(site)
    answer = site.ask("POST", sandbox["url"], content=bytes(256 * 1024 + 1))
    assert answer.status_code == 413
    assert site.ask("GET", sandbox["url"]).json()["data"] == []
