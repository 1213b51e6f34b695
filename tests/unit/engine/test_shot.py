"""EXIF in the contract's words: exact where it is right, silent where it is wrong."""

from __future__ import annotations

import json
import random
import struct
import time
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st

from pixtools.engine.exif import exif_in_blob
from pixtools.engine.shot import shot_facts
from pixtools.testing.images_exif import (
    EXIF_POINTER,
    GPS_POINTER,
    SAMPLE_FACTS,
    SAMPLE_SHOT,
    Shot,
    broken_exif_blobs,
    exif_blob,
)
from pixtools.testing.tiff_structure import (
    Directory,
    Field,
    ascii_text,
    octets,
    rationals,
    shorts,
    tiff_structure,
)

EXPECTED = {**SAMPLE_FACTS, "focal_length": "50mm"}
TURNED_SHOT: Shot = {**SAMPLE_SHOT, "orientation": 6}
BROKEN = broken_exif_blobs()


def facts_of(blob: bytes) -> dict[str, Any]:
    return shot_facts(exif_in_blob(blob))


def facts_of_shot(shot: Directory) -> dict[str, Any]:
    return facts_of(tiff_structure([{EXIF_POINTER: shot}]))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("mark", [b"", b"Exif\0\0"])
def test_every_fact_is_told_in_either_byte_order(
    order: Literal["<", ">"], mark: bytes
) -> None:
    assert facts_of(mark + exif_blob(order=order, **SAMPLE_SHOT)) == EXPECTED


@pytest.mark.parametrize(
    ("fraction", "told"),
    [
        ((1, 250), "1/250s"),
        ((10, 2500), "1/250s"),
        ((1, 8000), "1/8000s"),
        ((16667, 1_000_000), "1/60s"),
        ((1, 3), "1/3s"),
        ((1, 2), "1/2s"),
        ((3, 10), "0.3s"),
        ((10, 13), "0.77s"),
        ((9999, 10_000), "1s"),
        ((1, 1), "1s"),
        ((25, 10), "2.5s"),
        ((30, 1), "30s"),
        ((0, 1), None),
        ((1, 0), None),
        ((0xFFFFFFFF, 1), None),
    ],
)
def test_an_exposure_reads_as_on_a_camera(
    fraction: tuple[int, int], told: str | None
) -> None:
    assert facts_of(exif_blob(exposure=fraction)).get("exposure_time") == told


@pytest.mark.parametrize(
    ("fraction", "told"),
    [
        ((28, 10), "f/2.8"),
        ((178, 100), "f/1.78"),
        ((11, 1), "f/11"),
        ((95, 100), "f/0.95"),
        ((0, 0), None),
    ],
)
def test_an_aperture_reads_as_on_a_lens(
    fraction: tuple[int, int], told: str | None
) -> None:
    assert facts_of(exif_blob(f_number=fraction)).get("aperture") == told


@pytest.mark.parametrize(
    ("fraction", "told"), [((50, 1), "50mm"), ((425, 100), "4.25mm"), ((0, 1), None)]
)
def test_a_focal_length_is_in_millimetres(
    fraction: tuple[int, int], told: str | None
) -> None:
    assert facts_of(exif_blob(focal=fraction)).get("focal_length") == told


def test_older_cameras_logarithms_are_understood() -> None:
    shot: Directory = {
        0x9201: rationals((8, 1), signed=True),
        0x9202: rationals((3, 1)),
    }
    assert facts_of_shot(shot) == {"exposure_time": "1/256s", "aperture": "f/2.83"}


def test_a_sensitivity_beyond_a_short_is_found_where_it_is_kept() -> None:
    assert facts_of_shot({0x8827: shorts(65_535), 0x8832: Field(4, (102_400,))}) == {
        "iso": 102_400
    }


@pytest.mark.parametrize(
    ("moment", "offset", "told"),
    [
        ("2025:06:07 08:09:10", None, "2025-06-07T08:09:10"),
        ("2025:06:07 08:09:10", "-03:30", "2025-06-07T08:09:10-03:30"),
        ("2025:06:07 08:09:10", "   :  ", "2025-06-07T08:09:10"),
        ("2025:06:07 08:09:10", "+99:00", "2025-06-07T08:09:10"),
        ("2024:02:29 23:59:59", None, "2024-02-29T23:59:59"),
        ("2025:02:29 23:59:59", None, None),
        ("2025:13:01 00:00:00", None, None),
        ("    :  :     :  :  ", None, None),
        ("٢٠٢٥:٠٦:٠٧ ٠٨:٠٩:١٠", None, None),
        ("yesterday", None, None),
    ],
)
def test_a_moment_is_told_as_iso_8601_if_it_existed(
    moment: str, offset: str | None, told: str | None
) -> None:
    shot = {0x9003: ascii_text(moment)}
    if offset is not None:
        shot[0x9011] = ascii_text(offset)
    assert facts_of_shot({**shot}).get("captured_at") == told


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        ((51.5074, -0.1278, None), {"latitude": 51.5074, "longitude": -0.1278}),
        (
            (-90.0, 180.0, -12.5),
            {"latitude": -90.0, "longitude": 180.0, "altitude": -12.5},
        ),
        ((0.0, 0.0, 0.0), {"latitude": 0.0, "longitude": 0.0, "altitude": 0.0}),
        ((912.5, 1234.0, None), None),
    ],
)
def test_a_place_is_in_signed_degrees(
    gps: tuple[float, float, float | None], place: dict[str, float] | None
) -> None:
    assert facts_of(exif_blob(gps=gps)).get("gps") == place


