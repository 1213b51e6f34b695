"""Bearer tokens of an issuer, beside keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.contract.http.asgi import Exchange, Head, until
from tests.contract.http.site import Site, problem
from tests.contract.http.test_identity import NEW, bearer
from tests.gates import a_gate, a_key_of
from tests.unit.identity.issuing import CONFIG, FakeIssuer

from pixtools.testing.house import House


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def site(house: House, issuer: FakeIssuer) -> Site:
    config = replace(CONFIG, tenant_claim="org")
    return Site(house=house, gate=a_gate(house, tokens=issuer.tokens(config)))


def test_a_token_and_a_key_of_one_tenant_see_the_same(
    site: Site, house: House, issuer: FakeIssuer
) -> None:
    problem(site.ask("GET", "/v1/jobs"), 401, "credentials_missing")
    token = bearer(issuer.token(org="shop"))
    made = site.ask("POST", "/v1/jobs", json=NEW, headers=token)
    path = f"/v1/jobs/{made.json()['job_id']}"
    for key, status in (
        (a_key_of(house, "shop"), 200),
        (a_key_of(house, "b"), 404),
    ):
        assert site.ask("GET", path, headers=bearer(key)).status_code == status
    other = bearer(issuer.token(org="other"))
    problem(site.ask("GET", path, headers=other), 404, "job_not_found")


def test_a_wrong_token_is_refused_and_not_repeated(
    site: Site, issuer: FakeIssuer
) -> None:
    token = issuer.token(org="shop", aud="others")
    answer = site.ask("GET", "/v1/jobs", headers=bearer(token))
    problem(answer, 401, "credentials_invalid")
    assert token not in answer.text


def test_an_issuer_that_is_away_is_no_wrong_token(
    site: Site, issuer: FakeIssuer
) -> None:
    issuer.away = True
    answer = site.ask("GET", "/v1/jobs", headers=bearer(issuer.token(org="shop")))
    problem(answer, 503, "issuer_unavailable")
    assert answer.headers["retry-after"]


def test_an_issuer_that_hangs_holds_up_nobody_with_a_key(
    site: Site, house: House, issuer: FakeIssuer
) -> None:
    """A few wait for it; the others are told to come back, before any of these."""
    issuer.silent = True
    tokens = [bearer(issuer.token(org="shop", jti=str(n))) for n in range(20)]
    key = bearer(a_key_of(house, "ann"))

    async def asked(headers: dict[str, str]) -> Head:
        async with Exchange(site.app, "GET", "/v1/jobs", headers) as exchange:
            return await exchange.head()

    async def story() -> None:
        crowd = [asyncio.ensure_future(asked(each)) for each in tokens]
        assert (await asked(key)).status == 200
        await until(lambda: sum(each.done() for each in crowd) == 17)
        for each in crowd:
            if each.done():
                assert each.result().status == 503
                assert each.result().headers["retry-after"]
        assert (await asked(key)).status == 200
        issuer.speaks.set()
        heads = await asyncio.gather(*crowd)
        assert sorted(head.status for head in heads) == [200] * 3 + [503] * 17

    try:
        asyncio.run(asyncio.wait_for(story(), 20))
    finally:
        issuer.speaks.set()


def test_no_browser_signs_in_with_a_token(site: Site, issuer: FakeIssuer) -> None:
    """It would outlive the token."""
    body = {"key": issuer.token(org="shop")}
    answer = site.ask("POST", "/v1/session", json=body)
    problem(answer, 401, "credentials_invalid")
