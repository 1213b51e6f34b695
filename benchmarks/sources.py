"""The pictures that are worked on: drawn by code, or shipped by scikit-learn."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pixtools.testing.images import photo_jpeg


def _drawn(width: int, height: int) -> Callable[[Path], object]:
    return lambda path: photo_jpeg(path, width, height)


def _shipped(name: str) -> Callable[[Path], object]:
    return lambda path: shutil.copyfile(_shipped_folder() / name, path)


SOURCES: Final[dict[str, Callable[[Path], object]]] = {
    "small": _drawn(480, 360),
    "2mp": _drawn(1732, 1155),
    "12mp": _drawn(4000, 3000),
    "48mp": _drawn(8000, 6000),
    "china": _shipped("china.jpg"),
    "flower": _shipped("flower.jpg"),
}


def source(name: str, folder: Path) -> Path:
    """The file of that name, made if it is not there yet."""
    path = folder / f"{name}.jpg"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part.jpg")
        SOURCES[name](draft)
        draft.replace(path)
    return path


def _shipped_folder() -> Path:
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("scikit-learn, which ships the photos, is missing")
    return Path(found.origin).parent / "datasets" / "images"
