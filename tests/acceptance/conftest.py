"""One started service for all tests that do not break it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.serving import Serving, serving


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which the service may read local files."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="session")
def service(shelf: Path) -> Iterator[Serving]:
    """A service as anyone would start it; tests may add to it, not stop it."""
    with serving(LOCAL_FILE_ROOT=str(shelf)) as served:
        yield served


@pytest.fixture(scope="session")
def photo_vga(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 640 x 480 pixels with EXIF and GPS."""
    path = tmp_path_factory.mktemp("vga") / "Märchen wald.jpg"
    return photo_jpeg(path, 640, 480, exif=exif_blob(**SAMPLE_SHOT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its services have printed."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Serving):
                report.sections.append((f"what {name} said", value.words()[-8000:]))
    return report
