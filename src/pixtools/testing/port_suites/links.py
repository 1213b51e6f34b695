"""What signed links promise, whoever serves them: our own API, or an object store.

Subclass, and give four fixtures: `blobs`, `links` over the same store, `perform`,
which sends a request to wherever a link leads, and `let_expire`, which makes every
link made so far lapse.
"""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest

from pixtools.jobs.ports.blobs import Blobs, Links, SignedUpload
from pixtools.testing.http_answer import Perform
from pixtools.testing.port_suites.blobs import KEY, LONG, get, put

PHOTO = b"\xff\xd8\xff\xe0 a photo, or nearly"
REFUSED = range(400, 500)


def announced(links: Links, data: bytes = PHOTO) -> SignedUpload:
    """A link for exactly these bytes, as a JPEG."""
    return links.upload(
        KEY,
        content_type="image/jpeg",
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )


class DownloadSuite:
    """A GET link serves one object, under a name, until it expires."""

    def test_a_link_serves_the_object(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """With the content type and download name of the link."""
        put(blobs, KEY, LONG, "application/octet-stream")
        url, _ = links.download(KEY, "holiday.webp", "image/webp")
        answer = perform("GET", url, {})
        assert (answer.status, answer.body) == (200, LONG)
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["content-length"] == str(len(LONG))
        assert "attachment" in answer.headers["content-disposition"]
        assert "holiday.webp" in answer.headers["content-disposition"]
        assert answer.headers["etag"]

    def test_a_missing_object_is_not_found(
        self, links: Links, perform: Perform
    ) -> None:
        """The link is right; what it leads to is gone."""
        url, _ = links.download(KEY, "gone.webp", "image/webp")
        assert perform("GET", url, {}).status == 404

    def test_a_lapsed_link_opens_nothing(
        self,
        blobs: Blobs,
        links: Links,
        perform: Perform,
        let_expire: Callable[[], None],
    ) -> None:
        """Neither to read nor to write."""
        put(blobs, KEY, b"old")
        url, _ = links.download(KEY, "a.webp", "image/webp")
        upload = announced(links)
        let_expire()
        assert perform("GET", url, {}).status == 403
        assert perform("PUT", upload.url, upload.headers, PHOTO).status == 403
        assert get(blobs, KEY) == b"old"

    def test_a_changed_link_opens_nothing(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """Another object's key under this signature is a forgery."""
        put(blobs, KEY, b"mine")
        put(blobs, "raw/0198c0df/source", b"yours")
        url, _ = links.download(KEY, "a.webp", "image/webp")
        assert perform("GET", url.replace("c0de", "c0df"), {}).status == 403
        assert perform("GET", url[:-1], {}).status == 403

    def test_a_link_to_read_does_not_write(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """And one to write does not read."""
        put(blobs, KEY, b"mine")
        url, _ = links.download(KEY, "a.jpg", "image/jpeg")
        headers = {"Content-Type": "image/jpeg"}
        assert perform("PUT", url, headers, PHOTO).status in {403, 405}
        assert perform("GET", announced(links).url, {}).status == 403
        assert get(blobs, KEY) == b"mine"


class UploadSuite:
    """A PUT link takes exactly what was announced."""

    def test_what_was_announced_is_stored(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """Whole, with its facts, at its key."""
        upload = announced(links)
        answer = perform(upload.method, upload.url, upload.headers, PHOTO)
        assert answer.status == 200
        assert get(blobs, KEY) == PHOTO
        blob = blobs.stat(KEY)
        assert blob is not None
        assert (blob.bytes, blob.content_type) == (len(PHOTO), "image/jpeg")
        assert answer.headers["etag"].strip('"') == blob.etag

    def test_an_upload_may_be_repeated(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """A client that saw no answer sends again."""
        upload = announced(links)
        for _ in range(2):
            answer = perform("PUT", upload.url, upload.headers, PHOTO)
            assert answer.status == 200
        assert get(blobs, KEY) == PHOTO

    @pytest.mark.parametrize(
        "sent",
        [
            pytest.param(PHOTO[:-1], id="shorter"),
            pytest.param(PHOTO + b"!", id="longer"),
            pytest.param(PHOTO[:-1] + b"!", id="other bytes"),
            pytest.param(b"", id="nothing"),
        ],
    )
    def test_other_bytes_are_refused(
        self, blobs: Blobs, links: Links, perform: Perform, sent: bytes
    ) -> None:
        """Size and SHA-256 hold; nothing becomes visible."""
        upload = announced(links)
        assert perform("PUT", upload.url, upload.headers, sent).status in REFUSED
        assert blobs.stat(KEY) is None

    def test_another_content_type_is_refused(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """The header is part of what was signed."""
        upload = announced(links)
        headers = {**upload.headers, "Content-Type": "text/html"}
        assert perform("PUT", upload.url, headers, PHOTO).status in REFUSED
        assert blobs.stat(KEY) is None

    def test_what_was_not_announced_is_free(
        self, blobs: Blobs, links: Links, perform: Perform
    ) -> None:
        """Clients need not know size, hash or type beforehand."""
        upload = links.upload(KEY, content_type=None, bytes=None, sha256=None)
        assert perform("PUT", upload.url, upload.headers, PHOTO).status == 200
        assert get(blobs, KEY) == PHOTO


class LinksSuite(DownloadSuite, UploadSuite):
    """All promises of `jobs.ports.blobs.Links`."""