def test_a_place_without_its_hemisphere_is_no_place() -> None:
    angle = rationals((10, 1), (0, 1), (0, 1))
    place: Directory = {2: angle, 3: ascii_text("E"), 4: angle}
    assert facts_of(tiff_structure([{GPS_POINTER: place}])) == {}


def test_degrees_may_stand_alone() -> None:
    place: Directory = {
        0: octets(2, 3, 0, 0),
        1: ascii_text("s"),
        2: rationals((105, 10)),
        3: ascii_text("W"),
        4: rationals((20, 1), (30, 1)),
    }
    facts = facts_of(tiff_structure([{GPS_POINTER: place}]))
    assert facts == {"gps": {"latitude": -10.5, "longitude": -20.5}}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"Pixmaker", "Pixmaker"),
        (b"Pixmaker\0garbage", "Pixmaker"),
        (b"\0\0  \0Editor", "Editor"),
        (b"  Pix \t maker\r\n", "Pix maker"),
        ("Пикс ©".encode(), "Пикс ©"),
        (b"caf\xe9 \xff\x80", "café ÿ"),
        (b"\x1b[31mred\x07", "[31mred"),
        ("\u202eevil\u2066".encode(), "evil"),
        (b"", None),
        (b"\0" * 64, None),
        (b"x" * 100_000, "x" * 200),
    ],
)
def test_a_text_is_clean_and_short(raw: bytes, told: str | None) -> None:
    blob = tiff_structure([{0x010F: ascii_text(raw)}])
    assert facts_of(blob).get("camera_make") == told


@pytest.mark.parametrize("wrong", sorted(BROKEN))
def test_broken_exif_yields_what_could_be_read(wrong: str) -> None:
    facts = facts_of(BROKEN[wrong])
    unreadable = wrong in {"only_a_header", "no_byte_order"}
    assert facts.get("camera_make") == (None if unreadable else "Pixmaker")
    assert set(facts) <= EXPECTED.keys()


def test_exif_made_to_waste_time_does_not() -> None:
    """64 KiB of long fields; 65,535 entries; pointers in a circle."""
    entry = struct.pack("<HHII", 0x9999, 3, 999, 8)
    crowd = b"II*\0\x08\0\0\0\xff\xff" + entry * 65_535
    _assert_quick(crowd, random.Random(1).randbytes(2**20), *BROKEN.values())


TAGS = (0x010F, 0x0112, 0x8769, 0x8825, 0x829A, 0x8827, 0x9003, 0x9011, *range(7))


@given(st.data())
def test_any_structure_yields_bounded_facts(data: st.DataObject) -> None:
    """Fields of any kind, count and value, at any place: JSON comes out, quickly."""
    entries = data.draw(
        st.lists(
            st.tuples(
                st.sampled_from(TAGS),
                st.integers(0, 14),
                st.integers(0, 2**32 - 1) | st.integers(0, 4),
                st.integers(0, 2**32 - 1) | st.integers(0, 200),
            ),
            max_size=12,
        )
    )
    order = data.draw(st.sampled_from("<>"))
    table = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HIH", 42, 8, len(entries))
    _assert_bounded(head + table + data.draw(st.binary(max_size=120)))


@given(st.binary(max_size=300))
def test_any_bytes_after_a_right_beginning_yield_bounded_facts(rest: bytes) -> None:
    _assert_bounded(b"II*\0\x08\0\0\0" + rest)


@given(st.data())
def test_a_good_blob_with_wrong_bytes_yields_bounded_facts(
    data: st.DataObject,
) -> None:
    blob = bytearray(exif_blob(**TURNED_SHOT))
    for _ in range(data.draw(st.integers(1, 6))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    _assert_bounded(bytes(blob))


def _assert_bounded(blob: bytes) -> None:
    _assert_quick(blob)
    facts = facts_of(blob)
    assert len(json.dumps(facts, allow_nan=False)) < 10_000
    json.dumps(facts, ensure_ascii=False).encode()
    assert set(facts) <= EXPECTED.keys() | {"orientation"}
    for name, fact in facts.items():
        assert isinstance(fact, int if name in {"iso", "orientation"} else str | dict)


def _assert_quick(*blobs: bytes) -> None:
    """A tenth of a second of this thread, at least once: it may have to clean up."""
    took = 1.0
    for _ in range(5):
        began = time.thread_time()
        for blob in blobs:
            facts_of(blob)
        took = min(took, time.thread_time() - began)
        if took < 0.1:
            return
    pytest.fail(f"It took {took:.2f} s.")
