"""A browser signs in with a key once; no page of another site can use that."""

from __future__ import annotations

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest
from starlette.testclient import TestClient
from tests.contract.http.site import Site, problem
from tests.gates import a_gate, a_key_of, a_keyring

from pixtools.api.config import ApiConfig
from pixtools.domain.identity import key_text
from pixtools.limits.config import BucketConfig
from pixtools.limits.memory import MemoryBuckets
from pixtools.testing.house import House

NEW = {"source_type": "s3_presigned", "preset": "gallery"}
OURS = {"Sec-Fetch-Site": "same-origin"}
SETTING = "the-key-of-the-setting"
HOURS = 3600


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def key(house: House) -> str:
    return a_key_of(house, "ann")


@pytest.fixture
def site(house: House) -> Site:
    limits = MemoryBuckets(BucketConfig(capacity=3, window=3600))
    return Site(house=house, gate=a_gate(house, api_key=SETTING), sign_ins=limits)


def signed_in(site: Site, key: str) -> None:
    """The client keeps the cookie from now on."""
    answer = site.ask("POST", "/v1/session", json={"key": key}, headers=OURS)
    assert answer.status_code == 200, answer.text


def test_a_browser_that_signed_in_is_known_by_its_cookie(site: Site, key: str) -> None:
    assert site.ask("GET", "/v1/session").json() == {
        "authentication": "required",
        "tenant": None,
        "scopes": [],
    }
    signed_in(site, key)
    assert site.ask("GET", "/v1/session").json() == {
        "authentication": "required",
        "tenant": "ann",
        "scopes": ["read", "write"],
    }
    assert site.ask("GET", "/v1/jobs").status_code == 200
    made = site.ask("POST", "/v1/jobs", json=NEW, headers=OURS)
    assert made.status_code == 201
    assert site.house.job(made.json()["job_id"]).tenant == "ann"


def test_the_cookie_is_for_us_alone_and_no_script_reads_it(
    site: Site, key: str
) -> None:
    answer = site.ask("POST", "/v1/session", json={"key": key})
    (said,) = answer.headers.get_list("set-cookie")
    cookie = SimpleCookie(said)["pixtools"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "strict")
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert cookie["max-age"] == str(12 * HOURS)
    assert key not in said
    assert key not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_over_tls_the_cookie_is_bound_to_this_host(house: House, key: str) -> None:
    config = ApiConfig(public_base_url="https://img.example")
    site = Site(house=house, gate=a_gate(house), config=config)
    (said,) = site.ask("POST", "/v1/session", json={"key": key}).headers.get_list(
        "set-cookie"
    )
    cookie = SimpleCookie(said)["__Host-pixtools"]
    assert cookie["secure"]
    client = TestClient(site.app, base_url="https://img.example")
    client.cookies.set("__Host-pixtools", cookie.value)
    assert client.get("/v1/jobs").status_code == 200
    client.cookies.clear()
    client.cookies.set("pixtools", cookie.value)
    assert client.get("/v1/jobs").status_code == 401


def test_who_signs_out_is_forgotten_by_the_browser(site: Site, key: str) -> None:
    signed_in(site, key)
    assert site.ask("DELETE", "/v1/session", headers=OURS).status_code == 204
    assert site.client.cookies.get("pixtools") is None
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_missing")


def test_a_cookie_ends_in_time(site: Site, house: House, key: str) -> None:
    signed_in(site, key)
    house.clock.advance(12 * HOURS)
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_invalid")


def test_a_cookie_ends_with_its_key(site: Site, house: House) -> None:
    ring = a_keyring(house)
    key, text = ring.create(tenant="ann")
    signed_in(site, text)
    assert site.ask("GET", "/v1/jobs").status_code == 200
    ring.revoke(key.id)
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_invalid")


def test_a_cookie_of_the_setting_ends_with_another_setting(
    site: Site, house: House
) -> None:
    signed_in(site, SETTING)
    assert site.ask("GET", "/v1/session").json()["tenant"] == "default"
    cookie = site.client.cookies["pixtools"]
    other = Site(house=house, gate=a_gate(house, api_key=SETTING + "2"))
    other.client.cookies.set("pixtools", cookie)
    problem(other.ask("GET", "/v1/jobs"), 401, "credentials_invalid")


def test_no_letter_of_a_cookie_can_be_changed(site: Site, key: str) -> None:
    signed_in(site, key)
    value = site.client.cookies["pixtools"]
    site.client.cookies.clear()
    parts = value.split(".")
    later = ".".join([*parts[:2], str(int(parts[2]) + 1), parts[3]])
    setting = ".".join([parts[0], "setting", *parts[2:]])
    wrong = [value[:at] + "~" + value[at + 1 :] for at in range(0, len(value), 7)]
    for each in (*wrong, later, setting, "", "v1...", "v1.x.99999999999999.y", "ß"):
        headers = {"Cookie": f"pixtools={each}".encode()}
        answer = site.client.get("/v1/jobs", headers=headers)  # type: ignore[arg-type] # bytes on purpose
        assert answer.status_code == 401, each


def test_wrong_cookies_do_not_keep_anybody_from_signing_in(
    site: Site, key: str
) -> None:
    site.client.cookies.set("pixtools", "v1.x.1.y")
    for _ in range(5):
        problem(site.ask("GET", "/v1/jobs"), 401, "credentials_invalid")
    site.client.cookies.clear()
    signed_in(site, key)


