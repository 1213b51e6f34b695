"""Files without a row go; everyone else's stay."""

from __future__ import annotations

from pixtools.domain.keys import output_key, source_key
from pixtools.jobs.orphans import drop_orphans
from pixtools.testing.house import House


def put(house: House, key: str) -> None:
    writer = house.blobs.writer(key)
    writer.write(b"bytes")
    writer.commit()


def test_the_files_of_a_job_without_a_row_are_deleted(house: House) -> None:
    gone = house.service.ids.new()
    put(house, source_key(gone))
    put(house, output_key(gone, "a", "png"))
    assert drop_orphans(house.service, [gone]) == 1
    assert house.blobs.stat(source_key(gone)) is None
    assert house.blobs.stat(output_key(gone, "a", "png")) is None
    assert drop_orphans(house.service, [gone]) == 0


def test_the_files_of_a_job_stay(house: House) -> None:
    job = house.submit()
    assert drop_orphans(house.service, [job.id]) == 0
    assert house.blobs.stat(source_key(job.id)) is not None


def test_what_is_no_job_s_folder_is_left_alone(house: House) -> None:
    put(house, "raw/notes/readme")
    assert drop_orphans(house.service, ["notes", "..", ""]) == 0
    assert house.blobs.stat("raw/notes/readme") is not None
