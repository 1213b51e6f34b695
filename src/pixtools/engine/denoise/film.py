"""Raw pixels in a file without a name: any size of picture in little memory.

The file is gone when it is closed, also where its process is killed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np
import pyvips
from numpy.typing import NDArray

from pixtools.domain.errors import EncodeFailed

Pixels = NDArray[Any]
"""Rows × columns × bands, 8 or 16 bits each."""

_MAPPED: Final = 8 * 1024 * 1024
"""Bytes of a file that libvips has in memory at a time, and counts as its own."""

_TYPES: Final = {"uchar": np.uint8, "ushort": np.uint16}


class Film:
    """The pixels of one picture, to be read and written in rectangles."""

    def __init__(self, file: int, like: pyvips.Image) -> None:
        """Use the open file, for as many pixels as `like` has."""
        self._file = file
        self._like = like
        self.width, self.height, self.bands = like.width, like.height, like.bands
        self.type: np.dtype[Any] = np.dtype(_TYPES[like.format])
        self.top = int(np.iinfo(self.type).max)
        """What full light is."""
        self.colours = self.bands - bool(like.hasalpha())

    def read(self, across: tuple[int, int], down: tuple[int, int]) -> Pixels:
        """The rectangle from (left, right) and (top, bottom)."""
        shape = (down[1] - down[0], across[1] - across[0], self.bands)
        pixels = np.empty(shape, self.type)
        with _in_words():
            for row, place in self._rows(pixels, across, down):
                if os.preadv(self._file, [row.data], place) != row.nbytes:
                    raise EncodeFailed("The scratch folder lost pixels.")
        return pixels

    def write(self, pixels: Pixels, across: tuple[int, int], top: int) -> None:
        """Put a rectangle between left and right, from `top` on."""
        down = (top, top + pixels.shape[0])
        with _in_words():
            for row, place in self._rows(np.ascontiguousarray(pixels), across, down):
                if os.pwrite(self._file, row.data, place) != row.nbytes:
                    raise EncodeFailed("The scratch folder is full.")

    def image(self) -> pyvips.Image:
        """The pixels as libvips reads them, with the header of `like`."""
        row = self.width * self.bands * self.type.itemsize
        rows = max(1, _MAPPED // row)
        parts = [self._part(top, rows, row) for top in range(0, self.height, rows)]
        whole = pyvips.Image.arrayjoin(parts, across=1)
        return _with_header(whole.crop(0, 0, self.width, self.height), self._like)

    def _part(self, top: int, rows: int, row: int) -> pyvips.Image:
        """Some rows as an image: libvips maps all of a file that it reads."""
        return pyvips.Image.rawload(
            f"/proc/self/fd/{self._file}",
            self.width,
            min(rows, self.height - top),
            self.bands,
            offset=top * row,
            format=self._like.format,
            interpretation=self._like.interpretation,
            revalidate=True,  # the next film's number may be the same
        )

    def _rows(
        self, pixels: Pixels, across: tuple[int, int], down: tuple[int, int]
    ) -> Iterator[tuple[Pixels, int]]:
        """Each row of a rectangle with its place in the file, fewest pieces."""
        pixel = self.bands * self.type.itemsize
        if across == (0, self.width):
            yield pixels, down[0] * self.width * pixel
            return
        for row, y in zip(pixels, range(*down), strict=True):
            yield row, (y * self.width + across[0]) * pixel


@contextmanager
def film(
    like: pyvips.Image, folder: Path, fill: Callable[[str], None] | None = None
) -> Iterator[Film]:
    """A film for the pixels of `like`; `fill` writes them to the path it is given.

    Raises EncodeFailed where the folder can't be written.
    """
    with _in_words():
        file = TemporaryFile(dir=folder)  # noqa: SIM115 - what follows may fail otherwise
    with file:
        if fill is not None:
            fill(f"/proc/self/fd/{file.fileno()}")
        yield Film(file.fileno(), like)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or "no reason given"
        raise EncodeFailed(f"The scratch folder can't be used: {reason}.") from error


def _with_header(image: pyvips.Image, like: pyvips.Image) -> pyvips.Image:
    """The image with all that the other's header says beside its size."""
    image = image.copy(xres=like.xres, yres=like.yres)
    for name in like.get_fields():
        if not image.get_typeof(name):
            image.set_type(like.get_typeof(name), name, like.get(name))
    return image
