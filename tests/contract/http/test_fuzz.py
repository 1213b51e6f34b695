"""Whatever a client sends: an answer that was promised, never a 500 or a traceback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache
from typing import Any, cast
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings, strategies as st
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import GIF, PIPELINE, Site, description

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
TAKING = ["/v1/jobs", "/v1/batches", "/api/process"]
FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="operations"\r\n\r\n["webp"]\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="pipeline"\r\n\r\n'
    + json.dumps(PIPELINE).encode()
    + b"\r\n"
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.gif"\r\n'
    b"Content-Type: image/gif\r\n\r\n" + GIF + b"\r\n--edge--\r\n"
)
ORDER = {
    "source_type": "s3_presigned",
    "pipeline": PIPELINE,
    "filename": "a.gif",
    "content_type": "image/gif",
    "bytes": 9,
    "webhook_url": "https://example.com/",
    "metadata": {"a": [1, None]},
}
LATIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=40)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from([[], {}, [[]], "x" * 5000, -1, 2**70, "\x00", "gallery", "url"]),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "Idempotency-Key",
            "X-Request-ID",
            "traceparent",
            "Host",
            "Accept",
            "Content-Length",
            "Content-Encoding",
            "If-None-Match",
            "Last-Event-ID",
            "Authorization",
        ]
    ),
    LATIN,
    max_size=3,
)
KINDS = st.one_of(
    st.sampled_from(
        ["application/json", "multipart/form-data; boundary=edge", "text/plain", ""]
    ),
    LATIN,
)
often = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@cache
def site() -> Site:
    return Site()


def ask(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """What the app answers; raises what the app raises."""

    async def story() -> tuple[int, dict[str, str], bytes]:
        async with Exchange(site().app, method, path, headers, body) as exchange:
            head = await exchange.head()
            kind = head.headers.get("content-type", "")
            text = b"" if "event-stream" in kind else await exchange.body()
            return head.status, dict(head.headers), text

    return asyncio.run(story())


def promised(method: str, template: str, path: str, **kwargs: Any) -> int:
    """Ask, and hold the answer to what is promised of every answer."""
    headers = kwargs.get("headers", {})
    status, told, text = ask(method, path, headers, kwargs.get("body", b""))
    assert status < 500, text
    assert told["x-request-id"]
    assert told["x-content-type-options"] == "nosniff"
    assert str(status) in description()["paths"][template][method.lower()]["responses"]
    if status >= 400:
        assert told["content-type"] == "application/problem+json"
        problem = json.loads(text)
        assert problem["status"] == status
        assert problem["request_id"] == told["x-request-id"]
    return status


@often
@given(st.sampled_from(TAKING), KINDS, HEADERS, st.binary(max_size=400))
def test_any_bytes_under_any_type(
    path: str, kind: str, headers: dict[str, str], body: bytes
) -> None:
    promised("POST", path, path, headers=headers | {"Content-Type": kind}, body=body)


@often
@given(
    st.sampled_from(TAKING),
    st.integers(0, len(FORM)),
    st.integers(0, 60),
    st.binary(max_size=30),
    HEADERS,
)
def test_a_form_with_a_piece_of_it_replaced(
    path: str, at: int, gone: int, put: bytes, headers: dict[str, str]
) -> None:
    headers.pop("Content-Length", None)
    form = FORM[:at] + put + FORM[at + gone :]
    kind = {"Content-Type": "multipart/form-data; boundary=edge"}
    promised("POST", path, path, headers=headers | kind, body=form)


@often
@given(
    st.dictionaries(st.sampled_from([*ORDER, "preset", "url", "object_key"]), VALUES),
    st.booleans(),
)
def test_an_order_with_any_values(changes: dict[str, Any], in_batch: bool) -> None:
    body = json.dumps(ORDER | changes).encode()
    path = "/v1/batches" if in_batch else "/v1/jobs"
    if in_batch:
        body = b'{"jobs":[' + body + b"]}"
    kind = {"Content-Type": "application/json"}
    promised("POST", path, path, headers=kind, body=body)


@often
@given(
    st.recursive(
        VALUES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
        max_leaves=12,
    )
)
def test_a_pipeline_of_any_shape(steps: object) -> None:
    body = json.dumps(ORDER | {"pipeline": steps}).encode()
    kind = {"Content-Type": "application/json"}
    promised("POST", "/v1/jobs", "/v1/jobs", headers=kind, body=body)


@often
@given(
    st.sampled_from(sorted(PIPELINE[0] | {"quality": 1, "watermark": 1, "denoise": 1})),
    VALUES | st.dictionaries(st.sampled_from(["text", "size", "color"]), VALUES),
    st.sampled_from(["convert", "resize", "watermark", "denoise", "metadata"]),
)
def test_a_step_with_any_option(name: str, value: object, action: str) -> None:
    step = PIPELINE[0] | {"action": action} | {name: value}
    body = json.dumps(ORDER | {"pipeline": [step]}).encode()
    kind = {"Content-Type": "application/json"}
    promised("POST", "/v1/jobs", "/v1/jobs", headers=kind, body=body)


@often
@given(
    st.sampled_from(
        [
            (path, method)
            for path, item in description()["paths"].items()
            for method in item
            if "{" in path
        ]
    ),
    st.text(max_size=40) | st.just(UNKNOWN),
    HEADERS,
    LATIN,
)
def test_any_id_and_any_query(
    route: tuple[str, str], name: str, headers: dict[str, str], query: str
) -> None:
    template, method = route
    part = quote(name.replace("/", ""), safe="") or "x"
    path = template.replace("{job_id}", part).replace("{batch_id}", part)
    headers.pop("Content-Length", None)
    if part in {".", ".."}:
        return
    promised(method.upper(), template, f"{path}?{query}", headers=headers)


@often
@given(
    st.dictionaries(
        st.sampled_from(["status", "batch_id", "limit", "cursor", "x"]),
        st.text(max_size=30),
    )
)
def test_any_query_of_the_list(query: dict[str, str]) -> None:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    promised("GET", "/v1/jobs", f"/v1/jobs?{text}")


@often
@given(HEADERS, st.sampled_from(["", "/events", "?wait=0"]))
def test_any_headers_on_a_job_that_is_there(headers: dict[str, str], rest: str) -> None:
    headers.pop("Content-Length", None)
    job_id = ended()
    template = "/v1/jobs/{job_id}" + rest.partition("?")[0]
    assert promised("GET", template, f"/v1/jobs/{job_id}{rest}", headers=headers) in {
        200,
        204,
        304,
    }


@cache
def ended() -> str:
    """A job that has ended."""
    made = cast("Callable[[], Any]", site().upload)()
    site().work()
    job_id: str = made.json()["job_id"]
    return job_id
