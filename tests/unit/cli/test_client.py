"""Talking to a server from a machine whose environment is odd."""

from __future__ import annotations

import pytest

from pixtools.cli.client import base_url, connected
from pixtools.domain.errors import InvalidRequest


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("socks5://proxy:1080", "SOCKS"),
        ("nonsense://", "can't be read"),
        ("http://ann:open/sesame@proxy:1", "can't be read"),
    ],
)
def test_a_proxy_of_no_use_is_one_sentence_without_its_password(
    proxy: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    monkeypatch.setenv("all_proxy", proxy)
    with pytest.raises(InvalidRequest, match=words) as caught, connected("photos"):
        pass
    assert "ALL_PROXY" in caught.value.detail
    assert "sesame" not in caught.value.detail


@pytest.mark.parametrize(
    "server", ["http://[::1", "127.0.0.1:90000", "http://photos:https", "ftp://photos"]
)
def test_a_server_that_can_not_be_called_is_a_wrong_call(server: str) -> None:
    with pytest.raises(InvalidRequest, match="--server"):
        base_url(server)


@pytest.mark.parametrize(
    "server", ["https://ann:key@photos.example.org", "http://bücher.example", "[::1]:8"]
)
def test_whatever_our_client_can_call_is_a_server(server: str) -> None:
    """What stands before it may ask for a name and a password, say."""
    assert base_url(server).endswith(server)
