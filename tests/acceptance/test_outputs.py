"""What comes out: each action in each format, as an independent reader sees it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.acceptance.deployed import Served
from tests.acceptance.visiting import (
    WEBP,
    ended,
    fetched,
    made,
    picture_of,
    strayed,
)

from pixtools.domain.formats import FORMATS, WRITABLE

PILLOW = {"jpg": "JPEG", "tiff": "TIFF"}
"""Pillow's names where they are not ours in capitals."""

STRAY = {"gif": 14.0}
"""How far a palette may be off, of 255 on average; others less than 7."""

ASKED: dict[str, dict[str, Any]] = {
    "convert": {"action": "convert"},
    "resize": {"action": "resize", "width": 300, "height": 300},
    "watermark": {"action": "watermark", "watermark": {"text": "PixTools"}},
}
SIZES = {"convert": (640, 480), "resize": (300, 225), "watermark": (640, 480)}


@pytest.fixture(scope="module")
def job(service: Served, photo_vga: Path) -> dict[str, Any]:
    """One job that makes every action in every format, from one decode."""
    steps = [
        {"id": f"{action}-{name}", "format": name, **options}
        for action, options in ASKED.items()
        for name in WRITABLE
    ]
    return made(service, photo_vga, steps)


def output_of(job: dict[str, Any], step_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(o for o in job["outputs"] if o["id"] == step_id)
    return found


class TestEachActionInEachFormat:
    def test_the_job_tells_what_it_did(self, job: dict[str, Any]) -> None:
        assert job["status"] == "succeeded", job
        assert job["progress"] == 1.0
        assert job["error"] is None
        assert job["usage"]["compute_time_ms"] > 0
        pixels = sum(o["width"] * o["height"] for o in job["outputs"])
        assert job["usage"]["pixels_processed"] == pixels

    @pytest.mark.parametrize("action", ASKED)
    @pytest.mark.parametrize("name", WRITABLE)
    def test_the_file_is_what_was_asked(
        self,
        service: Served,
        job: dict[str, Any],
        photo_vga: Path,
        action: str,
        name: str,
    ) -> None:
        output = output_of(job, f"{action}-{name}")
        assert (output["status"], output["format"]) == ("succeeded", name)
        assert (output["width"], output["height"]) == SIZES[action]
        picture = picture_of(service, output)
        assert picture.format == PILLOW.get(name, name.upper())
        assert picture.size == SIZES[action]
        with Image.open(photo_vga) as source:
            like = source.resize(picture.size, Image.Resampling.LANCZOS)
        apart = strayed(picture, like)
        assert apart < STRAY.get(name, 7.0)
        if action == "watermark":
            corner = (320, 360, 640, 480)
            assert strayed(picture.crop(corner), like.crop(corner)) > apart

    @pytest.mark.parametrize("name", WRITABLE)
    def test_it_carries_nothing_of_the_photographer(
        self, service: Served, job: dict[str, Any], name: str
    ) -> None:
        output = output_of(job, f"convert-{name}")
        assert b"Pixmaker" not in fetched(service, output["url"]).content

    @pytest.mark.parametrize("name", WRITABLE)
    def test_it_comes_as_a_safe_download(
        self, service: Served, job: dict[str, Any], name: str
    ) -> None:
        kind = FORMATS[name]
        output = output_of(job, f"resize-{name}")
        answer = fetched(service, output["url"])
        assert answer.headers["content-type"] == kind.content_type
        assert answer.headers["content-type"] == output["content_type"]
        assert int(answer.headers["content-length"]) == output["bytes"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        disposition = answer.headers["content-disposition"]
        assert disposition.startswith("attachment; ")
        last = f"M%C3%A4rchen%20wald-resize-{name}.{kind.extension}"
        assert f"filename*=UTF-8''{last}" in disposition

    def test_a_part_of_a_file_can_be_asked_for(
        self, service: Served, job: dict[str, Any]
    ) -> None:
        url = output_of(job, "convert-jpg")["url"]
        whole = fetched(service, url)
        part = service.http.get(url, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        same = service.http.get(url, headers={"If-None-Match": whole.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")

    def test_links_open_nothing_else(
        self, service: Served, job: dict[str, Any]
    ) -> None:
        first, other = job["outputs"][0]["url"], job["outputs"][1]["url"]
        mixed = other.partition("?")[0] + "?" + first.partition("?")[2]
        for url in (mixed, first[:-2], first.partition("?")[0]):
            answer = service.http.get(url)
            assert answer.status_code == 403
            assert answer.json()["code"] == "link_invalid"


class TestTheZip:
    def test_it_holds_exactly_the_outputs(
        self, service: Served, job: dict[str, Any]
    ) -> None:
        answer = fetched(service, job["archive"]["url"])
        assert answer.headers["content-type"] == "application/zip"
        assert len(answer.content) == job["archive"]["bytes"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            assert bundle.testzip() is None
            names = bundle.namelist()
            held = {len(bundle.read(name)) for name in names}
        assert len(set(names)) == len(names) == len(job["outputs"])
        assert held == {output["bytes"] for output in job["outputs"]}
        wanted = {
            f"Märchen wald-{o['id']}.{FORMATS[o['format']].extension}"
            for o in job["outputs"]
        }
        assert set(names) == wanted

    @pytest.mark.parametrize(
        ("name", "base"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\con.jpg", "con_"),
            ("\u202egpj.exe", "gpj"),
            ("a" * 300 + ".jpg", "a" * 80),
            ('x"; filename="evil.sh', "x_; filename=_evil"),
            ("a\r\nX-Evil: yes.jpg", "aX-Evil_ yes"),
            ("...", ""),
        ],
    )
    def test_no_name_leads_out_of_it(
        self, service: Served, shelf: Path, photo_vga: Path, name: str, base: str
    ) -> None:
        (shelf / "named.jpg").write_bytes(photo_vga.read_bytes())
        order = {"source_type": "local_file", "object_key": "named.jpg"}
        wish = {"filename": name, "pipeline": WEBP}
        answer = service.http.post("/v1/jobs", json=order | wish)
        assert answer.status_code == 202, answer.text
        job = ended(service, answer.json()["job_id"])
        bundle = fetched(service, job["archive"]["url"]).content
        with zipfile.ZipFile(io.BytesIO(bundle)) as opened:
            (inside,) = opened.namelist()
        assert inside == f"{base or job['job_id']}-small.webp"
        link = fetched(service, job["outputs"][0]["url"])
        assert "x-evil" not in link.headers

    def test_none_is_made_where_none_is_wanted(
        self, service: Served, photo_vga: Path
    ) -> None:
        assert made(service, photo_vga, archive="false")["archive"] is None
