"""Signing in on the page, in Chromium: the key is sent once and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pixtools.testing.images import photo_jpeg
from pixtools.testing.serving import Serving, serving

pytestmark = pytest.mark.ui
KEY = "a-key-of-the-environment"
ASK_FOR_JOBS = """import(new URL("assets/client.js", location))
.then((client) => client.read("v1/jobs")).catch(() => null)"""
KEPT = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Serving]:
    """A service that asks for a key."""
    with serving({"API_KEY": KEY}) as served:
        yield served


@pytest.fixture
def visit(browser: Browser, guarded: Serving) -> Iterator[Page]:
    """The page, opened by somebody whom nobody knows yet."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened = context.new_page()
    opened.goto(guarded.url)
    opened.get_by_label("API key").wait_for()
    yield opened
    context.close()


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_a_key_opens_the_page_once_and_for_all(visit: Page, tmp_path: Path) -> None:
    expect(visit.locator("#order")).to_be_hidden()
    asked: list[str] = []
    visit.on("request", lambda sent: asked.append(f"{sent.url} {sent.headers}"))
    sign_in(visit, KEY)
    expect(visit.locator("#order")).to_be_visible()
    expect(visit.locator("#sign-in")).to_be_hidden()
    visit.get_by_text("megapixels each").wait_for()
    photo = photo_jpeg(tmp_path / "beach.jpg", 120, 80)
    visit.locator("#files").set_input_files([str(photo)])
    visit.locator("#go").click()
    done = visit.locator(".status.succeeded")
    expect(done).to_have_count(1)
    assert asked
    assert not [each for each in asked if KEY in each]
    assert KEY not in visit.content()
    assert KEY not in visit.evaluate(KEPT)
    (cookie,) = visit.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert KEY not in str(cookie["value"])
    visit.reload()
    expect(visit.locator("#order")).to_be_visible()
    visit.get_by_role("button", name="Sign out").click()
    expect(visit.get_by_label("API key")).to_be_visible()
    assert visit.context.cookies() == []


def test_a_wrong_key_is_told_and_nothing_is_shown(visit: Page) -> None:
    sign_in(visit, "a-key-of-somebody-else")
    expect(visit.get_by_role("alert")).to_contain_text("not known here")
    expect(visit.locator("#order")).to_be_hidden()
    assert visit.context.cookies() == []


def test_whoever_is_no_longer_signed_in_is_asked_again(visit: Page) -> None:
    sign_in(visit, KEY)
    expect(visit.locator("#order")).to_be_visible()
    visit.get_by_text("megapixels each").wait_for()
    visit.context.clear_cookies()
    visit.evaluate(ASK_FOR_JOBS)
    expect(visit.get_by_role("alert")).to_contain_text("no longer signed in")
    expect(visit.locator("#order")).to_be_hidden()


def test_a_page_of_another_site_can_do_nothing_with_the_cookie(
    visit: Page, guarded: Serving
) -> None:
    """Not even with a form, which browsers post anywhere."""
    sign_in(visit, KEY)
    expect(visit.locator("#order")).to_be_visible()
    before = guarded.rows()
    address = f"{guarded.url}/v1/batches"
    form = f'<form method="post" action="{address}"><button>Win</button></form>'
    other = visit.context.new_page()
    other.route(
        "http://evil.example/",
        lambda asked: asked.fulfill(body=form, content_type="text/html"),
    )
    other.goto("http://evil.example/")
    with other.expect_response(address) as waiting:
        other.get_by_role("button", name="Win").click()
    assert waiting.value.status in {401, 403}
    assert guarded.rows() == before
