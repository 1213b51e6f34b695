"""Files that harm, lie or pretend, each with the answers that are right for it.

Provenance: all made by code, small (the largest under 3 MB) and at once. Under the
default limits a file is either read ("ok") or refused with one of the named codes; it
never crashes anything, never takes a gigabyte, never a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pixtools.testing import images_bombs as bombs, images_impostors as impostors
from pixtools.testing.images_damage import CUTS, bits_flipped, overwritten, truncated
from pixtools.testing.images_exif import broken_exif_blobs
from pixtools.testing.images_formats import (
    AVIFS,
    GIFS,
    JPEGS,
    PNGS,
    TIFFS,
    WEBPS,
    saved,
)
from pixtools.testing.images_icc import grey_profile
from pixtools.testing.jpeg_structure import APP1, with_segment
from pixtools.testing.libraries import Image
from pixtools.testing.png_structure import png_chunk

__all__ = ["OK", "Hostile", "hostile_files", "write_hostile"]

OK = "ok"
_DAMAGED = frozenset({"truncated_image", "corrupt_image"})
_CORRUPT = frozenset({"corrupt_image", "unsupported_format"})
_UNKNOWN = frozenset({"unsupported_format"})
_READ = frozenset({OK})
_TOO_LARGE = frozenset({"image_too_large"})
_WHOLE = {
    "jpg": JPEGS["baseline"],
    "progressive.jpg": JPEGS["progressive"],
    "png": PNGS["rgb"],
    "webp": WEBPS["lossy"],
    "avif": AVIFS["8-bit"],
    "gif": GIFS["still"],
    "tif": TIFFS["deflate"],
}


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file to send: the name it claims, how its bytes are made, and the answers
    (`OK` or error codes) that are right.
    """

    name: str
    make: Callable[[], bytes]
    answers: frozenset[str]


def hostile_files() -> dict[str, Hostile]:
    """Return every hostile file by what is wrong with it; nothing is made yet."""
    return {
        **_cut_files(),
        **_headless_files(),
        **_flipped_files(),
        **_lying_files(),
        **_bombs(),
        **_impostors(),
        **_odd_files(),
    }


def write_hostile(directory: Path) -> dict[str, Path]:
    """Write every hostile file as directory/<key>/<its claimed name>."""
    paths = {}
    for key, hostile in hostile_files().items():
        paths[key] = directory / key / hostile.name
        paths[key].parent.mkdir(parents=True, exist_ok=True)
        paths[key].write_bytes(hostile.make())
    return paths


def _cut_files() -> dict[str, Hostile]:
    return {
        f"cut-{suffix}-{left}": Hostile(
            f"cut.{suffix}", partial(_cut, make, left), _DAMAGED
        )
        for suffix, make in _WHOLE.items()
        for left in CUTS
    }


def _headless_files() -> dict[str, Hostile]:
    """Sixteen bytes: enough to know the kind by, too few for a size."""
    return {
        f"magic-{suffix}": Hostile(
            f"magic.{suffix}", partial(_first_bytes, make), _DAMAGED | _UNKNOWN
        )
        for suffix, make in _WHOLE.items()
    }


def _flipped_files() -> dict[str, Hostile]:
    answers = _DAMAGED | _CORRUPT | _TOO_LARGE | {OK, "image_too_large_for_memory"}
    return {
        f"flipped-{suffix}-{seed}": Hostile(
            f"flipped.{suffix}",
            partial(_flipped, make, seed),
            answers,
        )
        for suffix, make in _WHOLE.items()
        for seed in range(3)
    }


def _lying_files() -> dict[str, Hostile]:
    either = _TOO_LARGE | _DAMAGED
    return {
        "claim-jpg": Hostile("huge.jpg", bombs.jpeg_claiming_much, _TOO_LARGE),
        "claim-png": Hostile(
            "huge.png", bombs.png_claiming_most, _TOO_LARGE | _CORRUPT
        ),
        "claim-gif": Hostile("huge.gif", bombs.gif_claiming_much, _TOO_LARGE | _READ),
        "claim-webp": Hostile("huge.webp", bombs.webp_claiming_much, either),
        "claim-avif": Hostile("huge.avif", bombs.avif_claiming_much, either),
        "claim-tif": Hostile("huge.tif", bombs.tiff_claiming_much, _TOO_LARGE),
        "no-size-png": Hostile("none.png", bombs.png_without_size, _CORRUPT),
        "no-size-jpg": Hostile("none.jpg", bombs.jpeg_without_size, _CORRUPT),
        "zeros-png": Hostile(
            "zeros.png",
            lambda: overwritten(PNGS["rgb"](), start=0.3, length=4000),
            _DAMAGED,
        ),
    }


