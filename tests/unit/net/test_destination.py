"""A URL is read once, and what was read is what is asked for."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import example, given, strategies as st

from pixtools.net.destination import destination_of, onward
from pixtools.net.errors import Refused
from pixtools.net.naming import filename_of


@pytest.mark.parametrize(
    ("url", "place", "port", "target"),
    [
        ("https://Receiver.Example./a?b=c#d", "receiver.example", 443, "/a?b=c"),
        ("http://receiver.example", "receiver.example", 80, "/"),
        ("http://receiver.example:8080", "receiver.example:8080", 8080, "/"),
        (
            "https://bücher.example/ä b".replace(" ", "+"),
            "xn--bcher-kva.example",
            443,
            "/%C3%A4+b",
        ),
        ("https://a.example/%2e%2E/%zz", "a.example", 443, "/%2e%2E/%zz"),
        ("https://a.example?q=ü", "a.example", 443, "/?q=%C3%BC"),
        (
            "https://[2606:4700:4700::1111]:8443/",
            "[2606:4700:4700::1111]:8443",
            8443,
            "/",
        ),
        ("https://[::ffff:8.8.8.8]/", "8.8.8.8", 443, "/"),
    ],
)
def test_a_url_is_asked_for_as_it_was_written(
    url: str, place: str, port: int, target: str
) -> None:
    found = destination_of(url)
    assert (found.place, found.port, found.target) == (place, port, target)


PARTS = (
    *(
        "http://",
        "https:",
        "//",
        "/",
        "\\",
        "@",
        ":",
        "[",
        "]",
        "%",
        "?",
        "#",
        ".",
        "-",
    ),
    *("127.0.0.1", "::1", "0x7f", "receiver", "example", "ß", "。", "①", "%00", "80"),
    *(" ", "\t", "\x00", "\ud800", "xn--", "٠", "@receiver.example", "&", "ⅷ"),
)


@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
@example("http://١.١.١.١/")
def test_whatever_is_written_is_refused_or_read_in_one_way_alone(text: str) -> None:
    """By us, once more, and by another reader of URLs."""
    try:
        found = destination_of(f"http://{text}")
    except Refused:
        return
    assert destination_of(found.url) == found
    other = httpx2.URL(found.url)
    assert (other.raw_host.decode().strip("[]"), other.port or 80) == (
        found.host,
        found.port,
    )
    assert found.literal is None or found.host == found.literal.compressed


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b?c", "https://a.example/b?c"),
        ("b", "https://a.example/x/b"),
        ("//c.example/d", "https://c.example/d"),
        ("https://c.example:8443/d", "https://c.example:8443/d"),
    ],
)
def test_a_redirect_leads_on_from_where_it_was_found(location: str, url: str) -> None:
    assert onward(destination_of("https://a.example/x/y"), location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "http://a.example/",
        "file:///etc/passwd",
        "https://me@a.example/",
        "//[::1",
        "\\\\x",
    ],
)
def test_a_redirect_leads_neither_out_of_encryption_nor_out_of_the_rules(
    location: str,
) -> None:
    with pytest.raises(Refused):
        onward(destination_of("https://a.example/x/y"), location)


@pytest.mark.parametrize(
    ("disposition", "target", "name"),
    [
        (None, "/a/cat.jpg?x=/y", "cat.jpg"),
        (None, "/a/caf%C3%A9.jpg", "café.jpg"),
        (None, "/", None),
        ('attachment; filename="cat.png"', "/x", "cat.png"),
        ("attachment; filename*=UTF-8''caf%C3%A9.png", "/x", "café.png"),
        ("attachment; filename=../../etc/passwd", "/x", "passwd"),
        ("attachment; filename*=nobody-knows''a", "/x", "a"),
        ("attachment; filename*=a; filename*0=b", "/x", "x"),
        ("inline", "/x", "x"),
        (None, "/a%0Ab%00.jpg", "ab.jpg"),
    ],
)
def test_a_fetched_file_is_called_what_its_server_calls_it(
    disposition: str | None, target: str, name: str | None
) -> None:
    assert filename_of(disposition, target) == name
