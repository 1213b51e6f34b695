"""Every route of /v1 refuses what it can't use, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.refusals import (
    MISSING,
    PHOTO,
    WIDTH,
    Asked,
    Refusal,
    form,
    get,
    order,
    post,
    raw,
    refusals,
    step,
)
from tests.acceptance.refusing import LONG, UPLOAD_LIMIT, Strict

BAD = 422, "invalid_request"
UNREADABLE = 400, "malformed_request", None
NO_JOB = 404, "job_not_found", None
NO_BATCH = 404, "batch_not_found", None
TWO = (("a.jpg", PHOTO), ("b.jpg", PHOTO))
RIGHT = [WIDTH]
BOUNDARY = "multipart/form-data; boundary=cut"
PART = b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'


def keyed(key: str) -> Asked:
    return form(pipeline=RIGHT, headers={"Idempotency-Key": key})


def bytes_of(name: str, data: bytes) -> Asked:
    return form(files=((name, data),), pipeline=RIGHT)


FORMS = {
    "no file": (form(files=(), path="/v1/jobs", pipeline=RIGHT), 415, "unsupported_media_type", None),
    "a form without a file": (raw(PART % (b"preset", b"gallery") + b"--cut--\r\n", BOUNDARY), *BAD, "/file"),
    "two files": (form(files=TWO, pipeline=RIGHT), *BAD, "/file"),
    "neither pipeline nor preset": (form(), *BAD, "/pipeline"),
    "pipeline and preset": (form(pipeline=RIGHT, preset="gallery"), *BAD, "/pipeline"),
    "a pipeline that is no JSON": (form(pipeline="[{]"), *BAD, "/pipeline"),
    "a pipeline with NaN": (form(pipeline='[{"id":"a","width":NaN}]'), *BAD, "/pipeline"),
    "a pipeline with a name twice": (form(pipeline='[{"id":"a","id":"b"}]'), *BAD, "/pipeline"),
    "an unknown preset": (form(preset="poster"), 422, "invalid_pipeline", "/preset"),
    "an archive of perhaps": (form(pipeline=RIGHT, archive="maybe"), *BAD, "/archive"),
    "an unknown field": (form(pipeline=RIGHT, colour="red"), *BAD, "/colour"),
    "a webhook by ftp": (form(pipeline=RIGHT, webhook_url="ftp://a.example/"), *BAD, "/webhook_url"),
    "a webhook that is a path": (form(pipeline=RIGHT, webhook_url="/hook"), *BAD, "/webhook_url"),
    "a webhook with a password": (form(pipeline=RIGHT, webhook_url="https://a:b@c.example/"), *BAD, "/webhook_url"),
    "a webhook of two lines": (form(pipeline=RIGHT, webhook_url="https://a.example/\r\nx"), *BAD, "/webhook_url"),
    "a webhook to the inside": (form(pipeline=RIGHT, webhook_url="http://[::ffff:10.0.0.1]/"), 422, "unsafe_destination", "/webhook_url"),
    "a webhook too long": (form(pipeline=RIGHT, webhook_url="https://a.example/" + "x" * 2048), *BAD, "/webhook_url"),
    "metadata that is no object": (form(pipeline=RIGHT, metadata=[1]), *BAD, "/metadata"),
    "metadata too long": (form(pipeline=RIGHT, metadata={"a": "x" * 17_000}), *BAD, "/metadata"),
    "metadata with NUL": (form(pipeline=RIGHT, metadata='{"a": "\\u0000"}'), *BAD, "/metadata"),
    "a batch that is not there": (form(pipeline=RIGHT, batch_id=MISSING), *NO_BATCH),
    "a batch that is no id": (form(pipeline=RIGHT, batch_id="mine"), *NO_BATCH),
    "a batch that is closed": (form(pipeline=RIGHT, batch_id="{closed}"), 409, "job_conflict", None),
    "an empty key": (keyed(""), 400, "invalid_idempotency_key", None),
    "a key of two words": (keyed("a b"), 400, "invalid_idempotency_key", None),
    "a key of 256 letters": (keyed("x" * 256), 400, "invalid_idempotency_key", None),
    "a form without a boundary": (raw(b"--", "multipart/form-data"), *UNREADABLE),
    "a form that breaks off": (raw(PART % (b"preset", b"gallery"), BOUNDARY), *UNREADABLE),
    "a form that is none": (raw(b"no form at all", BOUNDARY), *UNREADABLE),
    "a field that is no UTF-8": (raw(PART % (b"preset", b"\xff\xfe") + b"--cut--\r\n", BOUNDARY), *BAD, "/preset"),
    "a field that stands twice": (raw(PART % (b"preset", b"gallery") * 2 + b"--cut--\r\n", BOUNDARY), *BAD, "/preset"),
}  # fmt: skip
FILES = {
    "an empty file": (bytes_of("a.jpg", b""), 400, "empty_file", None),
    "text": (bytes_of("a.jpg", b"This is no image. " * 9), 415, "unsupported_format", None),
    "an SVG": (bytes_of("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>' + b" " * 64), 415, "unsupported_format", None),
    "too many bytes": (bytes_of("a.jpg", LONG), 413, "upload_too_large", None),
    "far too many bytes": (bytes_of("a.jpg", LONG * 2), 413, "upload_too_large", None),
}  # fmt: skip
ORDERS = {
    "no content type": (raw(b"{}", ""), 415, "unsupported_media_type", None),
    "another content type": (raw(b"<job/>", "text/xml"), 415, "unsupported_media_type", None),
    "no JSON": (raw(b"{"), *UNREADABLE),
    "JSON that is no UTF-8": (raw(b'{"preset": "\xff"}'), *UNREADABLE),
    "JSON too deep": (raw(b"[" * 50_000), *UNREADABLE),
    "a name twice": (raw(b'{"preset": "a", "preset": "b"}'), *UNREADABLE),
    "two million bytes of JSON": (raw(b'"' + b"x" * 2_000_000 + b'"'), 413, "body_too_large", None),
    "a list": (raw(b"[]"), *BAD, None),
    "no source type": (raw(b'{"preset": "gallery"}'), *BAD, "/source_type"),
    "an unknown source type": (order(source_type="ftp"), *BAD, "/source_type"),
    "a photo from nowhere": (order(source_type="url"), *BAD, "/url"),
    "a photo by ftp": (order(source_type="url", url="ftp://a.example/a.jpg"), *BAD, "/url"),
    "a photo from inside": (order(source_type="url", url="http://169.254.169.254/a.jpg"), 422, "unsafe_destination", "/url"),
    "an upload with a URL": (order(url="https://a.example/a.jpg"), *BAD, "/url"),
    "an unknown name": (order(colour="red"), *BAD, "/colour"),
    "an upload with a key": (order(object_key="inbox/default/a"), *BAD, "/object_key"),
    "an upload of nothing": (order(bytes=0), *BAD, "/bytes"),
    "an upload of words": (order(bytes="12"), *BAD, "/bytes"),
    "an upload too large": (order(bytes=UPLOAD_LIMIT + 1), 413, "upload_too_large", None),
    "a hash that is none": (order(sha256="abc"), *BAD, "/sha256"),
    "an object without a key": (order(source_type="object"), *BAD, "/object_key"),
    "an object of another tenant": (order(source_type="object", object_key="inbox/other/a.jpg"), *BAD, "/object_key"),
    "an object out of a job": (order(source_type="object", object_key="raw/{done}/source"), *BAD, "/object_key"),
    "an object that climbs": (order(source_type="object", object_key="inbox/default/../../raw/a"), *BAD, "/object_key"),
    "an object that is not there": (order(source_type="object", object_key="inbox/default/a.jpg"), 409, "source_missing", None),
    "a file outside of the root": (order(source_type="local_file", object_key="../secret.jpg"), *BAD, "/object_key"),
    "a file from the top": (order(source_type="local_file", object_key="/etc/hostname"), *BAD, "/object_key"),
    "a file that is not there": (order(source_type="local_file", object_key="nowhere.jpg"), 409, "source_missing", None),
    "a file with NUL": (raw(b'{"source_type": "local_file", "object_key": "a\\u0000", "preset": "gallery"}'), *UNREADABLE),
    "a batch without a name": (order(batch_id=""), *NO_BATCH),
    "a wrong step": (order(pipeline=[{**WIDTH, "width": 0}]), 422, "invalid_pipeline", "/pipeline/0/width"),
}  # fmt: skip
JOBS = {
    "no such job": (get(f"/v1/jobs/{MISSING}"), *NO_JOB),
    "an id that is none": (get("/v1/jobs/1%27%20OR%201=1"), *NO_JOB),
    "waiting too long": (get("/v1/jobs/{done}?wait=31"), *BAD, "/wait"),
    "waiting backwards": (get("/v1/jobs/{done}?wait=-1"), *BAD, "/wait"),
    "waiting for no number": (get("/v1/jobs/{done}?wait=nan"), *BAD, "/wait"),
    "events of no job": (get(f"/v1/jobs/{MISSING}/events"), *NO_JOB),
    "start of no job": (post(f"/v1/jobs/{MISSING}/start"), *NO_JOB),
    "start without an upload": (post("/v1/jobs/{created}/start"), 409, "upload_missing", None),
    "cancel of no job": (post(f"/v1/jobs/{MISSING}/cancel"), *NO_JOB),
    "delete of no job": (Asked(method="DELETE", path=f"/v1/jobs/{MISSING}"), *NO_JOB),
    "retry of no job": (post(f"/v1/jobs/{MISSING}/retry"), *NO_JOB),
    "retry of a good job": (post("/v1/jobs/{done}/retry"), 409, "job_conflict", None),
    "a list of none": (get("/v1/jobs?limit=0"), *BAD, "/limit"),
    "a list of too many": (get("/v1/jobs?limit=101"), *BAD, "/limit"),
    "a list by an unknown status": (get("/v1/jobs?status=done"), *BAD, "/status"),
    "a list from no cursor of ours": (get("/v1/jobs?cursor=abc"), *BAD, "/cursor"),
}  # fmt: skip
BATCHES = {
    "no such batch": (get(f"/v1/batches/{MISSING}"), *NO_BATCH),
    "events of no batch": (get(f"/v1/batches/{MISSING}/events"), *NO_BATCH),
    "close of no batch": (post(f"/v1/batches/{MISSING}/close"), *NO_BATCH),
    "a batch as text": (raw(b"{}", "text/plain", "/v1/batches"), 415, "unsupported_media_type", None),
    "jobs that are no list": (raw(b'{"jobs": {}}', path="/v1/batches"), *BAD, "/jobs"),
    "a job without a source": (raw(b'{"jobs": [{"preset": "gallery"}]}', path="/v1/batches"), *BAD, "/jobs/0/source_type"),
    "a job with a wrong step": (raw(b'{"jobs": [{"source_type": "s3_presigned", "pipeline": [{}]}]}', path="/v1/batches"), 422, "invalid_pipeline", "/jobs/0/pipeline/0/action"),
    "a job of another batch": (raw(b'{"jobs": [{"source_type": "s3_presigned", "preset": "gallery", "batch_id": "x"}]}', path="/v1/batches"), *BAD, "/jobs/0/batch_id"),
    "the last of two is missing": (raw(b'{"jobs": [{"source_type": "s3_presigned", "preset": "gallery"}, {"source_type": "local_file", "object_key": "nowhere.jpg", "preset": "gallery"}]}', path="/v1/batches"), 409, "source_missing", None),
    "photos without a wish": (form(path="/v1/batches"), *BAD, "/pipeline"),
    "a photo that is none": (form(files=(("a.jpg", PHOTO), ("b.jpg", b"words " * 30)), path="/v1/batches", pipeline=RIGHT), 415, "unsupported_format", None),
}  # fmt: skip
ADDRESSES = {
    "an address that is none": (get("/v1/pictures"), 404, "not_found", None),
    "a method that is none": (Asked(method="PATCH", path="/v1/jobs"), 405, "method_not_allowed", None),
    "a file without a link": (get("/files/raw/{done}/source"), 403, "link_invalid", None),
    "a file that climbs": (get("/files/..%2f..%2fpixtools.sqlite3?token=x"), 403, "link_invalid", None),
    "a link made up": (get("/files/raw/{done}/source?token=eyJrIjoiMSJ9.AAAA"), 403, "link_invalid", None),
    "an upload without a link": (Asked(method="PUT", path="/files/raw/{created}/source", content=b"x"), 403, "link_invalid", None),
}  # fmt: skip


@pytest.mark.parametrize(
    "refusal", refusals(FORMS | FILES | ORDERS | JOBS | BATCHES | ADDRESSES)
)
def test_it_is_refused_and_leaves_nothing_behind(
    strict: Strict, refusal: Refusal
) -> None:
    strict.check(refusal)


def test_a_link_that_leads_out_of_the_root_is_not_followed(
    strict: Strict, shelf: Path, tmp_path: Path, photo_vga: Path
) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(photo_vga.read_bytes())
    (shelf / "innocent.jpg").unlink(missing_ok=True)
    (shelf / "innocent.jpg").symlink_to(secret)
    asked = order(source_type="local_file", object_key="innocent.jpg")
    strict.check(Refusal(asked, *BAD, ("/object_key",)))


def test_a_request_keeps_its_id_through_a_refusal(strict: Strict) -> None:
    asked = Asked(
        method="GET", path=f"/v1/jobs/{MISSING}", headers={"X-Request-ID": "order-17"}
    )
    assert strict.refused(asked, 404, "job_not_found")["request_id"] == "order-17"


def test_a_format_that_does_not_go_with_the_photo_is_refused_at_once(
    strict: Strict, sources: dict[str, Path]
) -> None:
    """Without a format it is the photo's own, and that decides what it may be asked."""
    png = sources["png-rgb"].read_bytes()
    asked = step(format=None, quality=80)
    asked = Asked(
        method="POST",
        path="/v1/jobs",
        files=(("a.png", png),),
        fields=asked.fields,
    )
    strict.check(Refusal(asked, 422, "invalid_pipeline", ("/pipeline/0/quality",)))
