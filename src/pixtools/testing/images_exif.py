"""EXIF, XMP and IPTC blobs made by code, right ones and wrong ones.

Tags after CIPA DC-008 (Exif 2.32); provenance: written here, no camera involved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

from pixtools.testing.tiff_structure import (
    FIRST_DIRECTORY,
    ByteOrder,
    Chunks,
    Directory,
    Field,
    ascii_text,
    longs,
    octets,
    rationals,
    shorts,
    tiff_structure,
    undefined,
)

__all__ = [
    "SAMPLE_FACTS",
    "SAMPLE_SHOT",
    "Shot",
    "broken_exif_blobs",
    "exif_blob",
    "exif_directory",
    "iptc_blob",
    "xmp_blob",
]

EXIF_POINTER, GPS_POINTER = 0x8769, 0x8825


class Shot(TypedDict, total=False):
    """What a camera may say about one picture, in EXIF's own units.

    Fractions are (numerator, denominator); `captured_at` is EXIF's local time,
    "YYYY:MM:DD HH:MM:SS"; `offset_time` "+HH:MM"; `gps` latitude and longitude in
    degrees, south and west negative, altitude in metres or None.
    """

    make: str | bytes
    model: str | bytes
    lens: str | bytes
    captured_at: str
    offset_time: str
    exposure: tuple[int, int]
    f_number: tuple[int, int]
    iso: int
    focal: tuple[int, int]
    gps: tuple[float, float, float | None]
    orientation: int
    software: str | bytes
    copyright: str | bytes
    artist: str | bytes
    description: str | bytes


SAMPLE_SHOT: Shot = {
    "make": "Pixmaker",
    "model": "P-1000",
    "lens": "Pixmaker 50mm f/1.8",
    "captured_at": "2025:06:07 08:09:10",
    "offset_time": "+02:00",
    "exposure": (1, 250),
    "f_number": (28, 10),
    "iso": 400,
    "focal": (50, 1),
    "gps": (-33.856784, -70.648264, 568.5),
    "software": "PixTools test camera 1.0",
    "copyright": "(c) 2025 Test Photographer",
}
"""A shot with every fact that PixTools reports, south of the equator and west."""

SAMPLE_FACTS: Mapping[str, object] = {
    "camera_make": "Pixmaker",
    "camera_model": "P-1000",
    "lens_model": "Pixmaker 50mm f/1.8",
    "captured_at": "2025-06-07T08:09:10+02:00",
    "exposure_time": "1/250s",
    "aperture": "f/2.8",
    "iso": 400,
    "focal_length": (50, 1),
    "gps": {"latitude": -33.856784, "longitude": -70.648264, "altitude": 568.5},
    "software": "PixTools test camera 1.0",
    "copyright": "(c) 2025 Test Photographer",
}
"""What `SAMPLE_SHOT` says, under the contract's names; `focal_length` in mm."""


def exif_blob(
    *,
    order: ByteOrder = "<",
    thumbnail: bytes | None = None,
    **shot: Unpack[Shot],
) -> bytes:
    """Encode a shot as an EXIF blob: a TIFF structure, no "Exif" mark before it.

    `thumbnail` is a small JPEG for the second directory, as cameras write one.
    """
    chain = [exif_directory(**shot)]
    if thumbnail is not None:
        length = longs(len(thumbnail))
        chain.append({0x0103: shorts(6), 0x0201: Chunks((thumbnail,)), 0x0202: length})
    return tiff_structure(chain, order)


def exif_directory(**shot: Unpack[Shot]) -> Directory:
    """Return a shot as the main directory, with its Exif and GPS directories inside."""
    texts = {
        0x010E: shot.get("description"),
        0x010F: shot.get("make"),
        0x0110: shot.get("model"),
        0x0131: shot.get("software"),
        0x013B: shot.get("artist"),
        0x8298: shot.get("copyright"),
    }
    main: Directory = {tag: ascii_text(text) for tag, text in texts.items() if text}
    if "orientation" in shot:
        main[0x0112] = shorts(shot["orientation"])
    camera = _camera_directory(shot)
    if camera:
        main[EXIF_POINTER] = camera
    if "gps" in shot:
        main[GPS_POINTER] = _gps_directory(*shot["gps"])
    return main


