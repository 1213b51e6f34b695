"""Names that any system can hold, whatever a client called its file."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from pixtools.jobs.names import LONGEST_BASE, base_name, safe_base, unique
from pixtools.testing.rows import a_job


@pytest.mark.parametrize(
    ("filename", "base"),
    [
        ("cat.jpg", "cat"),
        ("größe 猫.tar.gz", "größe 猫.tar"),
        ("../../etc/passwd", "passwd"),
        (r"C:\photos\cat.jpg", "cat"),
        ("con.jpg", "con_"),
        ("LPT1", "LPT1_"),
        ("aux.tar.gz", "aux.tar_"),
        (".hidden", "hidden"),
        ("no-extension", "no-extension"),
        ("a\x00b\nc.jpg", "abc"),
        ("evil\u202egpj.exe", "evilgpj"),
        ('what?<is>"this"|.jpg', "what__is__this__"),
        ("  spaced   out . jpg", "spaced out"),
        ("e\u0301.jpg", "é"),
        ("...", ""),
        ("", ""),
        ("x" * 300 + ".jpg", "x" * LONGEST_BASE),
    ],
)
def test_a_name_is_made_safe(filename: str, base: str) -> None:
    assert safe_base(filename) == base


@given(st.text())
def test_no_name_leads_anywhere(filename: str) -> None:
    """No separators, controls or dots at the ends, and never too long."""
    base = safe_base(filename)
    assert len(base) <= LONGEST_BASE + 1
    assert not set(base) & set('/\\:*?"<>|')
    assert base == base.strip(" .")
    assert all(unicodedata.category(letter)[0] != "C" for letter in base)


def test_without_a_name_the_job_gives_its_own() -> None:
    job = a_job()
    assert base_name(job) == "größe"
    nameless = a_job(source=type(job.source)(type="upload", key="k", filename="..."))
    assert base_name(nameless) == nameless.id


@given(
    st.lists(st.sampled_from(["a.jpg", "A.jpg", "a (2).jpg", "b", "ß.png", "SS.png"]))
)
def test_names_in_a_zip_never_collide(names: list[str]) -> None:
    """Not even where upper and lower case are the same."""
    taken: set[str] = set()
    given_out = [unique(name, taken) for name in names]
    assert len({name.casefold() for name in given_out}) == len(names)
    assert given_out[:1] == names[:1]
