"""What options do, what presets make, and what this deployment says it can do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.visiting import made, picture_of, polled, process, strayed

from pixtools.domain.formats import WRITABLE
from pixtools.testing.serving import Serving


class TestOptions:
    def test_no_option_means_the_sources_format(
        self, service: Serving, photo_vga: Path
    ) -> None:
        job = made(service, photo_vga, [{"id": "a", "action": "resize", "width": 99}])
        assert picture_of(service, job["outputs"][0]).format == "JPEG"

    def test_cover_crops_and_contain_pads(
        self, service: Serving, photo_vga: Path
    ) -> None:
        box = {"action": "resize", "width": 200, "height": 200, "format": "png"}
        steps = [
            {"id": "cover", "fit": "cover", **box},
            {"id": "contain", "fit": "contain", "background": "#ff0000", **box},
            {"id": "fill", "fit": "fill", **box},
        ]
        job = made(service, photo_vga, steps)
        pictures = {o["id"]: picture_of(service, o) for o in job["outputs"]}
        assert {picture.size for picture in pictures.values()} == {(200, 200)}
        padded = pictures["contain"].convert("RGB")
        assert padded.getpixel((100, 5)) == (255, 0, 0)
        assert pictures["cover"].convert("RGB").getpixel((100, 5)) != (255, 0, 0)

    def test_nothing_is_enlarged_unless_asked(
        self, service: Serving, photo_vga: Path
    ) -> None:
        wide = {"action": "resize", "width": 1000, "format": "jpg"}
        steps = [{"id": "kept", **wide}, {"id": "grown", "enlarge": True, **wide}]
        job = made(service, photo_vga, steps)
        assert [o["width"] for o in job["outputs"]] == [640, 1000]

    def test_max_bytes_is_kept(self, service: Serving, photo_vga: Path) -> None:
        step = {"id": "a", "action": "convert", "format": "jpg", "max_bytes": 20_000}
        job = made(service, photo_vga, [step])
        assert 10_000 < job["outputs"][0]["bytes"] <= 20_000

    def test_metadata_is_carried_if_asked(
        self, service: Serving, photo_vga: Path
    ) -> None:
        kept = {"action": "convert", "format": "webp", "keep_metadata": "all"}
        job = made(service, photo_vga, [{"id": "a", **kept}])
        assert picture_of(service, job["outputs"][0]).getexif()[0x010F] == "Pixmaker"

    def test_a_turned_photo_stands_upright(
        self, service: Serving, sources: dict[str, Path]
    ) -> None:
        step = {"id": "a", "action": "convert", "format": "png"}
        job = made(service, sources["jpg-orientation-6"], [step])
        upright = made(service, sources["jpg-orientation-1"], [step])
        picture, like = (picture_of(service, j["outputs"][0]) for j in (job, upright))
        assert picture.size == (160, 112)
        assert strayed(picture, like) < 3
        assert (job["source"]["width"], job["source"]["height"]) == (160, 112)

    def test_an_animation_stays_one_if_asked(
        self, service: Serving, sources: dict[str, Path]
    ) -> None:
        steps: list[dict[str, Any]] = [
            {"id": "moving", "action": "convert", "format": "webp", "animated": True},
            {"id": "still", "action": "convert", "format": "webp"},
        ]
        job = made(service, sources["gif-animated"], steps)
        frames = [
            getattr(picture_of(service, output), "n_frames", 1)
            for output in job["outputs"]
        ]
        assert frames == [5, 1]

    @pytest.mark.parametrize("suffix", ["png", "webp", "avif", "gif", "tif"])
    def test_every_kind_of_source_is_read(
        self, service: Serving, sources: dict[str, Path], suffix: str
    ) -> None:
        path = next(p for name, p in sources.items() if name.startswith(suffix))
        job = made(service, path, [{"id": "a", "action": "convert", "format": "jpg"}])
        assert picture_of(service, job["outputs"][0]).format == "JPEG"


class TestPresets:
    def test_gallery_makes_its_four_files(
        self, service: Serving, photo_2mp: Path
    ) -> None:
        listed = service.http.get("/v1/presets").json()["data"]
        assert [preset["name"] for preset in listed] == ["gallery"]
        job = made(service, photo_2mp, None, preset="gallery")
        sizes = {o["id"]: picture_of(service, o).size for o in job["outputs"]}
        assert sizes == {
            "large": (1600, 1200),
            "medium": (1024, 768),
            "small": (512, 384),
            "thumbnail": (200, 200),
        }
        assert {o["format"] for o in job["outputs"]} == {"jpg"}

    def test_the_pixtools_face_takes_presets_beside_operations(
        self, service: Serving, photo_vga: Path
    ) -> None:
        answer = process(service, photo_vga, ["webp", "gallery"])
        assert answer.status_code == 202, answer.text
        job = polled(service, answer.json()["job_id"])
        assert {"webp", "large", "medium", "small", "thumbnail"} == set(
            job["result_urls"]
        )


class TestTheDeclaration:
    def test_it_tells_what_this_deployment_can_do(self, service: Serving) -> None:
        catalogue = service.http.get("/v1/operations").json()
        assert set(catalogue["actions"]) == {
            "convert",
            "resize",
            "watermark",
            "denoise",
            "metadata",
        }
        writes = {f["name"] for f in catalogue["formats"] if f["writes"]}
        assert writes == set(WRITABLE)
