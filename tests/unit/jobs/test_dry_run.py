"""A dry run tells what a job would take and make, as the job itself then does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.jobs.looks import stage_of

from pixtools.domain.errors import (
    BatchNotFound,
    ImageTooLarge,
    ImageTooLargeForMemory,
    InvalidPipeline,
    InvalidRequest,
    JobConflict,
    SourceMissing,
    TruncatedImage,
    UploadTooLarge,
)
from pixtools.domain.job import Source
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.aside import set_aside
from pixtools.jobs.batch import close_batch, open_batch
from pixtools.jobs.dry_run import Forecast, dry_run
from pixtools.jobs.intake import HEAD_BYTES, Intake
from pixtools.jobs.photos import seen_file, seen_object
from pixtools.jobs.submit import Order
from pixtools.testing.house import ABLE, FACTS, RESIZED, House, tiny_gif
from pixtools.testing.memory_jobs import MemoryDatabase

UNKNOWN = Source(type="s3_presigned", key="")
GIF = Source(type="upload", key="", format="gif", bytes=83, width=160, height=112)
HUGE = {"id": "huge", "action": "resize", "width": 20_000, "enlarge": True}


def foreseen(house: House, source: Source, *steps: dict[str, Any]) -> Forecast:
    order = Order(pipeline=Pipeline.parse(list(steps)))
    return dry_run(house.service, order, source)


def used(found: Forecast) -> dict[str, float | None]:
    return {limit.name: limit.used for limit in found.limits}


def put(house: House, key: str, data: bytes) -> None:
    writer = house.blobs.writer(key)
    writer.write(data)
    writer.commit()


def test_a_known_photo_is_foreseen_as_it_then_happens(house: House) -> None:
    """The same stages at the same cost, the same sizes, the same pixels."""
    steps = (RESIZED, {"id": "web", "action": "convert", "format": "png"}, FACTS)
    found = foreseen(house, GIF, *steps)
    job = house.submit(*steps)
    stage = stage_of(house, job)
    (planned,) = found.stages
    assert (planned.kind, planned.lane, planned.step_ids, planned.cost_ms) == (
        stage.kind,
        stage.lane,
        stage.step_ids,
        stage.cost_ms,
    )
    assert found.cost is not None
    assert found.cost.compute_time_ms == stage.cost_ms
    assert found.cost.decoded_bytes == stage.cost_bytes
    assert [(o.id, o.format, o.width, o.height) for o in found.outputs] == [
        ("small", "webp", 64, 45),
        ("web", "png", 160, 112),
    ]
    assert found.cost.pixels_processed == 64 * 45 + 160 * 112
    assert (found.example, found.example_cost) == (None, None)


def test_nothing_is_stored(house: House) -> None:
    """No row, no object, no ring of a bell."""
    assert isinstance(house.database, MemoryDatabase)
    foreseen(house, GIF, RESIZED)
    foreseen(house, UNKNOWN, RESIZED)
    assert house.database.writes == 0
    assert (house.blobs.keys(), house.bell.lanes, house.bell.subjects) == ([], [], [])


def test_an_unknown_photo_is_answered_from_the_options(house: House) -> None:
    """Sizes that any photo gets are told; costs are an example's."""
    canvas = {**RESIZED, "id": "canvas", "height": 50, "fit": "contain"}
    found = foreseen(house, UNKNOWN, RESIZED, canvas, {**HUGE, "format": None})
    assert (found.source, found.cost) == (None, None)
    assert [(o.id, o.format, o.width, o.height) for o in found.outputs] == [
        ("small", "webp", None, None),
        ("canvas", "webp", 64, 50),
        ("huge", None, None, None),
    ]
    assert found.example is not None
    assert found.example_cost is not None
    assert (found.example.format, found.example.width) == ("jpg", 4000)
    assert found.example_cost.decoded_bytes == 4000 * 3000 * 4
    assert used(found)["max_steps"] == 3
    assert used(found)["max_pixels"] is None
    assert used(found)["max_output_side"] is None