def _bombs() -> dict[str, Hostile]:
    few = frozenset({OK, "too_many_frames"})
    text = _DAMAGED | _READ
    return {
        "bomb-png": Hostile("bomb.png", bombs.png_bomb, _TOO_LARGE),
        "bomb-rgb-png": Hostile(
            "bomb.png", lambda: bombs.png_bomb(20_000, 20_000, bands=3), _TOO_LARGE
        ),
        "bomb-tif": Hostile("bomb.tif", bombs.tiff_bomb, _TOO_LARGE),
        "bomb-frames-gif": Hostile("bomb.gif", bombs.gif_of_frames, few),
        "bomb-scans-jpg": Hostile("scans.jpg", bombs.jpeg_of_scans, text),
        "bomb-text-png": Hostile("text.png", bombs.png_text_bomb, text),
        "bomb-profile-png": Hostile("profile.png", bombs.png_profile_bomb, text),
        "bomb-svg": Hostile("bomb.svg", impostors.svg_billion_laughs, _UNKNOWN),
        "bomb-size-svg": Hostile("big.svg", impostors.svg_huge, _UNKNOWN),
    }


def _impostors() -> dict[str, Hostile]:
    pretenders = {
        key: Hostile(name, make, _UNKNOWN)
        for key, (name, make) in impostors.NOT_IMAGES.items()
    }
    pretenders["empty"] = Hostile("empty.jpg", bytes, frozenset({"empty_file"}))
    for key, (name, make) in impostors.POLYGLOTS.items():
        pretenders[key] = Hostile(name, make, _READ)
    return pretenders | {
        "jpg-named-png": Hostile("photo.png", JPEGS["baseline"], _READ),
        "png-named-jpg": Hostile("photo.jpg", PNGS["rgb"], _READ),
        "webp-named-nothing": Hostile("photo", WEBPS["lossy"], _READ),
    }


def _odd_files() -> dict[str, Hostile]:
    """Unusual, but whole: each has to be read."""
    odd: dict[str, tuple[str, Callable[[], bytes]]] = {
        "one-row-png": ("row.png", lambda: bombs.png_bomb(65_535, 1)),
        "one-column-png": ("column.png", lambda: bombs.png_bomb(1, 65_535)),
        "one-row-jpg": ("row.jpg", lambda: saved(_blank(65_500, 1), "JPEG")),
        "animated-png": ("moving.png", PNGS["animated"]),
        "garbage-profile": (
            "profile.jpg", lambda: saved(_blank(), "JPEG", icc_profile=b"garbage" * 99)
        ),
        "wrong-profile": (
            "profile.jpg", lambda: saved(_blank(), "JPEG", icc_profile=grey_profile())
        ),
        "unknown-chunk-png": ("chunk.png", _png_with_unknown_chunk),
        "trailing-bytes-jpg": ("more.jpg", lambda: JPEGS["baseline"]() + b"\0" * 999),
    }  # fmt: skip
    for name, blob in broken_exif_blobs().items():
        odd[f"exif-{name}"] = ("exif.jpg", partial(_jpeg_with_exif, blob))
    for suffix, kind in _KINDS.items():
        odd[f"one-pixel-{suffix}"] = (
            f"pixel.{suffix}", partial(saved, _blank(1, 1), kind)
        )  # fmt: skip
    return {key: Hostile(name, make, _READ) for key, (name, make) in odd.items()}


_KINDS: Mapping[str, str] = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WEBP",
    "avif": "AVIF",
    "gif": "GIF",
    "tif": "TIFF",
}


def _cut(make: Callable[[], bytes], left: float) -> bytes:
    return truncated(make(), left)


def _first_bytes(make: Callable[[], bytes]) -> bytes:
    return make()[:16]


def _flipped(make: Callable[[], bytes], seed: int) -> bytes:
    return bits_flipped(make(), seed=seed, spare=12)


def _blank(width: int = 16, height: int = 16) -> Image.Image:
    return Image.new("RGB", (width, height), (90, 140, 60))


def _jpeg_with_exif(blob: bytes) -> bytes:
    return with_segment(JPEGS["baseline"](), APP1, b"Exif\0\0" + blob)


def _png_with_unknown_chunk() -> bytes:
    whole = PNGS["rgb"]()
    return whole[:33] + png_chunk(b"piXt", b"nobody knows") + whole[33:]
