"""Download names reach browsers as they are, and never as anything else."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given, strategies as st

from pixtools.storage.disposition import attachment

HEADER = re.compile(
    r'attachment; filename="(?P<plain>[ !#$&-\[\]-~]*)"'
    r"(?:; filename\*=UTF-8''(?P<extended>[A-Za-z0-9!#$&+.^_`|~%-]*))?"
)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("web.webp", 'attachment; filename="web.webp"'),
        ("a b.jpg", 'attachment; filename="a b.jpg"'),
        ("é.jpg", "attachment; filename=\"_.jpg\"; filename*=UTF-8''%C3%A9.jpg"),
        ('a"b.jpg', "attachment; filename=\"a_b.jpg\"; filename*=UTF-8''a%22b.jpg"),
        ("../../etc/passwd", 'attachment; filename=".._.._etc_passwd"'),
        ("a\r\nSet-Cookie: x", 'attachment; filename="a__Set-Cookie: x"'),
    ],
)
def test_a_name_is_written_for_old_and_new_clients(name: str, header: str) -> None:
    """RFC 6266: a plain fallback, and the true name where they differ."""
    assert attachment(name) == header


@given(st.text(max_size=60))
def test_any_name_makes_a_safe_header(name: str) -> None:
    """One line of visible ASCII; the name is legible again, but for slashes."""
    found = HEADER.fullmatch(attachment(name))
    assert found
    shown = found["plain"] if found["extended"] is None else unquote(found["extended"])
    assert len(shown) == len(name)
    same = zip(shown, name, strict=True)
    assert all(a == b or (a == "_" and not _is_plain(b)) or a == "?" for a, b in same)


def _is_plain(character: str) -> bool:
    return character.isprintable() and character not in "/\\"
