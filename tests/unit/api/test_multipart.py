"""A form is read the same however its bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, strategies as st
from starlette.exceptions import HTTPException

from pixtools.api.multipart import PartBegins, PartEnds, Parts, Piece

KIND = "multipart/form-data; boundary=edge"
FORM = (
    b"--edge\r\n"
    b'Content-Disposition: form-data; name="preset"\r\n\r\n'
    b"gallery\r\n"
    b"--edge\r\n"
    b'Content-Disposition: form-data; name="file"; filename="f\xc3\xa4h.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n"
    b"\xff\xd8--edg\r\n--edg\x00\r\n--edge--not\xff\xd9\r\n"
    b"--edge--\r\n"
)


def read(form: bytes, cuts: list[int], kind: str = KIND) -> list[Piece]:
    """The pieces of a form that arrives cut at these places, its bytes joined."""
    parts = Parts(kind)
    pieces: list[Piece] = []
    edges = [0, *sorted(min(cut, len(form)) for cut in cuts), len(form)]
    for start, end in pairwise(edges):
        for piece in parts.feed(form[start:end]):
            if isinstance(piece, bytes) and pieces and isinstance(pieces[-1], bytes):
                pieces[-1] += piece
            else:
                pieces.append(piece)
    parts.finish()
    return pieces


FORM_OK = FORM.replace(b"\r\n--edge--not", b"\r\n--edg--not")


@given(st.lists(st.integers(0, len(FORM_OK)), max_size=12))
def test_a_form_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    assert read(FORM_OK, cuts) == [
        PartBegins("preset"),
        b"gallery",
        PartEnds(),
        PartBegins("file", "fäh.jpg", "image/jpeg"),
        b"\xff\xd8--edg\r\n--edg\x00\r\n--edg--not\xff\xd9",
        PartEnds(),
    ]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_are_a_form_or_malformed_never_a_crash(raw: bytes, at: int) -> None:
    try:
        read(b"--edge\r\n" + raw, [at])
        status = 200
    except HTTPException as error:
        status = error.status_code
    assert status in {200, 400}


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_arrives_whole(data: bytes) -> None:
    form = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + data
        + b"\r\n--edge--\r\n"
    )
    if b"\r\n--edge" in b"\r\n" + data:
        return
    got = b"".join(piece for piece in read(form, [60]) if isinstance(piece, bytes))
    assert got == data


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 415),
        ("", 415),
        ("multipart/mixed; boundary=edge", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "x" * 300, 400),
    ],
)
def test_another_content_type_is_not_read(kind: str, status: int) -> None:
    with pytest.raises(HTTPException) as refused:
        Parts(kind)
    assert refused.value.status_code == status


@pytest.mark.parametrize(
    "form",
    [
        b"",
        FORM_OK[:-10],
        b"--edge\r\n\r\nno head\r\n--edge--\r\n",
        b'--edge\r\nContent-Disposition: form-data; filename="x"\r\n\r\n\r\n--edge--',
        b'--edge\r\nContent-Disposition: attachment; name="x"\r\n\r\n\r\n--edge--',
        b"--edge\r\nA: " + b"x" * 10_000 + b"\r\n\r\n\r\n--edge--\r\n",
    ],
)
def test_a_broken_form_is_malformed(form: bytes) -> None:
    with pytest.raises(HTTPException) as refused:
        read(form, [])
    assert refused.value.status_code == 400


def test_a_form_of_endless_parts_is_malformed() -> None:
    part = b'--edge\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    with pytest.raises(HTTPException, match="parts"):
        read(part * 1001 + b"--edge--\r\n", [])


def test_a_latin_1_name_is_kept_readable() -> None:
    form = (
        b"--edge\r\n"
        b'Content-Disposition: form-data; name="file"; filename="f\xe4h.jpg"\r\n\r\n'
        b"x\r\n--edge--\r\n"
    )
    assert read(form, [])[0] == PartBegins("file", "fäh.jpg")
