"""What a picture's EXIF says about its shot, in the contract's words.

Every function takes fields as they stand in the file and gives a plain value, or None
where the file says nothing, or nothing that can be true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from pixtools.engine.exif import Directory, Exif

_LONGEST_TEXT: Final = 200
_MOMENT: Final = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_OFFSET: Final = re.compile(r"[+-](0\d|1[0-4]):[0-5]\d", re.ASCII)
_SHORTEST_PLAIN: Final = 0.25
"""Seconds; shorter exposures are told as fractions of one, as cameras do."""


def shot_facts(exif: Exif) -> dict[str, Any]:
    """Give the facts of contract §3.2 that the EXIF holds; others are absent."""
    main, shot = exif.main, exif.shot
    facts = {
        "camera_make": _text(main, 0x010F),
        "camera_model": _text(main, 0x0110),
        "lens_model": _text(shot, 0xA434),
        "captured_at": _captured_at(shot),
        "exposure_time": _exposure_time(shot),
        "aperture": _aperture(shot),
        "iso": _iso(shot),
        "focal_length": _focal_length(shot),
        "gps": _gps(exif.gps),
        "orientation": _orientation(main),
        "software": _text(main, 0x0131),
        "copyright": _text(main, 0x8298),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _text(directory: Directory, tag: int) -> str | None:
    """The first text of a field: UTF-8, or what most old software meant, Latin-1."""
    raw = directory.get(tag)
    if not isinstance(raw, bytes):
        return None
    for part in raw.split(b"\0"):
        try:
            text = part.decode("utf-8")
        except UnicodeDecodeError:
            text = part.decode("latin-1")
        words = "".join(c if c.isprintable() else " " for c in text).split()
        if words:
            return " ".join(words)[:_LONGEST_TEXT]
    return None


def _number(
    directory: Directory, tag: int, low: float, high: float, at: int = 0
) -> float | None:
    """A field's number if it lies within sensible bounds."""
    values = directory.get(tag)
    if not isinstance(values, tuple) or len(values) <= at:
        return None
    number = values[at]
    if number is None or not math.isfinite(number) or not low <= number <= high:
        return None
    return number


def _captured_at(shot: Directory) -> str | None:
    """When the picture was taken or else digitised, as ISO 8601, local if no offset."""
    for taken, offset in ((0x9003, 0x9011), (0x9004, 0x9012)):
        moment = _moment(_text(shot, taken) or "")
        if moment is not None:
            zone = _text(shot, offset) or ""
            return moment + (zone if _OFFSET.fullmatch(zone) else "")
    return None


def _moment(text: str) -> str | None:
    found = _MOMENT.match(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = map(int, found.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - local
    except ValueError:
        return None
    return moment.isoformat()


def _exposure_time(shot: Directory) -> str | None:
    """The exposure as "1/250s" or "2.5s"."""
    seconds = _number(shot, 0x829A, 1e-6, 1e5)
    if seconds is None:
        seconds = _from_apex(shot, 0x9201, lambda value: 2.0**-value)
    if seconds is None:
        return None
    share = 1 / seconds
    if seconds < _SHORTEST_PLAIN or (share > 1.5 and _is_whole(share)):
        return f"1/{round(share)}s"
    return f"{round(seconds, 2 if seconds < 1 else 1):g}s"


def _aperture(shot: Directory) -> str | None:
    """The aperture as "f/2.8"."""
    number = _number(shot, 0x829D, 0.1, 1000)
    if number is None:
        number = _from_apex(shot, 0x9202, lambda value: 2.0 ** (value / 2))
    return None if number is None else f"f/{round(number, 2):g}"


def _from_apex(
    shot: Directory, tag: int, plain: Callable[[float], float]
) -> float | None:
    """A value that older cameras give on APEX's logarithmic scale only."""
    value = _number(shot, tag, -16, 20)
    return None if value is None else plain(value)


def _iso(shot: Directory) -> int | None:
    """The sensitivity; where its short field is full, that of the kind it names."""
    iso = _number(shot, 0x8827, 1, 1e7)
    if iso is None or iso == 65_535:
        larger = (_number(shot, tag, 1, 1e7) for tag in (0x8833, 0x8832, 0x8831))
        iso = next((value for value in larger if value is not None), iso)
    return None if iso is None else round(iso)


def _focal_length(shot: Directory) -> str | None:
    """The focal length in millimetres as "50mm" or "4.25mm"."""
    millimetres = _number(shot, 0x920A, 0.01, 1e5)
    return None if millimetres is None else f"{round(millimetres, 2):g}mm"


def _orientation(main: Directory) -> int | None:
    value = _number(main, 0x0112, 1, 8)
    return None if value is None else int(value)


def _gps(gps: Directory) -> dict[str, float] | None:
    """Latitude and longitude in degrees, 6 places; altitude in metres, 2 places.

    A position needs both, with their hemispheres.
    """
    latitude = _degrees(gps, 2, 90, {"N": 1, "S": -1}.get(_letter(gps, 1)))
    longitude = _degrees(gps, 4, 180, {"E": 1, "W": -1}.get(_letter(gps, 3)))
    if latitude is None or longitude is None:
        return None
    place = {"latitude": latitude, "longitude": longitude}
    metres = _number(gps, 6, 0, 1e5)
    if metres is not None:
        below = _number(gps, 5, 0, 3) in (1, 3)
        place["altitude"] = round(-metres if below else metres, 2)
    return place


def _letter(gps: Directory, tag: int) -> str:
    return (_text(gps, tag) or "")[:1].upper()


def _degrees(gps: Directory, tag: int, most: int, sign: int | None) -> float | None:
    """Degrees, minutes and seconds as one signed number; the latter two may lack."""
    if sign is None:
        return None
    total = 0.0
    values = gps.get(tag)
    parts = len(values) if isinstance(values, tuple) else 0
    for at in range(max(1, min(parts, 3))):
        part = _number(gps, tag, 0, 1e6, at)
        if part is None:
            return None
        total += part / 60**at
    return round(sign * total, 6) + 0.0 if total <= most else None


def _is_whole(number: float) -> bool:
    return math.isclose(number, round(number), rel_tol=1e-3)
