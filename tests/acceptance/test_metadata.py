"""Facts of a photo, over HTTP, in the contract's words."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import made, polled, process

from pixtools.testing.images_exif import SAMPLE_FACTS

pytestmark = pytest.mark.anywhere

FACTS = [{"id": "facts", "action": "metadata"}]


def test_every_fact_of_a_cameras_photo_is_told(
    service: Served, photo_vga: Path
) -> None:
    job = made(service, photo_vga, FACTS)
    assert job["status"] == "succeeded"
    assert job["outputs"] == []
    assert job["archive"] is None
    facts = job["metadata"]
    focal = facts.pop("focal_length")
    assert "50" in str(focal)
    wanted = {k: v for k, v in SAMPLE_FACTS.items() if k != "focal_length"}
    assert {name: facts[name] for name in wanted} == wanted
    assert (facts["width"], facts["height"], facts["format"]) == (640, 480, "jpg")
    assert (facts["has_alpha"], facts["bits"]) == (False, 8)
    assert facts["color_space"] == "srgb"


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "avif", "tif"])
def test_facts_are_read_from_every_format(
    service: Served, sources: dict[str, Path], suffix: str
) -> None:
    facts = made(service, sources[f"{suffix}-documented"], FACTS)["metadata"]
    assert facts["camera_make"] == SAMPLE_FACTS["camera_make"]
    assert facts["exposure_time"] == "1/250s"
    assert facts["iso"] == 400
    assert facts["gps"]["latitude"] == pytest.approx(-33.856784, abs=1e-6)


def test_facts_and_files_come_together(service: Served, photo_vga: Path) -> None:
    steps = [*FACTS, {"id": "a", "action": "convert", "format": "png"}]
    job = made(service, photo_vga, steps)
    assert [output["id"] for output in job["outputs"]] == ["a"]
    assert job["metadata"]["camera_model"] == "P-1000"


def test_the_pixtools_face_tells_them_too(service: Served, photo_vga: Path) -> None:
    accepted = process(service, photo_vga, ["webp", "metadata"]).json()
    facts = polled(service, accepted["job_id"])["metadata"]
    assert facts["aperture"] == "f/2.8"
    assert facts["captured_at"] == "2025-06-07T08:09:10+02:00"


def test_a_photo_without_facts_tells_its_size_alone(
    service: Served, sources: dict[str, Path]
) -> None:
    facts = made(service, sources["png-rgba"], FACTS)["metadata"]
    assert "camera_make" not in facts
    assert "gps" not in facts
    assert (facts["has_alpha"], facts["format"]) == (True, "png")
