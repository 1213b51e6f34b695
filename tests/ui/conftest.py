"""The real page, from a real service, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.networks import blurring

from pixtools.testing.serving import Serving, serving

PATIENCE = 60_000
"""Milliseconds for what is to come about; five of its own seconds are soon over."""
QUIET = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """One Chromium for the tests of a file.

    Not of a session: Playwright keeps an event loop in this thread while it is open,
    and tests elsewhere start their own.
    """
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*QUIET])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One service for all tests, with a network of its own."""
    weights = blurring(tmp_path_factory.mktemp("weights"), "quality")
    with serving({"MODELS_DIR": str(blurring(weights, "fast"))}) as served:
        yield served


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of; a test's end looks that there is nothing."""
    return []


@pytest.fixture
def page(browser: Browser, site: Serving, complaints: list[str]) -> Iterator[Page]:
    """The page, drawn and ready, in a fresh context; complaints fail the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: _note(complaints, said.type, said.text))
    opened.on("request", lambda sent: _note_foreign(complaints, site.url, sent.url))
    opened.goto(site.url)
    opened.get_by_text("WebP", exact=True).wait_for()
    opened.get_by_text("megapixels each").wait_for()
    yield opened
    context.close()
    assert complaints == []


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind in ("error", "warning"):
        complaints.append(f"{kind}: {text}")


def _note_foreign(complaints: list[str], home: str, url: str) -> None:
    if not url.startswith((home, "data:", "blob:")):
        complaints.append(f"asked elsewhere: {url}")
