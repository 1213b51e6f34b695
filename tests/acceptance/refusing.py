"""A service that is asked for what it must refuse, and is watched while it does."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from tests.acceptance.refusals import PHOTO, Asked, Refusal

from pixtools.testing.png_structure import SIGNATURE, header_chunk
from pixtools.testing.serving import Serving, eventually

UPLOAD_LIMIT = 3 * 1024 * 1024
SECONDS = 30.0
Left = tuple[dict[str, int], set[str]]
LONG = SIGNATURE + header_chunk(16, 16) + bytes(UPLOAD_LIMIT)
"""Begins as a PNG does, and is longer than the strict service takes."""


@dataclass(frozen=True, slots=True)
class Strict:
    """A service with small limits, some ids, and what its description promises."""

    service: Serving
    photo: bytes
    ids: Mapping[str, str]
    paths: Mapping[str, Any]

    def check(self, refusal: Refusal) -> None:
        """The request is refused as the table says; neither row nor file is left."""
        before = self.found()
        problem = self.refused(refusal.asked, refusal.status, refusal.code)
        named = tuple(each["pointer"] for each in problem.get("errors") or ())
        assert named[: len(refusal.pointers)] == refusal.pointers, problem
        assert self.left() == before

    def refused(self, asked: Asked, status: int, code: str) -> dict[str, Any]:
        """The problem that a request is answered with, after it was checked."""
        answer = self.ask(asked)
        problem = checked(answer, status, code)
        self._documented(asked, answer)
        return problem

    def ask(self, asked: Asked) -> httpx2.Response:
        """Send a request of a table."""
        body: dict[str, Any] = {}
        if asked.files:
            body["files"] = [
                ("file", (name, self.photo if data is PHOTO else data))
                for name, data in asked.files
            ]
        if asked.fields:
            body["data"] = {n: self._named(v) for n, v in asked.fields.items()}
        if asked.json is not None:
            body["content"] = self._named(json.dumps(asked.json)).encode()
        if asked.content is not None:
            body["content"] = asked.content
        headers = dict(asked.headers)
        if asked.json is not None:
            headers.setdefault("Content-Type", "application/json")
        return self.service.http.request(
            asked.method, self._named(asked.path), headers=headers, **body
        )

    def found(self) -> Left:
        """What is there before a request: nothing of an earlier one is on its way."""
        eventually(lambda: not self._moving(), SECONDS, lambda: str(self._moving()))
        return self.left()

    def left(self) -> Left:
        """All rows, counted, and all files."""
        return self.service.rows(), self.service.files()

    def _moving(self) -> list[str]:
        """Files that go: a worker tidies up only after its job has ended."""
        files = self.service.files()
        return [f for f in files if f.startswith("scratch/") or ".incoming/" in f]

    def _named(self, text: str) -> str:
        for name, job_id in self.ids.items():
            text = text.replace(f"{{{name}}}", job_id)
        return text

    def _documented(self, asked: Asked, answer: httpx2.Response) -> None:
        """Whoever reads the OpenAPI document was told of this status."""
        path = self._named(asked.path).partition("?")[0]
        for template, item in self.paths.items():
            operation = item.get(asked.method.lower())
            if operation and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                assert str(answer.status_code) in operation["responses"], answer.text


def checked(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    """An answer as the problem that it has to be."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["type"] == f"/docs#{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return problem
