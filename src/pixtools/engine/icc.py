"""ICC profiles: what they are called, and whether they mean anything but sRGB."""

from __future__ import annotations

import pyvips

from pixtools.engine.vips import TROUBLE

PROFILE = "icc-profile-data"


def profile_name(blob: bytes) -> str | None:
    """The description inside an ICC profile, or None where there is none.

    Source: ICC.1:2022 §7.3 (tag table), §10.15 (multiLocalizedUnicodeType), and
    ICC.1:2001-04 §6.5.17 (textDescriptionType).
    """
    count = int.from_bytes(blob[128:132], "big")
    for index in range(min(count, 100)):
        entry = blob[132 + 12 * index : 144 + 12 * index]
        if entry[:4] == b"desc":
            start, size = (int.from_bytes(entry[i : i + 4], "big") for i in (4, 8))
            return _text(blob[start : start + size])
    return None


def is_srgb(image: pyvips.Image) -> bool:
    """Whether the embedded profile leaves every colour of an RGB image as it is.

    Asks the colour engine itself, with a chart of 125 colours: names lie.
    """
    steps = [0, 64, 128, 192, 255]
    colours = [[r, g, b] for r in steps for g in steps for b in steps]
    chart = pyvips.Image.new_from_memory(
        bytes(value for colour in colours for value in colour), 125, 1, 3, "uchar"
    ).copy(interpretation="srgb")
    chart.set_type(pyvips.GValue.blob_type, PROFILE, image.get(PROFILE))
    try:
        moved = chart.icc_transform("srgb", embedded=True, intent="relative")
        return bool((moved - chart).abs().max() <= 1)
    except TROUBLE:
        return False


def _text(tag: bytes) -> str | None:
    if tag[:4] == b"mluc":
        size, start = (int.from_bytes(tag[i : i + 4], "big") for i in (20, 24))
        name = tag[start : start + size].decode("utf-16-be", "replace")
    else:
        size = int.from_bytes(tag[8:12], "big")
        name = tag[12 : 12 + size].decode("ascii", "replace")
    cleaned = "".join(c for c in name if c.isprintable()).strip()
    return cleaned[:200] or None
