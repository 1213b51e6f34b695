"""Pytest fixtures that write the corpus once per session.

Activate them with `pytest_plugins = ["pixtools.testing.fixtures"]` in the topmost
conftest.py, or with `pytest -p pixtools.testing.fixtures`.
"""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small file of every kind that PixTools reads, by name; do not change them."""
    from pixtools.testing.corpus import all_sources

    return all_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def hostile_paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every file of `images_hostile.hostile_files()`, by the same keys."""
    from pixtools.testing.images_hostile import write_hostile

    return write_hostile(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def photo_2mp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 1600 x 1200 pixels, about half a megabyte, with EXIF and GPS."""
    return _camera_photo(tmp_path_factory, 1600, 1200)


@pytest.fixture(scope="session")
def photo_12mp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 4000 x 3000 pixels, about four megabytes, with EXIF and GPS."""
    return _camera_photo(tmp_path_factory, 4000, 3000)


def _camera_photo(directories: pytest.TempPathFactory, width: int, height: int) -> Path:
    from pixtools.testing.images import photo_jpeg
    from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob

    path = directories.mktemp("photo") / f"photo-{width}x{height}.jpg"
    return photo_jpeg(path, width, height, exif=exif_blob(**SAMPLE_SHOT))
