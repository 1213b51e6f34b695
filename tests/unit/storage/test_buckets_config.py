"""What could never work is refused when the service starts, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from obstore.store import S3Store

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.config import ObjectsConfig, storage_url
from pixtools.storage.object_store import open_store

CONFIG = ObjectsConfig(bucket="pictures", access_key="key", secret_key="hush-hush")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("s3://pictures", ("s3", "pictures", "")),
        ("s3://pictures/shop/photos/", ("s3", "pictures", "shop/photos")),
        ("az://container", ("az", "container", "")),
        ("file:///srv/pixtools/", ("file", "/srv/pixtools", "")),
    ],
)
def test_a_storage_url_names_kind_and_place(
    url: str, parts: tuple[str, str, str]
) -> None:
    """A slash at the end is forgiven."""
    assert storage_url(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "pictures", "s3://", "s3://a//b", "s3://a/../b", "s3://a/.b", "ftp://a",
        "file://relative", "file:///", "://", "gs://pictures",
    ],
)  # fmt: skip
def test_another_storage_url_is_refused(url: str) -> None:
    """The sentence names the variable."""
    with pytest.raises(ConfigurationInvalid, match="STORAGE_URL"):
        storage_url(url)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"bucket": ""}, id="no bucket"),
        pytest.param({"bucket": "a/b"}, id="a path for a bucket"),
        pytest.param({"prefix": "a//b"}, id="a prefix that no key could have"),
        pytest.param({"secret_key": ""}, id="half a key"),
        pytest.param({"endpoint": "minio:9000"}, id="an endpoint without a scheme"),
        pytest.param({"public_endpoint": "s3.example.org"}, id="likewise, public"),
        pytest.param({"public_base_url": "cdn.example.org"}, id="likewise, plain"),
        pytest.param({"download_expiry": timedelta(days=8)}, id="too long a link"),
        # Each of these ended in a panic of obstore's, or of a link, when it was used.
        pytest.param({"bucket": "my photos"}, id="a space in a bucket"),
        pytest.param({"bucket": ".."}, id="a bucket that is a folder's parent"),
        pytest.param({"bucket": "ann:key@photos"}, id="a bucket with a password"),
        pytest.param({"region": "eu west"}, id="a space in a region"),
        pytest.param({"endpoint": "https://"}, id="an endpoint without a host"),
        pytest.param({"endpoint": "http://minio:https"}, id="a port in letters"),
        pytest.param({"endpoint": "http://minio:90000"}, id="a port too high"),
        pytest.param({"endpoint": "http://mi nio"}, id="a space in an endpoint"),
        pytest.param({"endpoint": "http://[::1"}, id="half an IPv6 address"),
        pytest.param({"public_endpoint": "https://s3:https"}, id="likewise, public"),
        pytest.param({"public_base_url": "https://[::1"}, id="likewise, plain"),
    ],
)
def test_settings_that_can_never_work_are_refused(changes: dict[str, object]) -> None:
    """Before anything is asked of the store."""
    with pytest.raises(ConfigurationInvalid, match="Expected"):
        replace(CONFIG, **changes)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:abc", "http://127.0.0.1:99999", "http://127.0.0.1:0",
        "http://[::1", "http://bad host", "http://host\r", "http://\u00fcber.example",
        "https://user:hush@store.example", "https://store.example?a=b",
        "https://store.example#a", "https://", "minio:9000",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("endpoint", "AWS_ENDPOINT_URL"),
        ("public_endpoint", "S3_PUBLIC_ENDPOINT_URL"),
        ("public_base_url", "S3_PUBLIC_BASE_URL"),
    ],
)
def test_an_address_that_can_not_be_read_is_refused_by_its_name(
    url: str, word: str, name: str
) -> None:
    """The client panics over it, which nothing catches; links would show passwords."""
    with pytest.raises(ConfigurationInvalid, match=name) as told:
        replace(CONFIG, **{word: url})  # type: ignore[arg-type]  # texts
    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["http://[::1]:9000", "https://store.example/s3", "http://a_b.internal:1"]
)
def test_an_address_may_have_a_port_and_a_path(url: str) -> None:
    replaced = replace(CONFIG, endpoint=url, public_endpoint=url, public_base_url=url)
    assert isinstance(open_store(replaced), S3Store)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("region", "AWS_REGION"),
        ("access_key", "AWS_ACCESS_KEY_ID"),
        ("secret_key", "AWS_SECRET_ACCESS_KEY"),
        ("session_token", "AWS_SESSION_TOKEN"),
    ],
)
def test_a_line_break_of_another_system_is_found(word: str, name: str) -> None:
    """An environment file that was written on Windows leaves one behind each word."""
    with pytest.raises(ConfigurationInvalid, match=name) as told:
        replace(CONFIG, **{word: "hush-hush\r"})  # type: ignore[arg-type]  # texts
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("bucket", ["pix tools", "..", "b?x", "b#x", "b%2f", "b\r"])
def test_a_bucket_has_a_name_that_fits_into_an_address(bucket: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="name of a bucket"):
        replace(CONFIG, bucket=bucket)


def test_secrets_are_not_shown() -> None:
    """A configuration ends up in logs sooner or later."""
    assert "hush" not in repr(replace(CONFIG, session_token="hush-token"))
    assert "hush" not in repr(open_store(CONFIG))


def test_a_store_that_lacks_its_settings_is_refused() -> None:
    """With the store's own reason."""
    with pytest.raises(ConfigurationInvalid, match="az://pictures can't be opened"):
        open_store(replace(CONFIG, kind="az"))


@pytest.mark.parametrize(
    ("endpoint", "whole"),
    [
        ("", True),
        ("https://store.example", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000", True),
        ("http://[::1]:9000", True),
        ("http://store.internal:9000", False),
        ("http://10.0.0.7", False),
    ],
)
def test_bodies_are_signed_where_somebody_could_change_them(
    endpoint: str, whole: bool
) -> None:
    """TLS keeps them whole by itself, and what stays on this machine passes nobody."""
    opened = open_store(replace(CONFIG, endpoint=endpoint, region="eu-west-1"))
    assert isinstance(opened, S3Store)
    assert bool(opened.config.get("unsigned_payload")) is whole
