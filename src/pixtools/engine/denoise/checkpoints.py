"""Files of weights by other hands: PyTorch's, both its layouts, and safetensors.

Nothing in them is believed: sizes are those of the file, not those that it claims, and
no name in it is ever looked up (see `pickled`). The whole file is held in memory, and
bounded by that.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixtools.domain.errors import WeightsUnusable
from pixtools.domain.limits import MIB
from pixtools.engine.denoise import pickled
from pixtools.engine.denoise.pickled import Broken, Storage, Tensor

LARGEST: Final = 64 * MIB
"""Bytes of a file: six times a training's checkpoint of the largest network."""

_LARGEST_PICKLE: Final = MIB
_OLD: Final = 0x1950A86A20F9469CFC6C
"""The first number in what PyTorch wrote before version 1.6."""
_FLOATS: Final = frozenset({"f2", "f4", "f8", "bf16"})
_WIDTHS: Final = {"bf16": 2}


@dataclass(frozen=True, slots=True)
class Weight:
    """A tensor that is there: its shape now, its numbers when they are wanted."""

    shape: tuple[int, ...]
    read: Callable[[], NDArray[np.float32]]


Weights = Mapping[str, Weight]


def groups(path: Path) -> dict[str, Weights]:
    """Every group of tensors in a file, by where it lies there; the top is ``.

    Raises:
        WeightsUnusable: The file is none of the three kinds, broken, too large, or
            names code.
    """
    data = _bytes(path)
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            return dict(_found(*_zip(data)))
        if data[8:9] == b"{":
            return {"": _safetensors(data)}
        if data[:1] == b"\x80":
            return dict(_found(*_old(data)))
    except Broken as broken:
        raise WeightsUnusable(f"{path.name} can't be read: {broken}.") from None
    raise WeightsUnusable(
        f"{path.name} is no file of weights: expected a checkpoint of PyTorch (.pth, "
        ".pt) or safetensors."
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise WeightsUnusable(f"{path} can't be read: {reason}.") from None
    if len(data) > LARGEST:
        raise WeightsUnusable(
            f"{path.name} has more than {LARGEST // MIB} MiB: the weights of a "
            "denoiser have about three."
        )
    return data


_Rows = Callable[[Storage], memoryview]
"""Where a storage's bytes are."""


def _zip(data: bytes) -> tuple[object, _Rows, str]:
    """Since PyTorch 1.6: a pickle and a file for each storage, uncompressed."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = {entry.filename: entry for entry in archive.infolist()}
        pickles = [name for name in entries if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise Broken("it is a zip file, but none that PyTorch writes")
        top = pickles[0].removesuffix("data.pkl")

        def entry(name: str) -> bytes:
            found = entries.get(top + name)
            if found is None:
                raise Broken(f"its part {name} is missing")
            return _stored(archive, found)

        order = _order(entry("byteorder") if f"{top}byteorder" in entries else b"")
        listing = entry("data.pkl")
        if len(listing) > _LARGEST_PICKLE:
            raise Broken("it lists far more than weights")
        tree = pickled.read(io.BytesIO(listing))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Broken(f"its zip is damaged ({error})") from None
    return tree, lambda storage: memoryview(entry(f"data/{storage.key}")), order


def _stored(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One part; what isn't compressed can't become larger than the file."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > LARGEST:
        raise Broken(f"its part {entry.filename[:80]} is compressed or too large")
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError):
        raise Broken(f"its part {entry.filename[:80]} is damaged") from None


def _order(text: bytes) -> str:
    return ">" if text.strip() == b"big" else "<"


def _old(data: bytes) -> tuple[object, _Rows, str]:
    """Before PyTorch 1.6: pickles one after the other, then the storages."""
    file = io.BytesIO(data)
    if pickled.read(file) != _OLD:
        raise Broken("it is a pickle, but no checkpoint")
    pickled.read(file)  # the version of the layout: there was but one
    machine = pickled.read(file)
    tree = pickled.read(file)
    if file.tell() > _LARGEST_PICKLE:
        raise Broken("it lists far more than weights")
    keys = pickled.read(file)
    little = not isinstance(machine, dict) or machine.get("little_endian", True)
    order = "<" if little else ">"
    kinds = {t.storage.key: t.storage.kind for _, t in _tensors(tree)}
    places = _places(data, file.tell(), keys, kinds)

    def rows(storage: Storage) -> memoryview:
        if storage.key not in places:
            raise Broken("its end is missing")
        return places[storage.key]

    return tree, rows, order


def _places(
    data: bytes, start: int, keys: object, kinds: Mapping[str, str]
) -> dict[str, memoryview]:
    """Where each storage lies behind the pickles: its count, then its numbers."""
    if not isinstance(keys, list):
        raise Broken("its list of storages is missing")
    places, whole = {}, memoryview(data)
    for key in keys:
        if key not in kinds or start + 8 > len(data):
            break
        (count,) = struct.unpack_from("<q", data, start)
        end = start + 8 + count * _width(kinds[key])
        if count < 0 or end > len(data):
            break
        places[key] = whole[start + 8 : end]
        start = end
    return places


def _found(tree: object, rows: _Rows, order: str) -> Iterator[tuple[str, Weights]]:
    """The groups of a tree: those on top, and one level below."""
    if not isinstance(tree, dict):
        raise Broken("it holds no table of weights")
    inner = {str(name): part for name, part in tree.items() if isinstance(part, dict)}
    for place, group in {"": tree, **inner}.items():
        yield (
            place,
            {
                name: Weight(part.shape, _reader(part, rows, order))
                for name, part in group.items()
                if isinstance(name, str) and isinstance(part, Tensor)
            },
        )


def _tensors(tree: object) -> Iterator[tuple[str, Tensor]]:
    if isinstance(tree, dict):
        for group in (tree, *(part for part in tree.values())):
            if isinstance(group, dict):
                for name, part in group.items():
                    if isinstance(part, Tensor):
                        yield str(name), part


def _reader(
    tensor: Tensor, rows: _Rows, order: str
) -> Callable[[], NDArray[np.float32]]:
    def read() -> NDArray[np.float32]:
        try:
            return _numbers(tensor, rows(tensor.storage), order)
        except Broken as broken:
            raise WeightsUnusable(f"The file can't be read: {broken}.") from None

    return read


def _numbers(tensor: Tensor, row: memoryview, order: str) -> NDArray[np.float32]:
    """A tensor's numbers as float32; its steps may not lead out of its storage."""
    kind = tensor.storage.kind
    if kind not in _FLOATS:
        raise Broken(f"a weight is of the kind {kind}, expected real numbers")
    numbers = _reals(row, kind, order)
    last = tensor.offset + sum(
        (side - 1) * step for side, step in zip(tensor.shape, tensor.steps, strict=True)
    )
    if 0 in tensor.shape or last >= numbers.size:
        raise Broken("a weight has fewer numbers than its shape says")
    view = np.lib.stride_tricks.as_strided(
        numbers[tensor.offset :],
        tensor.shape,
        [step * numbers.itemsize for step in tensor.steps],
        writeable=False,
    )
    return np.ascontiguousarray(view, dtype=np.float32)


def _reals(row: memoryview, kind: str, order: str) -> NDArray[Any]:
    row = row[: len(row) // _width(kind) * _width(kind)]
    if kind != "bf16":
        return np.frombuffer(row, np.dtype(order + kind))
    halves = np.frombuffer(row, np.dtype(f"{order}u2")).astype(np.uint32)
    return (halves << np.uint32(16)).view(np.float32)


def _width(kind: str) -> int:
    return _WIDTHS.get(kind) or np.dtype(kind).itemsize


def _safetensors(data: bytes) -> Weights:
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load
    except ImportError:
        raise missing_package("safetensors") from None
    try:
        arrays = load(data)
    except (SafetensorError, LookupError, TypeError, ValueError) as error:
        raise Broken(
            f"its table is damaged or of a kind we don't read ({error})"
        ) from None
    return {name: _given(array) for name, array in arrays.items()}


def _given(array: NDArray[Any]) -> Weight:
    return Weight(array.shape, lambda: np.ascontiguousarray(array, dtype=np.float32))


def missing_package(name: str) -> WeightsUnusable:
    """The error where a package is not installed that only importing needs."""
    return WeightsUnusable(
        f"Importing weights needs the package {name}: pip install 'pixtools[models]'."
    )
