"""Make the pictures of README and docs from the real page of a real service.

python -m scripts.screenshots
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from training.photos import held_out, noisy

from pixtools.testing.images import photo_jpeg
from pixtools.testing.images_exif import SAMPLE_SHOT, exif_blob
from pixtools.testing.serving import serving

OUT = Path(__file__).parent.parent / "docs" / "img"
PATIENCE = 60_000
NOISY = "chelsea"
"""A cat by Stéfan van der Walt, CC0, as scikit-image brings it."""
SIGMA = 25


def main() -> None:
    """Take the pictures; needs Chromium and what `make test` installs."""
    OUT.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving() as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox"]
        )
        photo = photo_jpeg(
            Path(folder) / "meadow.jpg", 2400, 1600, exif=exif_blob(**SAMPLE_SHOT)
        )
        _take(_opened(browser, site.url), photo)
        page = _opened(browser, site.url)
        if page.get_by_label("Remove noise").is_visible():
            _take_noise(page, _noisy_cat(Path(folder)))
        else:
            print("No network is here: the picture of denoising stays as it is.")
        browser.close()


def _opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.goto(url)
    page.get_by_text("megapixels each").wait_for()
    return page


def _take(page: Page, photo: Path) -> None:
    page.locator("#files").set_input_files(str(photo))
    page.get_by_role("checkbox", name="AVIF").check()
    page.get_by_label("Width (px)").fill("1280")
    page.locator("#go").click()
    page.get_by_text("Download all").wait_for(timeout=PATIENCE)
    page.locator(".outputs img").last.evaluate("image => image.decode()")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=OUT / "page.png", full_page=True)
    print(f"wrote {OUT / 'page.png'}")


def _noisy_cat(folder: Path) -> Path:
    cat = next(photo for photo in held_out(1000) if photo.name == NOISY)
    grainy = (noisy(cat, SIGMA, 0) * 255).clip(0, 255).round().astype(np.uint8)
    path = folder / "cat.png"
    Image.fromarray(grainy).save(path)
    return path


def _take_noise(page: Page, photo: Path) -> None:
    """The same photo twice: as it is, and without its noise."""
    page.get_by_role("checkbox", name="WebP").uncheck()
    page.get_by_role("checkbox", name="PNG").check()
    page.get_by_label("Read camera").uncheck()
    for count, clean in enumerate((True, False), 1):
        page.get_by_label("Remove noise").set_checked(clean)
        page.locator("#files").set_input_files(str(photo))
        page.locator("#go").click()
        _finished(page.locator(".job"), count)
    page.get_by_label("Remove noise").check()
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=OUT / "denoise.png", full_page=True)
    print(f"wrote {OUT / 'denoise.png'}")


def _finished(cards: Locator, count: int) -> None:
    cards.locator(".status.succeeded").nth(count - 1).wait_for(timeout=PATIENCE)
    cards.first.get_by_text("Download all").wait_for(timeout=PATIENCE)
    cards.first.locator("img").evaluate("image => image.decode()")


if __name__ == "__main__":
    main()
