"""Links to Azure, as far as they can be had."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pixtools.jobs.ports.blobs import Links
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_links import open_links
from pixtools.testing.clock import HandClock

KEY = "processed/0198c0de/Łódź 1.webp"


@pytest.fixture
def links(monkeypatch: pytest.MonkeyPatch) -> Links:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "photos")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", b64encode(b"k" * 32).decode())
    config = ObjectsConfig(kind="az", bucket="pictures")
    return open_links(config, HandClock(datetime.now(UTC)))


def test_a_download_leads_to_the_object_until_it_expires(links: Links) -> None:
    """Account, container and key stand in the address, and the end is signed."""
    url, expires_at = links.download(KEY, "holiday.webp", "image/webp")
    parts = urlsplit(url)
    assert parts.hostname == "photos.blob.core.windows.net"
    assert parts.path == "/pictures/processed/0198c0de/%C5%81%C3%B3d%C5%BA%201.webp"
    told = parse_qs(parts.query)
    assert told["sp"] == ["r"]
    signed = datetime.fromisoformat(told["se"][0])
    assert abs(signed - expires_at) < timedelta(seconds=5)


def test_an_upload_says_which_headers_the_store_needs(links: Links) -> None:
    """Azure takes no bytes without the type of its object."""
    upload = links.upload(KEY, content_type="image/webp", bytes=3, sha256=None)
    assert upload.headers == {
        "x-ms-blob-type": "BlockBlob",
        "Content-Type": "image/webp",
    }
    assert parse_qs(urlsplit(upload.url).query)["sp"] == ["w"]
