"""One started service for all tests that do not break it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from tests.acceptance.deployed import Deployed, Served, hands
from tests.acceptance.refusing import UPLOAD_LIMIT, Strict
from tests.acceptance.visiting import (
    ALL_HANDS,
    WEBP,
    endless_work,
    made,
)
from tests.networks import blurring

from pixtools.testing.cluster import cluster, settings_of
from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.services import Space
from pixtools.testing.serving import Serving, serving

STRANGERS_ARE_HERE = {
    "SOURCE_ALLOWED_NETWORKS": "127.0.0.1/32",
    "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
}


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder below which the service may read local files."""
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Imported networks that take noise out as a blur does, whatever is shipped."""
    folder = tmp_path_factory.mktemp("weights")
    return blurring(blurring(folder, "quality"), "fast")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask a test marked `anywhere` of a service in one process, and of a cluster."""
    if "service" in metafunc.fixturenames:
        anywhere = metafunc.definition.get_closest_marker("anywhere")
        where = ["embedded", "cluster"] if anywhere else ["embedded"]
        metafunc.parametrize("service", where, indirect=True, scope="session")


@pytest.fixture(scope="session")
def service(
    request: pytest.FixtureRequest, shelf: Path, weights: Path
) -> Iterator[Served]:
    """A service as anyone would start it; tests may add to it, not stop it."""
    if request.param == "cluster":
        yield request.getfixturevalue("deployed")
        return
    own = {"LOCAL_FILE_ROOT": str(shelf), "MODELS_DIR": str(weights)}
    with serving(own | ALL_HANDS | STRANGERS_ARE_HERE) as served:
        yield served


@pytest.fixture(scope="session")
def deployed(cluster_space: Space, shelf: Path, weights: Path) -> Iterator[Deployed]:
    """An API, a scheduler, a denoiser, and two workers that do one thing at a time."""
    space = cluster_space
    settings = settings_of(
        postgres=space.postgres,
        rabbitmq=space.rabbitmq,
        redis=space.redis,
        bucket=space.bucket,
    )
    own = {"WORKERS": "1", "LOCAL_FILE_ROOT": str(shelf), "MODELS_DIR": str(weights)}
    with cluster(settings | own | STRANGERS_ARE_HERE, workers=2, ml=1) as started:
        yield Deployed(started, space.postgres, space.bucket)


@pytest.fixture(scope="session")
def photo_vga(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JPEG of 640 x 480 pixels with EXIF and GPS."""
    path = tmp_path_factory.mktemp("vga") / "Märchen wald.jpg"
    return photo_jpeg(path, 640, 480, exif=exif_blob(**SAMPLE_SHOT))


@pytest.fixture
def busy(service: Served, photo_12mp: Path) -> Iterator[list[str]]:
    """All runners are busy for as long as the test lasts."""
    with endless_work(service, photo_12mp, hands(service)) as ids:
        yield ids


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its services have printed."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            served = value.service if isinstance(value, Strict) else value
            if isinstance(served, Serving | Deployed):
                report.sections.append((f"what {name} said", served.words()[-8000:]))
    return report


@pytest.fixture(scope="session")
def strict(shelf: Path, photo_vga: Path, sources: dict[str, Path]) -> Iterator[Strict]:
    """A service with small limits: a done job, an announced one, a closed batch."""
    settings = {"MAX_UPLOAD_BYTES": str(UPLOAD_LIMIT), "LOCAL_FILE_ROOT": str(shelf)}
    with serving(settings) as served:
        order = {"source_type": "s3_presigned", "pipeline": WEBP}
        batch = served.http.post("/v1/batches", json={"jobs": [order]}).json()
        ids = {
            "done": made(served, photo_vga)["job_id"],
            "created": batch["jobs"][0]["job_id"],
            "closed": batch["batch_id"],
        }
        paths = served.http.get("/openapi.json").json()["paths"]
        yield Strict(served, sources["jpg-baseline"].read_bytes(), ids, paths)
