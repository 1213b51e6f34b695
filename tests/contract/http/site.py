"""The app on a house of twins, and a client that holds it to its own description."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.testclient import TestClient

from pixtools.api.app import create_app
from pixtools.api.config import ApiConfig
from pixtools.api.headers import ORDINARY, TOLD
from pixtools.api.ports import Gate, Probe, RateLimiter
from pixtools.queue.bell import HouseBell
from pixtools.testing.house import House, tiny_gif
from pixtools.testing.memory_blobs import MemoryLinks

GIF = tiny_gif()
PIPELINE = [{"id": "small", "action": "resize", "width": 64, "format": "webp"}]
HEADERS = frozenset(name.lower() for name in ORDINARY.union(TOLD))


@dataclass(slots=True, kw_only=True)
class Site:
    """A started service without workers: the test does their work by `work()`."""

    config: ApiConfig = field(default_factory=ApiConfig)
    house: House = field(default_factory=House)
    probes: Mapping[str, Probe] = field(default_factory=lambda: {"database": bool})
    bell: HouseBell = field(default_factory=HouseBell)
    limiter: RateLimiter | None = None
    gate: Gate | None = None
    sign_ins: RateLimiter | None = None
    check_webhook: Callable[[str, float], None] | None = None
    app: FastAPI = field(init=False)
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.house.service = replace(self.house.service, bell=self.bell)
        self.open()

    def open(self) -> None:
        """Build the app anew, after the house's rules have changed."""
        self.app = create_app(
            self.config,
            self.house.service,
            desk=self.bell,
            probes=self.probes,
            limiter=self.limiter,
            gate=self.gate,
            sign_ins=self.sign_ins,
            check_webhook=self.check_webhook,
        )
        self.client = TestClient(
            self.app, raise_server_exceptions=False, follow_redirects=False
        )

    def lean_on(self, **ports: Any) -> None:
        """Let the service stand on other ports from now on."""
        self.house.service = replace(self.house.service, **ports)
        self.open()

    def rule(self, **changed: Any) -> None:
        """Let other rules hold from now on."""
        self.house.rule(**changed)
        self.open()

    def ask(self, method: str, path: str, **kwargs: Any) -> httpx2.Response:
        """Send a request; the answer must be one that the OpenAPI document tells."""
        answer = self.client.request(method, path, **kwargs)
        self.check_documented(method, path, answer)
        return answer

    def check_documented(self, method: str, path: str, answer: httpx2.Response) -> None:
        """Fail for a header, status or media type that clients were not told of."""
        assert set(answer.headers) <= HEADERS, (method, path, answer.headers)
        operation = self._operation(method, path.partition("?")[0])
        if operation is None:
            return
        status = str(answer.status_code)
        told = operation["responses"]
        assert status in told, f"{method} {path} → {status}: {answer.text}"
        kind = answer.headers.get("content-type", "").partition(";")[0]
        kinds = told[status].get("content", {})
        assert not answer.content or kind in kinds, (method, path, status, kind)

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        for template, item in description()["paths"].items():
            pattern = re.sub(r"\{\w+\}", "[^/]+", template)
            if re.fullmatch(pattern, path):
                found: dict[str, Any] | None = item.get(method.lower())
                return found
        return None

    def upload(
        self,
        data: bytes = GIF,
        *,
        filename: str = "cat.gif",
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> httpx2.Response:
        """POST /v1/jobs with a photo; a pipeline unless the fields name a wish."""
        if not {"pipeline", "preset"} & fields.keys():
            fields["pipeline"] = json.dumps(PIPELINE)
        return self.ask(
            "POST",
            "/v1/jobs",
            files={"file": (filename, data)},
            data=fields,
            headers=headers,
        )

    def process(
        self,
        operations: object = ("webp",),
        data: bytes = GIF,
        *,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> httpx2.Response:
        """POST /api/process."""
        return self.ask(
            "POST",
            "/api/process",
            files={"file": ("cat.gif", data)},
            data={"operations": json.dumps(operations), **fields},
            headers=headers,
        )

    def put(self, upload: Mapping[str, Any], data: bytes) -> int:
        """PUT a photo where an announced job says; the store's status."""
        links = self.house.service.links
        assert isinstance(links, MemoryLinks)
        url, headers = upload["presigned_put_url"], upload["headers"]
        return links.request(upload["method"], url, headers, data).status

    def work(self) -> int:
        """Run all stages that are due."""
        return self.house.work()

    def left(self) -> tuple[list[str], list[str]]:
        """All objects and all jobs: what a refused request must not add to."""
        jobs = self.client.get("/v1/jobs?limit=100").json()["data"]
        return self.house.blobs.keys(), [job["job_id"] for job in jobs]


@cache
def description() -> dict[str, Any]:
    """The OpenAPI document: the same for every site, and slow to make."""
    house = House()
    app = create_app(ApiConfig(), house.service, desk=HouseBell(), probes={})
    return app.openapi()


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """The answer's problem, after checking that it is one and is this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"/docs#{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


def pointers(body: dict[str, Any]) -> list[str]:
    """Which fields a problem names."""
    return [wrong["pointer"] for wrong in body["errors"]]
