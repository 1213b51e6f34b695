"""A stream ends soon after whoever listens may no longer."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import Site, problem
from tests.gates import SECRET, a_gate, a_keyring

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import DatabaseUnavailable
from pixtools.domain.identity import Identity
from pixtools.identity.config import GateConfig
from pixtools.identity.gate import Gate
from pixtools.testing.house import House

CONFIG: Final = ApiConfig(
    standing_interval=0, poll_interval=0.01, public_base_url="http://testserver"
)
KINDS: Final[dict[str, tuple[str, dict[str, Any], str]]] = {
    "job": ("/v1/jobs", {"source_type": "s3_presigned", "preset": "gallery"}, "job_id"),
    "batch": ("/v1/batches", {}, "batch_id"),
    "sandbox": ("/v1/webhook-sandbox", {}, "sandbox_id"),
}
WITHIN: Final = 60


@pytest.fixture
def house() -> House:
    return House()


def begun(site: Site, kind: str, headers: dict[str, str]) -> str:
    """Where somebody listens to something of theirs that goes on."""
    path, body, name = KINDS[kind]
    made = site.ask("POST", path, json=body, headers=headers)
    assert made.status_code == 201, made.text
    return f"{path}/{made.json()[name]}/events"


def listened(
    site: Site, path: str, headers: dict[str, str], *happens: Callable[[], object]
) -> None:
    """Listen until the stream ends by itself, while one thing after another happens."""

    async def story() -> None:
        async with Exchange(site.app, "GET", path, headers) as stream:
            assert (await stream.head()).status == 200
            chunks = stream.chunks()
            await anext(chunks)
            for each in happens:
                await asyncio.to_thread(each)
            async for _ in chunks:
                pass
            await stream.over()

    asyncio.run(asyncio.wait_for(story(), WITHIN))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_ends_when_its_key_is_revoked(
    house: House, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """That is no attempt to guess a key."""
    ring = a_keyring(house)
    key, text = ring.create(tenant="ann")
    site = Site(house=house, gate=a_gate(house), config=CONFIG)
    headers = {"Authorization": f"Bearer {text}"}
    path = begun(site, kind, headers)
    with caplog.at_level(logging.INFO):
        listened(site, path, headers, lambda: ring.revoke(key.id))
    assert "credentials_refused" not in caplog.text
    problem(site.ask("GET", path, headers=headers), 401, "credentials_invalid")


def test_a_browsers_stream_ends_with_its_cookie(house: House) -> None:
    _, text = a_keyring(house).create(tenant="ann")
    site = Site(house=house, gate=a_gate(house), config=CONFIG)
    path = begun(site, "batch", {"X-API-Key": text})
    site.ask("POST", "/v1/session", json={"key": text})
    headers = {"Cookie": f"pixtools={site.client.cookies['pixtools']}"}
    listened(site, path, headers, lambda: house.clock.advance(13 * 3600))


def test_a_stream_without_a_key_ends_when_keys_are_asked_for(house: House) -> None:
    site = Site(house=house, gate=a_gate(house), config=CONFIG)
    path = begun(site, "batch", {})
    headers = {"Host": "testserver"}
    listened(site, path, headers, lambda: a_keyring(house).create(tenant="ann"))


class Forgetful(Gate):
    """A gate whose database goes away for some looks."""

    def __init__(self, house: House) -> None:
        super().__init__(GateConfig(secret=SECRET), a_keyring(house))
        self.failing = 0
        self.back = threading.Event()

    def identify(self, text: str, *, cookie: bool = False) -> Identity:
        if self.failing:
            self.failing -= 1
            raise DatabaseUnavailable
        self.back.set()
        return super().identify(text, cookie=cookie)

    def recall(self, text: str, *, cookie: bool = False) -> None:
        del text, cookie


def test_a_stream_goes_on_while_nobody_can_tell_who_listens(house: House) -> None:
    ring = a_keyring(house)
    key, text = ring.create(tenant="ann")
    gate = Forgetful(house)
    site = Site(house=house, gate=gate, config=CONFIG)
    headers = {"Authorization": f"Bearer {text}"}
    path = begun(site, "batch", headers)

    def go_away() -> None:
        gate.failing = 3
        gate.back.clear()

    def come_back() -> None:
        assert gate.back.wait(WITHIN / 2)
        ring.revoke(key.id)

    listened(site, path, headers, go_away, come_back)
