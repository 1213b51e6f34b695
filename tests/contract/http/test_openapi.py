"""The OpenAPI document is frozen, complete and can be read as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.contract.http.site import Site
from tests.contract.http.snapshot import FROZEN, described

from pixtools.api import problems
from pixtools.domain.operations.actions import ACTIONS

DOCUMENT: dict[str, Any] = json.loads(FROZEN.read_text())


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_document_changes_only_on_purpose() -> None:
    assert described() == FROZEN.read_text(), (
        "If the change is meant: python -m tests.contract.http.snapshot"
    )


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/process"),
        ("get", "/api/jobs/{job_id}"),
        ("get", "/api/health"),
        ("get", "/api/livez"),
        ("get", "/api/readyz"),
        ("post", "/v1/jobs"),
        ("get", "/v1/jobs"),
        ("get", "/v1/jobs/{job_id}"),
        ("delete", "/v1/jobs/{job_id}"),
        ("post", "/v1/jobs/{job_id}/start"),
        ("post", "/v1/jobs/{job_id}/cancel"),
        ("post", "/v1/jobs/{job_id}/retry"),
        ("get", "/v1/jobs/{job_id}/events"),
        ("post", "/v1/batches"),
        ("get", "/v1/batches/{batch_id}"),
        ("get", "/v1/batches/{batch_id}/events"),
        ("get", "/v1/jobs/{job_id}/deliveries"),
        ("post", "/v1/deliveries/{delivery_id}/replay"),
        ("post", "/v1/webhook-sandbox"),
        ("get", "/v1/operations"),
        ("get", "/v1/presets"),
        ("get", "/v1/limits"),
        ("get", "/metrics"),
        ("get", "/healthz"),
    ],
)
def test_every_route_of_the_contract_is_there(method: str, path: str) -> None:
    assert method in DOCUMENT["paths"][path]


def test_every_event_that_a_receiver_may_hear_is_there() -> None:
    assert DOCUMENT["webhooks"].keys() == {
        "job.succeeded",
        "job.partial",
        "job.failed",
        "job.canceled",
    }
    assert "WebhookEvent" in DOCUMENT["components"]["schemas"]


def test_every_operation_has_an_id_of_its_own() -> None:
    ids = [operation["operationId"] for _, _, operation in operations()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", each) for each in ids)


def test_every_refusal_is_a_problem() -> None:
    for path, method, operation in operations():
        for status, answer in operation["responses"].items():
            is_health = path in {"/api/health", "/api/readyz"}
            if int(status) >= 400 and not is_health:
                content = answer["content"]
                assert list(content) == [problems.MEDIA_TYPE], (path, method, status)


def test_every_reference_leads_somewhere() -> None:
    for ref in re.findall(r'"\$ref": "([^"]+)"', json.dumps(DOCUMENT)):
        name = ref.removeprefix("#/components/schemas/")
        assert name in DOCUMENT["components"]["schemas"], ref


def test_steps_are_told_apart_by_their_action() -> None:
    pipeline = DOCUMENT["components"]["schemas"]["NewJob"]["properties"]["pipeline"]
    (items,) = [each["items"] for each in pipeline["anyOf"] if "items" in each]
    assert items["discriminator"]["propertyName"] == "action"
    assert set(items["discriminator"]["mapping"]) == set(ACTIONS)


class Page(HTMLParser):
    """What a browser would find: ids, links, and things that load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [given["href"] or ""] if tag == "a" else []
        loads = given.get("src") or (given.get("href") if tag == "link" else None)
        self.loads += [loads] if loads else []
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> Page:
    answer = Site().client.get("/docs")
    assert answer.headers["content-type"].startswith("text/html")
    return Page(answer.text)


def test_the_reference_needs_neither_script_nor_another_host(page: Page) -> None:
    assert "script" not in page.tags
    assert page.loads == ["docs/style.css"]
    style = Site().client.get("/docs/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


def test_the_reference_describes_every_operation_and_schema(page: Page) -> None:
    # The files behind links belong to another door, which this site does not have.
    ids = {each["operationId"] for path, _, each in operations() if "files" not in path}
    assert ids <= set(page.ids)
    own = Site().app.openapi()["components"]["schemas"]
    assert {f"schema-{name}" for name in own} <= set(page.ids)


def test_every_problem_leads_to_its_own_words(page: Page) -> None:
    codes = set(problems.STATUS) | {code for code, _ in problems.HTTP_CODES.values()}
    assert codes <= set(page.ids)


def test_the_reference_has_no_dead_links_and_is_well_formed(page: Page) -> None:
    inside = {link[1:] for link in page.links if link.startswith("#")}
    assert inside <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.open == []