@pytest.mark.parametrize(
    ("step", "width", "height"),
    [
        ({"width": 9, "height": 7, "fit": "fill", "enlarge": True}, 9, 7),
        ({"width": 9, "height": 7, "fit": "fill"}, None, None),
        ({"width": 9, "height": 7, "fit": "cover", "enlarge": True}, 9, 7),
        ({"width": 9, "height": 7, "fit": "contain"}, 9, 7),
        ({"width": 9, "enlarge": True}, None, None),
    ],
)
def test_a_size_is_told_if_no_photo_changes_it(
    house: House, step: dict[str, Any], width: int | None, height: int | None
) -> None:
    found = foreseen(house, UNKNOWN, {"id": "a", "action": "resize", **step})
    assert (found.outputs[0].width, found.outputs[0].height) == (width, height)


def test_the_example_is_of_a_format_that_the_pipeline_fits(house: House) -> None:
    """As announced; else any. A pipeline that fits none is refused."""
    lossless = {"id": "a", "action": "resize", "width": 9, "lossless": True}
    found = foreseen(house, UNKNOWN, lossless)
    assert found.example is not None
    assert found.example.format == "png"
    announced = Source(type="s3_presigned", key="", content_type="image/webp")
    found = foreseen(house, announced, lossless)
    assert found.example is not None
    assert found.example.format == "webp"
    announced = Source(type="s3_presigned", key="", content_type="image/jpeg")
    with pytest.raises(InvalidPipeline):
        foreseen(house, announced, lossless)
    with pytest.raises(InvalidPipeline):
        foreseen(house, UNKNOWN, {**lossless, "quality": 80, "max_bytes": 9})


def test_an_output_that_can_not_be_made_says_why_and_costs_nothing(
    house: House,
) -> None:
    found = foreseen(house, GIF, RESIZED, {**HUGE, "format": "webp"})
    small, huge = found.outputs
    assert small.error is None
    assert huge.error is not None
    assert huge.error.code == "output_too_large_for_format"
    assert found.cost == foreseen(house, GIF, RESIZED).cost
    alone = foreseen(house, GIF, {**HUGE, "format": "webp"})
    assert alone.cost is not None
    assert alone.cost.compute_time_ms == 0


def test_limits_tell_how_near_the_job_is(house: House) -> None:
    found = foreseen(house, GIF, RESIZED)
    assert found.cost is not None
    assert used(found) == {
        "max_upload_bytes": 83,
        "max_pixels": 160 * 112,
        "max_side": 160,
        "max_steps": 1,
        "max_output_side": 64,
        "timeout_seconds": found.cost.compute_time_ms / 1000,
    }
    for limit in found.limits:
        assert limit.limit == getattr(house.rules.limits, limit.name)
    assert used(foreseen(house, GIF, FACTS))["max_output_side"] is None


def test_denoising_is_foreseen_on_its_lane_and_at_its_price(house: House) -> None:
    """Its time is its own: it takes nothing of what bounds other stages."""
    house.rule(capabilities=ABLE)
    clean = {"id": "clean", "action": "denoise", "model": "fast"}
    found = foreseen(house, GIF, RESIZED, clean)
    assert [(o.id, o.lane) for o in found.outputs] == [
        ("small", "default_queue"),
        ("clean", "ml_inference_queue"),
    ]
    light, heavy = found.stages
    assert heavy.cost_ms >= house.rules.heavy_ms
    assert used(found)["timeout_seconds"] == light.cost_ms / 1000


def test_what_would_be_refused_is_refused(house: House) -> None:
    house.rule(queue_size=1)
    house.submit()
    foreseen(house, GIF, RESIZED)  # a full queue is no fault of the order
    with pytest.raises(InvalidPipeline):
        foreseen(house, GIF, {**RESIZED, "action": "denoise", "width": None})
    with pytest.raises(InvalidPipeline):
        foreseen(house, GIF, {**RESIZED, "format": None, "quality": 80})
    with pytest.raises(ImageTooLargeForMemory):
        foreseen(house, replace(GIF, width=9_900, height=9_900), RESIZED)
    most = house.rules.limits.max_upload_bytes
    with pytest.raises(UploadTooLarge):
        foreseen(house, Source(type="s3_presigned", key="", bytes=most + 1), RESIZED)


