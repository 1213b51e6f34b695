"""Tokens of an issuer: only those that it made, for us, for now."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.identity.issuing import (
    CONFIG,
    ISSUER,
    NOW,
    FakeIssuer,
    a_key,
    a_shared_key,
    an_rsa_key,
)

from pixtools.domain.errors import (
    ConfigurationInvalid,
    CredentialsInvalid,
)
from pixtools.identity.config import OidcConfig


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


def encoded(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_each_subject_is_a_tenant_with_a_name_that_no_key_has(
    issuer: FakeIssuer,
) -> None:
    tokens = issuer.tokens()
    ann = tokens.identify(issuer.token())
    assert ann.tenant.startswith("oidc-")
    assert ann.scopes == {"read", "write"}
    assert tokens.identify(issuer.token(nonce="x")) == ann
    other = tokens.identify(issuer.token(sub="../ann|x"))
    assert other.tenant not in {ann.tenant, "default"}
    assert "/" not in other.tenant


def test_the_tenant_is_what_the_operators_claim_says(issuer: FakeIssuer) -> None:
    tokens = issuer.tokens(replace(CONFIG, tenant_claim="org"))
    assert tokens.identify(issuer.token(org="shop", sub=None)).tenant == "shop"
    for org in (None, "", "a/b", 17, ["shop"], "x" * 101):
        with pytest.raises(CredentialsInvalid, match="org"):
            tokens.identify(issuer.token(org=org))


@pytest.mark.parametrize("aud", ["pixtools", ["other", "pixtools"]])
def test_a_token_may_be_for_several(issuer: FakeIssuer, aud: object) -> None:
    assert issuer.tokens().identify(issuer.token(aud=aud)).tenant


def test_rsa_signs_as_well() -> None:
    issuer = FakeIssuer(keys=[an_rsa_key("r")])
    tokens = issuer.tokens()
    for alg in ("RS256", "PS256"):
        assert tokens.identify(issuer.token(header={"alg": alg})).tenant


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": None},
        {"aud": {"pixtools": 1}},
        {"iss": "https://login.example/realms/other"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"exp": None},
        {"exp": NOW - 60},
        {"exp": "never"},
        {"exp": float("nan")},
        {"nbf": NOW + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(
    issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    token = issuer.token(**claims)
    with pytest.raises(CredentialsInvalid) as caught:
        issuer.tokens().identify(token)
    assert token not in caught.value.detail


@pytest.mark.parametrize("claims", [{"exp": NOW - 59}, {"nbf": NOW + 59}])
def test_clocks_may_differ_by_a_minute(
    issuer: FakeIssuer, claims: dict[str, Any]
) -> None:
    assert issuer.tokens().identify(issuer.token(**claims)).tenant


class TestForgeries:
    def test_no_signature_is_no_signature(self, issuer: FakeIssuer) -> None:
        body = encoded({"iss": ISSUER, "aud": "pixtools", "sub": "a", "exp": NOW + 9})
        for alg in ("none", "None", "NONE", "", None):
            head = encoded({"alg": alg, "kid": "one"})
            for mark in ("", "AAAA"):
                with pytest.raises(CredentialsInvalid):
                    issuer.tokens().identify(f"{head}.{body}.{mark}")

    def test_the_public_key_is_no_shared_secret(self, issuer: FakeIssuer) -> None:
        """Who takes it for one believes whatever anybody has signed with it."""
        public = an_rsa_key("r")
        issuer.keys = [public]
        for text in (public.as_pem(private=False), public.as_der(private=False)):
            forged = self.signed_with(text, issuer.token())
            with pytest.raises(CredentialsInvalid):
                issuer.tokens().identify(forged)

    def signed_with(self, secret: bytes, token: str) -> str:
        """The token, as if its secret were shared; our library would refuse to."""
        head = encoded({"alg": "HS256", "kid": "r"})
        signed = f"{head}.{token.split('.')[1]}"
        mark = urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256"))
        return f"{signed}.{mark.decode().rstrip('=')}"

    def test_a_shared_key_in_the_issuers_list_is_not_used(
        self, issuer: FakeIssuer
    ) -> None:
        shared = a_shared_key(b"known to everybody who asks" * 2, "s")
        issuer.extra = [shared.as_dict(private=True)]
        with pytest.raises(CredentialsInvalid):
            issuer.tokens().identify(issuer.token(key=shared))

    def test_anothers_signature_is_refused(self, issuer: FakeIssuer) -> None:
        for key in (a_key("one"), a_key("two")):
            with pytest.raises(CredentialsInvalid):
                issuer.tokens().identify(issuer.token(key=key))

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u"])
    def test_a_token_does_not_bring_its_own_key(
        self, issuer: FakeIssuer, name: str
    ) -> None:
        mine = a_key("one")
        own: Any = (
            mine.as_dict(private=False) if name == "jwk" else "https://evil.example"
        )
        with pytest.raises(CredentialsInvalid):
            issuer.tokens().identify(issuer.token(key=mine, header={name: own}))

    def test_a_key_for_secrets_signs_nothing(self, issuer: FakeIssuer) -> None:
        other = a_key("e")
        issuer.extra = [other.as_dict(private=False) | {"use": "enc"}]
        with pytest.raises(CredentialsInvalid):
            issuer.tokens().identify(issuer.token(key=other))

    def test_no_letter_of_a_token_can_be_changed(self, issuer: FakeIssuer) -> None:
        tokens, token = issuer.tokens(), issuer.token()
        for at in range(0, len(token), 11):
            letter = "A" if token[at] != "A" else "B"
            with pytest.raises(CredentialsInvalid):
                tokens.identify(token[:at] + letter + token[at + 1 :])

    @pytest.mark.parametrize(
        "token",
        ["..", "a.b.c", "a.b", "", "é.é.é", "." * 9, "x" * 20_000, "e30.e30.e30"],
    )
    def test_what_is_no_token_is_refused(self, issuer: FakeIssuer, token: str) -> None:
        with pytest.raises(CredentialsInvalid):
            issuer.tokens().identify(token)

    def test_a_head_that_is_nested_too_deeply_is_refused(
        self, issuer: FakeIssuer
    ) -> None:
        head = urlsafe_b64encode(b"[" * 9000).decode()
        with pytest.raises(CredentialsInvalid):
            issuer.tokens().identify(f"{head}.e30.e30")


@pytest.mark.parametrize(
    "url", ["http://login.example", "login.example", "ftp://x", ""]
)
def test_an_issuer_is_asked_where_nobody_can_answer_in_its_place(url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="OIDC_ISSUER"):
        OidcConfig(issuer=url, audience="pixtools")


def test_tokens_for_others_are_not_taken_by_oversight() -> None:
    with pytest.raises(ConfigurationInvalid, match="OIDC_AUDIENCE"):
        OidcConfig(issuer=ISSUER, audience="")
