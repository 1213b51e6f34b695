"""Files of weights as PyTorch writes them, made here byte by byte, and weights to test.

What is written was compared with PyTorch 2.13 by hand: `torch.load(weights_only=True)`
reads all of it.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from pixtools.engine.denoise.variants import Variant

Arrays = Mapping[str, np.ndarray[Any, Any]]

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
KINDS = {
    "<f4": "FloatStorage",
    "<f2": "HalfStorage",
    "<f8": "DoubleStorage",
    "<u2": "BFloat16Storage",
    "<i8": "LongStorage",
}
ORDERED = b"ccollections\nOrderedDict\n)R"


def blurring(variant: Variant) -> dict[str, np.ndarray[Any, Any]]:
    """Weights with which a network blurs: the noise is what a mean of nine removes.

    ReLU keeps no negative numbers, so each number travels twice, once turned round.
    """
    found = {n: np.zeros(s, np.float32) for n, s in variant.shapes.items()}
    first, *hidden, last = [name for name in found if name.endswith("weight")]
    for number in range(variant.outputs):
        plus, minus = 2 * number, 2 * number + 1
        for channel, sign in ((plus, 1.0), (minus, -1.0)):
            found[first][channel, number] = -sign / 9.0
            found[first][channel, number, 1, 1] += sign
            found[last][number, channel, 1, 1] = sign
            for name in hidden:
                found[name][channel, channel, 1, 1] = 1.0
    return found


def zipped(tree: bytes, storages: Mapping[str, bytes], **options: Any) -> bytes:
    """A checkpoint as PyTorch has written it since 1.6."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **options) as archive:
        archive.writestr("archive/data.pkl", tree)
        archive.writestr("archive/byteorder", "little")
        for key, raw in storages.items():
            archive.writestr(f"archive/data/{key}", raw)
        archive.writestr("archive/version", "3\n")
    return made.getvalue()


def old(tree: bytes, storages: Mapping[str, bytes], width: int = 4) -> bytes:
    """A checkpoint as PyTorch wrote it before 1.6."""
    tree = tree.replace(b"tQ", b"NtQ")  # a storage may be a part of another: None is
    machine = b"\x80\x02}(" + text("little_endian") + b"\x88u."
    keys = b"\x80\x02](" + b"".join(text(key) for key in storages) + b"e."
    rows = [struct.pack("<q", len(raw) // width) + raw for raw in storages.values()]
    return MAGIC + b"\x80\x02M\xe9\x03." + machine + tree + keys + b"".join(rows)


def checkpoint(arrays: Arrays) -> bytes:
    """The usual file: `torch.save(model.state_dict(), …)`."""
    return zipped(pickle(table(arrays)), raws(arrays))


def raws(arrays: Arrays) -> dict[str, bytes]:
    """The storages of a table, by their keys."""
    return {str(at): array.tobytes() for at, array in enumerate(arrays.values())}


def pickle(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def table(arrays: Arrays, first: int = 0) -> bytes:
    """An OrderedDict of tensors, each with a storage of its own."""
    items = b"".join(
        text(name) + tensor(array, str(at))
        for at, (name, array) in enumerate(arrays.items(), first)
    )
    return ORDERED + b"(" + items + b"u" + b"}" + text("_metadata") + ORDERED + b"sb"


def nested(**tables: bytes) -> bytes:
    """A dictionary of what `table` made."""
    return b"}(" + b"".join(text(n) + made for n, made in tables.items()) + b"u"


def tensor(
    array: np.ndarray[Any, Any],
    key: str,
    *,
    shape: tuple[int, ...] | None = None,
    steps: tuple[int, ...] | None = None,
    offset: int = 0,
) -> bytes:
    """A tensor that lies in the storage `key`."""
    shape = array.shape if shape is None else shape
    usual = tuple(step // array.itemsize for step in array.strides)
    kind = KINDS[array.dtype.str]
    storage = (
        b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key)
        + text("cpu") + number(array.size) + b"tQ"
    )  # fmt: skip
    laid_out = (
        number(offset) + numbers(shape) + numbers(usual if steps is None else steps)
    )
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + laid_out
        + b"\x89"
        + (ORDERED + b"tR")
    )


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"