def test_an_example_is_never_too_large_for_memory(house: House) -> None:
    """The photo itself may be smaller."""
    house.rule(limits=Limits(memory_budget_bytes=64 * MIB))
    large = {"id": "a", "action": "convert", "format": "avif"}
    assert foreseen(house, UNKNOWN, large).example_cost


def test_a_batch_is_looked_at_and_not_joined(house: House) -> None:
    def joined(batch_id: str) -> Forecast:
        order = Order(pipeline=Pipeline.parse([RESIZED]), batch_id=batch_id)
        return dry_run(house.service, order, GIF)

    batch = open_batch(house.service, "default")
    joined(batch.id)
    assert close_batch(house.service, "default", batch.id).jobs_total == 0
    with pytest.raises(JobConflict):
        joined(batch.id)
    with pytest.raises(BatchNotFound):
        joined("nowhere")


def test_an_object_is_looked_at_where_it_rests(house: House) -> None:
    put(house, "inbox/default/cat.gif", tiny_gif())
    source = seen_object(house.service, "default", "inbox/default/cat.gif")
    assert (source.format, source.width, source.filename) == ("gif", 160, "cat.gif")
    assert house.blobs.keys() == ["inbox/default/cat.gif"]
    with pytest.raises(SourceMissing):
        seen_object(house.service, "default", "inbox/default/dog.gif")
    with pytest.raises(InvalidRequest):
        seen_object(house.service, "acme", "inbox/default/cat.gif")


def test_a_local_file_is_looked_at_where_it_rests(house: House, tmp_path: Path) -> None:
    house.rule(local_root=tmp_path)
    (tmp_path / "cat.gif").write_bytes(tiny_gif())
    source = seen_file(house.service, "cat.gif")
    assert (source.format, source.height, source.bytes) == ("gif", 112, len(tiny_gif()))
    with (tmp_path / "large.gif").open("wb") as large:
        large.truncate(house.rules.limits.max_upload_bytes + 1)
    with pytest.raises(UploadTooLarge):
        seen_file(house.service, "large.gif")
    with pytest.raises(InvalidRequest):
        seen_file(house.service, "../cat.gif")


class TestAside:
    """An upload that is looked at and not kept."""

    def test_its_header_is_read(self, house: House) -> None:
        with Intake.begin(set_aside(house.service), "default") as intake:
            intake.write(tiny_gif())
            received = intake.finish()
        assert (received.header.width, received.blob.bytes) == (160, len(tiny_gif()))
        assert house.blobs.keys() == []

    def test_also_where_it_stands_at_the_end(self, house: House) -> None:
        """Then all of the photo lies in scratch, and only until it is looked at."""
        far = HEAD_BYTES + 100
        tiff = b"II*\x00" + far.to_bytes(4, "little") + bytes(far - 8)
        entries = [(256, 40), (257, 30)]
        tiff += len(entries).to_bytes(2, "little") + b"".join(
            tag.to_bytes(2, "little")
            + b"\x03\x00\x01\x00\x00\x00"
            + size.to_bytes(4, "little")
            for tag, size in entries
        )
        intake = Intake.begin(set_aside(house.service), "default")
        intake.write(tiff + bytes(4))
        header = intake.finish().header
        assert (header.format, header.width, header.height) == ("tiff", 40, 30)
        intake.abort()
        intake.abort()
        assert house.blobs.keys() == []

    @pytest.mark.parametrize(
        ("data", "refusal"),
        [
            (tiny_gif(60_000, 60_000), ImageTooLarge),
            (b"\xff\xd8\xff\xe0" * 30, TruncatedImage),
        ],
    )
    def test_it_is_refused_as_ever(
        self, house: House, data: bytes, refusal: type[Exception]
    ) -> None:
        intake = Intake.begin(set_aside(house.service), "default")
        with pytest.raises(refusal):  # noqa: PT012 - wherever it is noticed
            intake.write(data)
            intake.finish()
        assert house.blobs.keys() == []
