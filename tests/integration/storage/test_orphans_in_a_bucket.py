"""What is uploaded for a job that was erased does not stay in the bucket."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pixtools.jobs.erase import erase
from pixtools.jobs.orphans import drop_orphans
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_store import open_store
from pixtools.storage.objects import open_objects
from pixtools.storage.still_objects import StillObjects
from pixtools.testing.clock import HandClock
from pixtools.testing.house import House
from pixtools.testing.port_suites.blobs import put
from pixtools.testing.spaces import Bucket

HOUR = timedelta(hours=1)


def test_a_late_upload_of_an_erased_job_is_found_and_dropped(s3: Bucket) -> None:
    """Among the sources of jobs that are there, while the bucket is being listed."""
    config = ObjectsConfig(
        bucket=s3.name,
        region=s3.region,
        endpoint=s3.endpoint,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
    )
    house = House(clock=HandClock(datetime.now(UTC)))
    blobs = open_objects(config)
    service = house.service = replace(house.service, blobs=blobs)
    kept = [house.submit().id for _ in range(3)]
    gone = [house.submit().id for _ in range(3)]
    for job_id in gone:
        erase(service, "default", job_id)
        put(blobs, f"raw/{job_id}/source", b"late")
        put(blobs, f"processed/{job_id}/small.webp", b"later")
    found = StillObjects(lambda: open_store(config), house.clock, reach=HOUR)
    assert drop_orphans(service, found.look()) == 0  # it may be on its way to a job
    house.clock.advance(HOUR.total_seconds())
    assert drop_orphans(service, found.look()) == 3
    assert all(blobs.stat(f"raw/{job_id}/source") for job_id in kept)
    for job_id in gone:
        assert blobs.delete(f"raw/{job_id}/") == 0
        assert blobs.delete(f"processed/{job_id}/") == 0
    assert drop_orphans(service, found.look()) == 0