def test_wrong_keys_do(site: Site, key: str) -> None:
    unknown = key_text(b"\x07" * 24)
    codes = [
        site.ask("POST", "/v1/session", json={"key": unknown}).status_code
        for _ in range(4)
    ]
    assert codes == [401, 401, 401, 429]
    answer = site.ask("POST", "/v1/session", json={"key": key})
    problem(answer, 429, "rate_limited")
    assert answer.headers["ratelimit-policy"] == '"sign-in";q=3;w=3600'
    assert answer.headers["ratelimit"].startswith('"sign-in";r=0;t=1')
    assert not answer.headers.get_list("set-cookie")


@pytest.mark.parametrize(
    "body", ['{"key": 17}', "{}", '"{k}"', '{"key": "{k}", "x": 1}', '["{k}"]', "{k}"]
)
def test_a_sign_in_that_can_t_be_read_repeats_nothing_of_the_key(
    site: Site, key: str, body: str
) -> None:
    headers = {"Content-Type": "application/json"}
    content = body.replace("{k}", key)
    answer = site.ask("POST", "/v1/session", content=content, headers=headers)
    assert answer.status_code in {400, 422}
    assert key not in answer.text


def test_where_nobody_is_asked_there_is_nothing_to_sign_in_to() -> None:
    house = House()
    config = ApiConfig(public_base_url="http://testserver")
    site = Site(house=house, gate=a_gate(house), config=config)
    for answer in (
        site.ask("GET", "/v1/session"),
        site.ask("POST", "/v1/session", json={"key": "whatever"}),
    ):
        assert answer.json()["authentication"] == "off"
        assert answer.json()["tenant"] == "default"
        assert not answer.headers.get_list("set-cookie")


def test_where_a_key_would_not_help_the_reason_is_told() -> None:
    """A page that asked for one would ask in vain."""
    site = Site(gate=a_gate(House()))
    for answer in (
        site.ask("GET", "/v1/session"),
        site.ask("POST", "/v1/session", json={"key": "whatever"}),
    ):
        body = problem(answer, 403, "host_unknown")
        assert "localhost" in body["detail"]


class TestPagesOfOthers:
    """What a browser brings by itself is no leave for whoever made it ask."""

    FOREIGN = (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://testserver:81"},
        {"Origin": "null"},
        {"Origin": ""},
    )
    OWN = (
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://testserver"},
        # A proxy in front of us speaks TLS, and we don't know of it.
        {"Origin": "https://testserver"},
    )

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_they_change_nothing_in_the_name_of_who_signed_in(
        self, site: Site, key: str, headers: dict[str, str]
    ) -> None:
        signed_in(site, key)
        before = site.left()
        for method, path in (("POST", "/v1/jobs"), ("POST", "/v1/batches")):
            answer = site.ask(method, path, json=NEW, headers=headers)
            problem(answer, 403, "cross_site_request")
        assert site.left() == before

    def test_a_cookie_without_a_word_of_where_it_comes_from_changes_nothing(
        self, site: Site, key: str
    ) -> None:
        signed_in(site, key)
        answer = site.ask("POST", "/v1/jobs", json=NEW)
        problem(answer, 403, "cross_site_request")

    @pytest.mark.parametrize("headers", OWN)
    def test_our_own_page_may(
        self, site: Site, key: str, headers: dict[str, str]
    ) -> None:
        signed_in(site, key)
        assert site.ask("POST", "/v1/jobs", json=NEW, headers=headers).is_success

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_they_sign_nobody_in_or_out(
        self, site: Site, key: str, headers: dict[str, str]
    ) -> None:
        answer = site.ask("POST", "/v1/session", json={"key": key}, headers=headers)
        problem(answer, 403, "cross_site_request")
        answer = site.ask("DELETE", "/v1/session", headers=headers)
        problem(answer, 403, "cross_site_request")
        assert not answer.headers.get_list("set-cookie")

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_they_send_no_photos_to_a_service_that_asks_nobody(
        self, headers: dict[str, str]
    ) -> None:
        """Any page can have a browser post a form to this machine."""
        answer = Site().upload(headers=headers)
        problem(answer, 403, "cross_site_request")

    @pytest.mark.parametrize("headers", FOREIGN)
    def test_whoever_sends_a_key_means_it(
        self, site: Site, key: str, headers: dict[str, str]
    ) -> None:
        """No page of another site can: browsers would ask us first."""
        sent = headers | {"X-API-Key": key}
        assert site.ask("POST", "/v1/jobs", json=NEW, headers=sent).is_success

    def test_no_answer_lets_them_read(self, site: Site, key: str) -> None:
        signed_in(site, key)
        headers = {"Origin": "https://evil.example"}
        answer = site.client.get("/v1/jobs", headers=headers)
        assert not [name for name in answer.headers if "access-control" in name]
        asked = site.client.options("/v1/jobs", headers=headers)
        assert asked.status_code == 405


def test_a_header_wins_over_the_cookie(site: Site, house: House, key: str) -> None:
    signed_in(site, key)
    other = a_key_of(house, "bob")
    headers = {"Authorization": f"Bearer {other}"}
    assert site.ask("GET", "/v1/session", headers=headers).json()["tenant"] == "bob"


def test_the_life_of_a_cookie_is_the_operators() -> None:
    house = House()
    gate = a_gate(house, session=timedelta(hours=1))
    key = a_key_of(house, "ann")
    site = Site(house=house, gate=gate)
    answer = site.ask("POST", "/v1/session", json={"key": key})
    assert "Max-Age=3600" in answer.headers["set-cookie"]
