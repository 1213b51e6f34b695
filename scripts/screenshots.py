"""Make the README's pictures from the real page of a real service.

python scripts/screenshots.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.serving import serving

OUT = Path(__file__).parent.parent / "docs" / "img"
PATIENCE = 60_000


def main() -> None:
    """Take the pictures; needs Chromium and what `make test` installs."""
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving() as site,
        sync_playwright() as playwright,
    ):
        photo = photo_jpeg(
            Path(folder) / "meadow.jpg", 2400, 1600, exif=exif_blob(**SAMPLE_SHOT)
        )
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.goto(site.url)
        _take(page, photo)
        browser.close()


def _take(page: Page, photo: Path) -> None:
    page.get_by_text("megapixels each").wait_for()
    page.locator("#files").set_input_files(str(photo))
    page.get_by_role("checkbox", name="AVIF").check()
    page.get_by_label("Width (px)").fill("1280")
    page.locator("#go").click()
    page.get_by_text("Download all").wait_for(timeout=PATIENCE)
    page.locator(".outputs img").last.evaluate("image => image.decode()")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=OUT / "page.png", full_page=True)
    print(f"wrote {OUT / 'page.png'}")


if __name__ == "__main__":
    main()
