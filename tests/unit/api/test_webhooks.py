"""A webhook address is checked for its form when it is given."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from pixtools.api.webhooks import checked_url
from pixtools.domain.errors import InvalidRequest


@pytest.mark.parametrize(
    "url",
    [
        "https://webhook.site/<id>",
        "http://example.com:8080/a?b=c#d",
        "https://[2001:db8::1]/x",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_an_absolute_http_address_is_kept_as_given(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_address_is_no_address(nothing: str | None) -> None:
    assert checked_url(nothing) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/x",
        "example.com/x",
        "/x",
        "http://",
        "https:///x",
        "javascript:alert(1)",
        "http://user:secret@example.com/",
        "http://user@example.com/",
        "http://example.com/a b",
        "http://example.com\\@evil.example/",
        "http://example.com/\n",
        "http://example.com:99999/",
        "http://[::1",
        "https://example.com/" + "x" * 2048,
    ],
)
def test_anything_else_is_refused_by_name(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_url(url)
    assert refused.value.fields[0].pointer == "/webhook_url"


def test_a_face_may_say_it_in_its_own_words() -> None:
    with pytest.raises(InvalidRequest, match="must be a valid"):
        checked_url("x", "webhook_url must be a valid http(s) URL")


@given(st.text(max_size=100))
def test_any_text_is_kept_or_refused_never_a_crash(text: str) -> None:
    try:
        good = checked_url(text) in {text, None}
    except InvalidRequest as refused:
        good = bool(refused.fields)
    assert good
