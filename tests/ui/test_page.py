"""What a person can do on the page, done in Chromium."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.serving import Serving

pytestmark = pytest.mark.ui


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A photo with EXIF facts."""
    folder = tmp_path_factory.mktemp("photos")
    exif = exif_blob(**SAMPLE_SHOT)
    return photo_jpeg(folder / "beach.jpg", 600, 400, exif=exif)


def choose(page: Page, *photos: Path) -> None:
    page.locator("#files").set_input_files([str(photo) for photo in photos])


def process(page: Page) -> None:
    page.locator("#go").click()


def finished(page: Page, count: int = 1) -> None:
    expect(page.locator(".status.succeeded")).to_have_count(count)


def fetched(page: Page, link: str) -> bytes:
    """The bytes behind a download button."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name=link).click()
    return Path(waiting.value.path()).read_bytes()


def test_a_photo_becomes_files_a_zip_and_its_facts(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_role("checkbox", name="AVIF").check()
    page.get_by_label("Width (px)").fill("300")
    process(page)
    finished(page)

    with Image.open(io.BytesIO(fetched(page, "Download webp"))) as made:
        assert (made.format, made.size) == ("WEBP", (300, 200))
    with Image.open(io.BytesIO(fetched(page, "Download avif"))) as made:
        assert (made.format, made.size) == ("AVIF", (300, 200))
    with zipfile.ZipFile(io.BytesIO(fetched(page, "Download all"))) as bundle:
        assert bundle.testzip() is None
        assert sorted(Path(name).suffix for name in bundle.namelist()) == [
            ".avif",
            ".webp",
        ]
    expect(page.locator(".facts")).to_contain_text("1/250s")
    expect(page.locator(".facts")).to_contain_text("latitude")


def test_the_pictures_that_are_shown_are_drawn(page: Page, photo: Path) -> None:
    choose(page, photo)
    process(page)
    finished(page)
    picture = page.get_by_role("img", name="webp, webp, 600 by 400 pixels")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") == 600


def test_several_photos_are_sent_together(page: Page, photo: Path) -> None:
    others = [photo_jpeg(photo.with_name(f"n{n}.jpg"), 120, 80, seed=n) for n in (1, 2)]
    choose(page, photo, *others)
    expect(page.locator("#go")).to_have_text("Process 3 photos")
    process(page)
    finished(page, 3)


def test_a_preset_makes_its_four_files(page: Page, photo: Path) -> None:
    choose(page, photo)
    page.get_by_label("Preset").select_option("gallery")
    expect(page.locator("#preset-help")).to_contain_text("2048")
    process(page)
    finished(page)
    expect(page.locator(".outputs li")).to_have_count(4)


def test_a_refused_file_says_why_and_the_page_goes_on(
    page: Page, photo: Path, complaints: list[str]
) -> None:
    fake = photo.with_name("fake.jpg")
    fake.write_text("<html>not a photo</html>")
    choose(page, fake)
    process(page)
    expect(page.locator(".job .notice")).to_contain_text("Expected an image")
    choose(page, photo)
    process(page)
    finished(page)
    refusals = [text for text in complaints if "415" in text]
    assert refusals, "the browser itself reports the refused request"
    complaints[:] = [text for text in complaints if text not in refusals]


def test_asking_for_nothing_is_explained_before_anything_is_sent(
    page: Page, photo: Path
) -> None:
    choose(page, photo)
    page.get_by_role("checkbox", name="WebP").uncheck()
    page.get_by_label("Read camera").uncheck()
    process(page)
    expect(page.locator("#trouble")).to_contain_text("at least one format")
    expect(page.locator(".job")).to_have_count(0)


def test_a_dropped_photo_is_taken(page: Page, photo: Path) -> None:
    bytes_ = list(photo.read_bytes())
    data = page.evaluate_handle(
        """bytes => {
            const data = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "dropped.jpg");
            data.items.add(file);
            return data;
        }""",
        bytes_,
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": data})
    expect(page.locator("#overlay")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": data})
    expect(page.locator("#overlay")).to_be_hidden()
    expect(page.locator("#queue")).to_contain_text("dropped.jpg")


def test_the_whole_way_can_be_gone_by_keyboard(page: Page, photo: Path) -> None:
    choose(page, photo)
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(
            str(
                page.evaluate(
                    "document.activeElement.id || document.activeElement.value"
                )
            )
        )
        if seen[-1] == "go":
            break
    assert {"files", "webp", "metadata", "preset", "go"} <= set(seen)
    page.keyboard.press("Enter")
    finished(page)


def test_a_quality_that_was_set_is_used(page: Page, photo: Path) -> None:
    choose(page, photo)
    process(page)
    finished(page)
    usual = len(fetched(page, "Download webp"))
    choose(page, photo)
    page.get_by_text("Encoding", exact=True).click()
    page.locator("[data-option=quality]").fill("5")
    process(page)
    finished(page, 2)
    link = page.get_by_role("link", name="Download webp").first
    with page.expect_download() as waiting:
        link.click()
    assert Path(waiting.value.path()).stat().st_size < usual / 2


def test_a_watermark_is_drawn_where_it_was_asked(page: Page, tmp_path: Path) -> None:
    plain = tmp_path / "plain.png"
    Image.new("RGB", (400, 300), (40, 80, 120)).save(plain)
    choose(page, plain)
    page.get_by_text("Watermark", exact=True).click()
    page.locator("[data-option=text]").fill("© Ann")
    process(page)
    finished(page)
    with Image.open(io.BytesIO(fetched(page, "Download webp"))) as made:
        lights = made.convert("L")
    assert np.ptp(np.asarray(lights.crop((200, 150, 400, 300)))) > 60
    assert np.ptp(np.asarray(lights.crop((0, 0, 200, 150)))) < 10


def test_a_narrow_screen_needs_no_sideways_scrolling(page: Page, photo: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    choose(page, photo)
    process(page)
    finished(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 320


def test_the_page_forbids_scripts_from_elsewhere(site: Serving) -> None:
    answer = site.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
