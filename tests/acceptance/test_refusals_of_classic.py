"""The PixTools face refuses in the words that its clients know."""

from __future__ import annotations

import pytest
from tests.acceptance.refusals import (
    MISSING,
    PHOTO,
    Asked,
    Refusal,
    form,
    get,
    process,
    raw,
    refusals,
)
from tests.acceptance.refusing import LONG, Strict

BAD = 422, "invalid_request"
PARAMS = "/operation_params"

OPERATIONS = {
    "no operations": (form(path="/api/process", x="y"), *BAD, "/operations"),
    "operations that are no JSON": (process("webp"), *BAD, "/operations"),
    "operations that are no list": (process({"webp": 1}), *BAD, "/operations"),
    "no operation": (process([]), *BAD, "/operations"),
    "an unknown operation": (process(["webp", "bmp"]), *BAD, "/operations/1"),
    "an operation that is a number": (process([1]), *BAD, "/operations/0"),
    "the photo's own format": (process(["png", "jpg"]), *BAD, "/operations/1"),
}
OPTIONS = {
    "params that are no JSON": (process(params="{"), *BAD, PARAMS),
    "params that are no object": (process(params=[]), *BAD, PARAMS),
    "options that are no object": (process(params={"webp": 1}), *BAD, f"{PARAMS}/webp"),
    "quality 0": (
        process(params={"webp": {"quality": 0}}),
        *BAD,
        f"{PARAMS}/webp/quality",
    ),
    "quality of words": (
        process(params={"webp": {"quality": "high"}}),
        *BAD,
        f"{PARAMS}/webp/quality",
    ),
    "quality of a png": (
        process(["png"], params={"png": {"quality": 80}}),
        *BAD,
        f"{PARAMS}/png/quality",
    ),
    "a resize that is no object": (
        process(params={"webp": {"resize": 640}}),
        *BAD,
        f"{PARAMS}/webp/resize",
    ),
    "a resize to nothing": (
        process(params={"webp": {"resize": {}}}),
        *BAD,
        f"{PARAMS}/webp/resize",
    ),
    "a width of 0": (
        process(params={"webp": {"resize": {"width": 0}}}),
        *BAD,
        f"{PARAMS}/webp/resize/width",
    ),
    "a height of words": (
        process(params={"webp": {"resize": {"height": "tall"}}}),
        *BAD,
        f"{PARAMS}/webp/resize/height",
    ),
    "a resize of metadata": (
        process(["metadata"], params={"metadata": {"resize": {"width": 9}}}),
        *BAD,
        f"{PARAMS}/metadata/resize",
    ),
}
REQUESTS = {
    "a webhook that is none": (process(webhook_url="hook"), *BAD, "/webhook_url"),
    "an empty key": (
        process(headers={"Idempotency-Key": ""}),
        400,
        "invalid_idempotency_key",
        None,
    ),
    "two files": (
        process(files=(("a.jpg", PHOTO), ("b.jpg", PHOTO))),
        *BAD,
        "/file",
    ),
    "text": (
        process(files=(("a.jpg", b"words " * 30),)),
        415,
        "unsupported_format",
        None,
    ),
    "an empty file": (process(files=(("a.jpg", b""),)), 400, "empty_file", None),
    "too many bytes": (
        process(files=(("a.jpg", LONG),)),
        413,
        "upload_too_large",
        None,
    ),
    "JSON": (
        raw(b"{}", path="/api/process"),
        415,
        "unsupported_media_type",
        None,
    ),
    "an id that is none": (get("/api/jobs/17"), *BAD, "/job_id"),
    "no such job": (get(f"/api/jobs/{MISSING}"), 404, "job_not_found", None),
    "a method that is none": (
        Asked(method="DELETE", path="/api/process"),
        405,
        "method_not_allowed",
        None,
    ),
}


@pytest.mark.parametrize("refusal", refusals(OPERATIONS | OPTIONS | REQUESTS))
def test_it_is_refused_and_leaves_nothing_behind(
    strict: Strict, refusal: Refusal
) -> None:
    strict.check(refusal)


WORDS = {
    "Invalid operations: ": process("webp"),
    "At least one operation is required": process([]),
    "Invalid operation_params JSON: ": process(params="{"),
    "operation_params must be a JSON object": process(params=[]),
    "operation_params['webp'] must be an object": process(params={"webp": 1}),
    "operation_params['png'].quality is only supported for jpg/webp": process(
        ["png"], params={"png": {"quality": 1}}
    ),
    "operation_params['webp'].quality must be an integer": process(
        params={"webp": {"quality": "x"}}
    ),
    "operation_params['webp'].quality must be 1..100": process(
        params={"webp": {"quality": 101}}
    ),
    "operation_params['metadata'].resize is only supported for jpg/png/webp/avif/denoise": process(
        ["metadata"], params={"metadata": {"resize": {"width": 9}}}
    ),
    "operation_params['webp'].resize must be an object": process(
        params={"webp": {"resize": 1}}
    ),
    "operation_params['webp'].resize requires width or height": process(
        params={"webp": {"resize": {}}}
    ),
    "operation_params['webp'].resize.width must be an integer": process(
        params={"webp": {"resize": {"width": []}}}
    ),
    "operation_params['webp'].resize.height must be > 0": process(
        params={"webp": {"resize": {"height": -1}}}
    ),
    "Cannot convert jpg to jpg - source and target formats are the same": process(
        ["jpg"]
    ),
    "webhook_url must be a valid http(s) URL": process(webhook_url="hook"),
}


@pytest.mark.parametrize("words", WORDS)
def test_it_says_so_in_the_seeds_words(strict: Strict, words: str) -> None:
    problem = strict.refused(WORDS[words], *BAD)
    assert problem["detail"].startswith(words)


def test_a_file_too_large_is_told_in_whole_megabytes(strict: Strict) -> None:
    asked = process(files=(("a.jpg", LONG),))
    problem = strict.refused(asked, 413, "upload_too_large")
    assert problem["detail"] == "File exceeds 3MB limit"


def test_a_job_that_is_not_there_is_named(strict: Strict) -> None:
    problem = strict.refused(get(f"/api/jobs/{MISSING}"), 404, "job_not_found")
    assert problem["detail"] == f"Job {MISSING} not found"