def broken_exif_blobs() -> dict[str, bytes]:
    """Return EXIF blobs that are wrong, each in the one way that its name says.

    All of them hold "Pixmaker" as the make where a patient reader can still find it.
    """
    make: Directory = {0x010F: ascii_text("Pixmaker")}
    whole = exif_blob(**SAMPLE_SHOT)
    return {
        "next_directory_loop": tiff_structure([make], last_points_to=FIRST_DIRECTORY),
        "sub_directory_loop": _with_main(make, {EXIF_POINTER: longs(FIRST_DIRECTORY)}),
        "zero_denominators": _with_main(make, _zero_denominators()),
        "huge_count": _with_main(make, {0x0110: Field(2, (65,) * 8, 0xFFFFFFF0)}),
        "not_utf8": _with_main(make, {0x0110: ascii_text(b"caf\xe9 \xff\xfe\x80")}),
        "wrong_types": _with_main(make, _wrong_types()),
        "offset_past_end": _with_main(make, {EXIF_POINTER: longs(0x7FFFFFF0)}),
        "orientation_9": _with_main(make, {0x0112: shorts(9)}),
        "gps_out_of_range": exif_blob(make="Pixmaker", gps=(912.5, 1234.0, None)),
        "no_such_date": exif_blob(make="Pixmaker", captured_at="0000:00:00 00:00:00"),
        "cut_in_half": whole[: len(whole) // 2],
        "only_a_header": whole[:8],
        "no_byte_order": b"XX" + whole[2:],
    }


def xmp_blob(*, title: str = "A test picture", rating: int = 4) -> bytes:
    """Make an XMP packet with a title and a rating."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        'rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="{rating}">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt>'
        '</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def iptc_blob(*, caption: str = "A test picture", city: str = "Pixelstad") -> bytes:
    """Make IPTC IIM records (2:05 title, 2:90 city, 2:120 caption), as bare IIM."""
    records = {
        0: b"\0\4",
        5: caption.encode(),
        90: city.encode(),
        120: caption.encode(),
    }
    return b"".join(
        b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text
        for number, text in records.items()
    )


def _camera_directory(shot: Shot) -> Directory:
    camera: Directory = {}
    if "exposure" in shot:
        camera[0x829A] = rationals(shot["exposure"])
    if "f_number" in shot:
        camera[0x829D] = rationals(shot["f_number"])
    if "iso" in shot:
        camera[0x8827] = shorts(shot["iso"])
    if "captured_at" in shot:
        camera[0x9003] = ascii_text(shot["captured_at"])
    if "offset_time" in shot:
        camera[0x9011] = ascii_text(shot["offset_time"])
    if "focal" in shot:
        camera[0x920A] = rationals(shot["focal"])
    if "lens" in shot:
        camera[0xA434] = ascii_text(shot["lens"])
    return {0x9000: undefined(b"0232"), **camera} if camera else {}


def _gps_directory(
    latitude: float, longitude: float, altitude: float | None
) -> Directory:
    gps: Directory = {
        0: octets(2, 3, 0, 0),
        1: ascii_text("S" if latitude < 0 else "N"),
        2: _sexagesimal(latitude),
        3: ascii_text("W" if longitude < 0 else "E"),
        4: _sexagesimal(longitude),
    }
    if altitude is not None:
        gps[5] = octets(int(altitude < 0))
        gps[6] = rationals((round(abs(altitude) * 100), 100))
    return gps


def _sexagesimal(degrees: float) -> Field:
    """Split into degrees, minutes and ten-thousandths of a second."""
    minutes, parts = divmod(round(abs(degrees) * 36_000_000), 600_000)
    whole, minutes = divmod(minutes, 60)
    return rationals((whole, 1), (minutes, 1), (parts, 10_000))


def _with_main(*parts: Directory) -> bytes:
    main: Directory = {}
    for part in parts:
        main.update(part)
    return tiff_structure([main])


def _zero_denominators() -> Directory:
    nothing = rationals((0, 0), (0, 0), (0, 0))
    camera: Directory = {tag: rationals((1, 0)) for tag in (0x829A, 0x829D, 0x920A)}
    gps: Directory = {1: ascii_text("N"), 2: nothing, 3: ascii_text("E"), 4: nothing}
    return {EXIF_POINTER: camera, GPS_POINTER: gps}


def _wrong_types() -> Directory:
    camera: Directory = {
        0x829A: ascii_text("1/250"),
        0x8827: ascii_text("four hundred"),
        0x9003: shorts(2025, 6, 7),
        0x920A: undefined(b"\x01\x02"),
    }
    return {0x0110: shorts(1000), EXIF_POINTER: camera}
