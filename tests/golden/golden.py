"""Golden pictures: what a test drew when a person last looked and said yes.

A golden is a small PNG (or, for a large picture, the hash of its pixels) under
tests/golden/expected/, named after its test. `exact` is for pixel operations without
loss, `close` for encoders. Nothing is ever accepted by itself: a missing golden fails
like a different one, and the failure says how to see both pictures and how to accept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from pixtools.testing.compare import dhash_distance, difference, pixels_of, psnr
from pixtools.testing.libraries import NDArray, Pixels, np
from pixtools.testing.png_structure import png_file

ACCEPT = "PIXTOOLS_ACCEPT_GOLDENS"
EXPECTED = Path(__file__).parent / "expected"
LARGEST_PICTURE = 64 * 1024
"""Bytes of PNG up to which the picture itself is kept."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Compares the pictures of one test with its goldens.

    `test` is the test's node id, `actual` a directory for what it drew, `accept` says
    whether to store that as the new golden.
    """

    test: str
    actual: Path
    expected: Path = EXPECTED
    accept: bool = False
    seen: set[str] = field(default_factory=set)

    def exact(self, pixels: Pixels | NDArray[np.uint16], label: str = "") -> None:
        """Fail unless the pixels are those of the golden, every one.

        `label` tells several pictures of one test apart.
        """
        png = png_file(pixels)
        if pixels.dtype == np.uint8 and len(png) <= LARGEST_PICTURE:
            golden = self.expected / f"{self._name(label)}.png"
            self._settle(golden, png, png, lambda: _unequal(golden, pixels))
        else:
            golden = self.expected / f"{self._name(label)}.hash"
            text = _pixel_hash(pixels).encode()
            self._settle(golden, text, png, lambda: _unhashed(golden, text))

    def close(
        self, pixels: Pixels, label: str = "", *, decibels: float = 35, bits: int = 2
    ) -> None:
        """Fail unless the picture looks like the golden.

        `decibels` is the least peak signal-to-noise ratio, `bits` the most differing
        bits of 64 in the dHash.
        """
        png = png_file(pixels)
        if len(png) > LARGEST_PICTURE:
            pytest.fail(
                "Expected a small picture for a golden: shrink it.", pytrace=False
            )
        golden = self.expected / f"{self._name(label)}.png"
        self._settle(golden, png, png, lambda: _unlike(golden, pixels, decibels, bits))

    def _name(self, label: str) -> str:
        file, _, title = self.test.partition("::")
        words = [re.sub(r"[^\w.=-]+", "_", text).strip("_") for text in (title, label)]
        name = f"{Path(file).stem}/{'-'.join(filter(None, words))}"
        if name in self.seen:
            pytest.fail(f"Expected a label of its own for {name}.", pytrace=False)
        self.seen.add(name)
        return name

    def _settle(
        self, golden: Path, content: bytes, png: bytes, look: Callable[[], str | None]
    ) -> None:
        """Look at an existing golden; accept or fail where it is missing or differs."""
        reason = look() if golden.exists() else "There is no golden for this picture."
        if reason is None:
            return
        if not self.accept:
            self._fail(golden, png, reason)
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_bytes(content)

    def _fail(self, golden: Path, png: bytes, reason: str) -> NoReturn:
        actual = self.actual / f"{golden.stem}.png"
        actual.parent.mkdir(parents=True, exist_ok=True)
        actual.write_bytes(png)
        see = f"python -m pixtools.testing.compare {golden} {actual}"
        if golden.suffix == ".hash" or not golden.exists():
            see = f"(there is only the new one) {actual}"
        accept = f"{ACCEPT}=1 python -m pytest {shlex.quote(self.test)}"
        text = f"{reason}\n  See both:  {see}\n  Accept it: {accept}"
        pytest.fail(text, pytrace=False)


def accepting(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether new goldens are to be stored.

    Raises:
        pytest.UsageError: asked for on a build machine, where nobody looks.
    """
    if environment.get(ACCEPT) != "1":
        return False
    if environment.get("CI"):
        raise pytest.UsageError(
            f"Goldens are accepted by a person who looked at them: unset {ACCEPT} in CI."
        )
    return True


def _pixel_hash(pixels: NDArray[np.generic]) -> str:
    shape = "x".join(map(str, pixels.shape))
    little = pixels.astype(pixels.dtype.newbyteorder("<"))
    return f"{hashlib.sha256(little.tobytes()).hexdigest()} {shape} {pixels.dtype}\n"


def _unequal(golden: Path, pixels: NDArray[np.generic]) -> str | None:
    kept = pixels_of(golden)
    if np.array_equal(kept, pixels):
        return None
    if kept.shape != pixels.shape:
        return f"Expected a picture of {kept.shape} but received {pixels.shape}."
    wrong = int((kept != pixels).sum())
    return f"{wrong} of {kept.size} samples differ from the golden."


def _unhashed(golden: Path, text: bytes) -> str | None:
    kept = golden.read_bytes()
    if kept == text:
        return None
    return (
        f"Expected pixels {kept.decode().strip()} but received {text.decode().strip()}."
    )


def _unlike(golden: Path, pixels: Pixels, decibels: float, bits: int) -> str | None:
    kept = pixels_of(golden)
    if kept.shape != pixels.shape:
        return f"Expected a picture of {kept.shape} but received {pixels.shape}."
    ratio, apart = psnr(kept, pixels), dhash_distance(kept, pixels)
    if ratio >= decibels and apart <= bits:
        return None
    gap = difference(kept, pixels)
    return (
        f"The picture is {ratio:.1f} dB from its golden (at least {decibels}), "
        f"{apart} bits (at most {bits}), mean error {gap.mean:.2f}, "
        f"largest {gap.maximum:.0f}."
    )
