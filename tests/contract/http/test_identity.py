"""Who may ask: keys in headers, scopes, and the gate that stands open without keys."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from starlette.testclient import TestClient
from tests.contract.http.site import Site, problem
from tests.gates import a_gate, a_key_of, a_keyring

from pixtools.api.config import ApiConfig
from pixtools.domain.errors import DatabaseUnavailable
from pixtools.domain.identity import key_text
from pixtools.limits.config import BucketConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.testing.house import House
from pixtools.testing.memory_jobs import MemoryDatabase

NEW = {"source_type": "s3_presigned", "preset": "gallery"}
SETTING = "the-key-of-the-setting"
UNKNOWN = key_text(b"\x07" * 24)


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def site(house: House) -> Site:
    """Nobody is known yet."""
    return Site(
        house=house,
        gate=a_gate(house),
        sign_ins=MemoryBuckets(BucketConfig(capacity=3, window=3600)),
        config=ApiConfig(public_base_url="http://testserver"),
    )


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_without_any_key_nobody_is_asked_for_one(site: Site) -> None:
    assert site.ask("GET", "/v1/jobs").status_code == 200
    assert site.ask("POST", "/v1/jobs", json=NEW).status_code == 201
    # What is sent all the same is not looked at: clients may be configured already.
    assert site.ask("GET", "/v1/jobs", headers=bearer("x")).status_code == 200


def test_from_the_first_key_on_everybody_is(site: Site, house: House) -> None:
    key = a_key_of(house, "ann")
    answer = site.ask("GET", "/v1/jobs")
    problem(answer, 401, "credentials_missing")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert site.ask("GET", "/v1/jobs", headers=bearer(key)).status_code == 200
    assert site.ask("GET", "/v1/jobs", headers={"X-API-Key": key}).status_code == 200


def test_revoking_the_last_key_opens_nothing(site: Site, house: House) -> None:
    ring = a_keyring(house)
    key, text = ring.create()
    ring.revoke(key.id)
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_missing")
    answer = site.ask("GET", "/v1/jobs", headers=bearer(text))
    problem(answer, 401, "credentials_invalid")


def test_the_key_of_the_setting_is_the_default_tenants(house: House) -> None:
    old = house.submit().id
    site = Site(house=house, gate=a_gate(house, api_key=SETTING))
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_missing")
    listed = site.ask("GET", "/v1/jobs", headers=bearer(SETTING)).json()
    assert [job["job_id"] for job in listed["data"]] == [old]
    other = site.ask("GET", "/v1/jobs", headers=bearer(SETTING + "x"))
    problem(other, 401, "credentials_invalid")


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": UNKNOWN},
        {"Authorization": f"Bearer {UNKNOWN}x"},
        {"Authorization": "Bearer " + "x" * 20_000},
        {"Authorization": b"Bearer \xff\xfe"},
        {"X-API-Key": ""},
        {"X-API-Key": UNKNOWN},
        {"X-API-Key": UNKNOWN, "Authorization": "Bearer other"},
    ],
)
def test_what_is_no_key_of_ours_is_refused(
    site: Site, house: House, headers: dict[str, str]
) -> None:
    a_key_of(house, "ann")
    answer = site.ask("GET", "/v1/jobs", headers=headers)
    problem(answer, 401, "credentials_invalid")
    assert UNKNOWN not in answer.text


@pytest.mark.parametrize(
    "where", ["?api_key={}", "?token={}", "?key={}", "?access_token={}"]
)
def test_a_key_in_an_address_is_no_key(site: Site, house: House, where: str) -> None:
    key = a_key_of(house, "ann")
    answer = site.client.get("/v1/jobs" + where.format(key))
    problem(answer, 401, "credentials_missing")


def test_an_expired_key_opens_nothing(site: Site, house: House) -> None:
    _, text = a_keyring(house).create(lasts=timedelta(hours=1))
    assert site.ask("GET", "/v1/jobs", headers=bearer(text)).status_code == 200
    house.clock.advance(3600)
    problem(
        site.ask("GET", "/v1/jobs", headers=bearer(text)), 401, "credentials_invalid"
    )


def test_a_key_that_reads_changes_nothing(site: Site, house: House) -> None:
    reads, writes = (a_key_of(house, "ann", [scope]) for scope in ("read", "write"))
    answer = site.ask("POST", "/v1/jobs", json=NEW, headers=bearer(reads))
    assert "write" in problem(answer, 403, "scope_missing")["detail"]
    made = site.ask("POST", "/v1/jobs", json=NEW, headers=bearer(writes))
    path = f"/v1/jobs/{made.json()['job_id']}"
    assert site.ask("GET", path, headers=bearer(reads)).status_code == 200
    problem(site.ask("GET", path, headers=bearer(writes)), 403, "scope_missing")


def test_nothing_that_platforms_and_strangers_may_ask_needs_a_key(
    site: Site, house: House
) -> None:
    a_key_of(house, "ann")
    for path in ("/api/livez", "/v1/presets", "/healthz", "/v1/limits", "/docs"):
        for headers in ({}, bearer(UNKNOWN)):
            assert site.client.get(path, headers=headers).status_code == 200, path


def test_a_use_is_written_down_once_a_minute(site: Site, house: House) -> None:
    ring = a_keyring(house)
    key, text = ring.create()
    writes = []
    for _ in range(4):
        before = house.database.writes  # type: ignore[attr-defined] # the twin counts
        site.ask("GET", "/v1/jobs", headers=bearer(text))
        writes.append(house.database.writes - before)  # type: ignore[attr-defined]
        house.clock.advance(25)
    assert writes == [1, 0, 0, 1]
    (kept,) = ring.listed()
    assert kept.last_used_at is not None
    assert kept.last_used_at > key.created_at


def test_a_database_that_is_away_lets_nobody_in() -> None:
    """Not even where nobody was ever asked for a key: who knows by now?"""
    house = House(database=MemoryDatabase())
    site = Site(
        house=house,
        gate=a_gate(house),
        config=ApiConfig(public_base_url="http://testserver"),
    )
    assert site.ask("GET", "/v1/jobs").status_code == 200
    house.database.away = True  # type: ignore[attr-defined] # the twin can be
    problem(site.ask("GET", "/v1/jobs"), 503, "database_unavailable")
    assert site.ask("GET", "/api/livez").status_code == 200
    problem(site.ask("GET", "/v1/session"), 503, "database_unavailable")
    with pytest.raises(DatabaseUnavailable):
        house.database.check()


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:9"])
def test_an_open_gate_answers_requests_for_this_machine(site: Site, host: str) -> None:
    assert site.ask("GET", "/v1/jobs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8000", "[", "10.0.0.1"]
)
def test_an_open_gate_answers_to_no_other_name(
    site: Site, house: House, host: str
) -> None:
    """A page whose name suddenly leads here could read and do anything."""
    answer = site.ask("GET", "/v1/jobs", headers={"Host": host})
    problem(answer, 403, "host_unknown")
    key = a_key_of(house, "ann")
    headers = {"Host": host} | bearer(key)
    assert site.ask("GET", "/v1/jobs", headers=headers).status_code == 200


class TestFailures:
    """Failed sign-ins are limited by the address that they come from."""

    @pytest.fixture(autouse=True)
    def closed(self, house: House) -> str:
        self.key = a_key_of(house, "ann")
        return self.key

    def codes(self, site: Site, host: str, key: str, times: int = 1) -> list[int]:
        client = TestClient(site.app, client=(host, 5000))
        path = "/v1/jobs"
        return [client.get(path, headers=bearer(key)).status_code for _ in range(times)]

    def test_whoever_fails_too_often_waits(self, site: Site) -> None:
        assert self.codes(site, "192.0.2.1", UNKNOWN, 5) == [401] * 3 + [429] * 2
        answer = TestClient(site.app, client=("192.0.2.1", 5)).get(
            "/v1/jobs", headers=bearer(UNKNOWN)
        )
        problem(answer, 429, "rate_limited")
        wait = int(answer.headers["retry-after"])
        assert wait > 60
        assert answer.headers["ratelimit-policy"] == '"sign-in";q=3;w=3600'
        assert answer.headers["ratelimit"] == f'"sign-in";r=0;t={wait}'

    def test_a_right_key_does_not_help_who_is_guessing(self, site: Site) -> None:
        self.codes(site, "192.0.2.1", UNKNOWN, 3)
        assert self.codes(site, "192.0.2.1", self.key) == [429]

    def test_other_addresses_do_not_wait(self, site: Site) -> None:
        self.codes(site, "192.0.2.1", UNKNOWN, 3)
        assert self.codes(site, "192.0.2.2", self.key) == [200]

    def test_whoever_was_there_before_does_not_wait_for_a_neighbour(
        self, site: Site
    ) -> None:
        """Many share an address, and one of them may have a wrong key."""
        assert self.codes(site, "192.0.2.1", self.key) == [200]
        self.codes(site, "192.0.2.1", UNKNOWN, 4)
        assert self.codes(site, "192.0.2.1", self.key, 3) == [200] * 3

    def test_sending_no_key_is_no_failure(self, site: Site) -> None:
        for _ in range(5):
            problem(site.ask("GET", "/v1/jobs"), 401, "credentials_missing")
        assert self.codes(site, "testclient", self.key) == [200]

    def test_failures_are_counted_and_logged_without_the_key(
        self, site: Site, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            self.codes(site, "192.0.2.1", UNKNOWN, 2)
        shown = site.client.get("/metrics").text
        assert "pixtools_api_sign_in_failures_total 2.0" in shown
        said = [
            each for each in caplog.records if each.message == "credentials_refused"
        ]
        assert [each.__dict__["network"] for each in said] == ["192.0.2.1"] * 2
        assert all(UNKNOWN not in str(each.__dict__) for each in caplog.records)

    def test_without_a_counter_nobody_waits_and_it_is_counted(
        self, house: House
    ) -> None:
        from tests.contract.http.test_rates import Away

        site = Site(house=house, gate=a_gate(house), sign_ins=Away())
        assert self.codes(site, "192.0.2.1", UNKNOWN, 5) == [401] * 5
        assert self.codes(site, "192.0.2.1", self.key) == [200]
        shown = site.client.get("/metrics").text
        assert 'rate_limit_bypasses_total{route="sign-in"} 5.0' in shown


def test_a_tenants_quota_is_one_for_all_its_keys_and_addresses(house: House) -> None:
    keys = [a_key_of(house, "ann"), a_key_of(house, "ann"), a_key_of(house, "bob")]
    site = Site(
        house=house,
        gate=a_gate(house),
        limiter=MemoryBuckets(BucketConfig(capacity=2, window=7200)),
    )

    def code(host: str, key: str) -> int:
        client = TestClient(site.app, client=(host, 5000))
        return client.post("/v1/jobs", json=NEW, headers=bearer(key)).status_code

    assert [code("192.0.2.1", keys[0]), code("192.0.2.2", keys[1])] == [201, 201]
    assert code("192.0.2.3", keys[0]) == 429
    assert code("192.0.2.1", keys[2]) == 201
