"""Where bytes rest, on this machine or in a bucket, and how long addresses live."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pixtools.domain.errors import ConfigurationInvalid, InvalidRequest
from pixtools.domain.explain import shown
from pixtools.domain.limits import MIB
from pixtools.storage.keys import names

Kind = Literal["s3", "az"]

LONGEST_BACKOFF = timedelta(seconds=2)
"""Between two tries."""

LONGEST_LINK = timedelta(days=7)
"""No store signs for longer."""

# What else is given to obstore as one of these ends in a panic of its own.
_BUCKET: Final = re.compile(r"(?!\.)[A-Za-z0-9._:$-]{1,255}")
"""What some store takes: Azure has $web, Ceph has tenant:bucket."""
_REGION: Final = re.compile(r"[A-Za-z0-9._-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """Storage in a directory.

    `public_base_url` leads every link (`https://images.example.org`, no slash at
    the end); empty makes path-absolute links (`/files/…`), which the API completes
    with the address under which the client reached it.
    """

    directory: Path
    public_base_url: str = ""
    download_expiry: timedelta = timedelta(days=1)
    upload_expiry: timedelta = timedelta(minutes=15)
    max_upload_bytes: int = 30 * MIB

    @property
    def objects(self) -> Path:
        """The tree of objects: a key is a path below it."""
        return self.directory / "objects"

    @property
    def scratch(self) -> Path:
        """Work in progress; on the objects' file system, so that links are free."""
        return self.directory / "scratch"

    @property
    def signing_keys(self) -> Path:
        """The secrets that links are signed with."""
        return self.directory / "signing-keys.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadChecks:
    """What a store enforces of a presigned PUT, beside its length and type.

    `sha256` is the header through which it compares the bytes' SHA-256 with the
    signed one; empty if it compares none. `once` says whether it honours
    `If-None-Match: *`.
    """

    sha256: Literal["x-amz-checksum-sha256", "x-amz-content-sha256", ""]
    once: bool


AWS_CHECKS = UploadChecks(sha256="x-amz-checksum-sha256", once=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsConfig:
    """Storage in a bucket.

    Everything from `region` to `upload_checks` is for S3 and its kin only. `endpoint`
    is where this process reaches the store, empty for AWS; `public_endpoint` is where
    clients reach it, if that is another host. With `public_base_url` (no slash at the
    end) outputs get plain addresses, because the bucket's policy lets everyone read
    them. Without `access_key` the usual chain is asked: environment, web identity,
    container, instance. `upload_checks` are found out by trying, unless given.

    All keys stand below `prefix`, if there is one, and nobody but the bucket sees it:
    where `public_base_url` leads, keys begin.

    A request that has no whole answer after `request_timeout` counts as failed. Failed
    ones are repeated up to `retries` times and not begun again after `retry_timeout`,
    so one call of the port takes at most `patience`, however the store behaves.
    """

    kind: Kind = "s3"
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    endpoint: str = ""
    public_endpoint: str = ""
    public_base_url: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    upload_checks: UploadChecks | None = None
    download_expiry: timedelta = timedelta(days=1)
    upload_expiry: timedelta = timedelta(minutes=15)
    connect_timeout: timedelta = timedelta(seconds=5)
    request_timeout: timedelta = timedelta(seconds=14)
    retry_timeout: timedelta = timedelta(seconds=14)
    retries: int = 4

    @property
    def patience(self) -> timedelta:
        """How long a call that fails in the end may take."""
        return self.retry_timeout + LONGEST_BACKOFF + self.request_timeout

    def __post_init__(self) -> None:
        """Raise ConfigurationInvalid for what could never work."""
        self._refuse_words()
        self._refuse_addresses()
        if not _is_usable(self.prefix):
            raise ConfigurationInvalid(
                "Expected a prefix of visible names separated by single slashes but "
                f"received {shown(self.prefix)}."
            )
        if bool(self.access_key) != bool(self.secret_key):
            raise ConfigurationInvalid(
                "Expected AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY together, or "
                "neither, but received one of them."
            )
        if max(self.download_expiry, self.upload_expiry) > LONGEST_LINK:
            raise ConfigurationInvalid(
                "Expected links that live for at most 7 days: no object store signs "
                "longer ones."
            )

    def _refuse_words(self) -> None:
        for name, word in self._words():
            if not word.isprintable():
                raise ConfigurationInvalid(
                    f"Expected no line break in {name}: look for one at its end."
                )
        if not _BUCKET.fullmatch(self.bucket):
            raise ConfigurationInvalid(
                f"Expected the name of a bucket but received {shown(self.bucket)}."
            )
        if not _REGION.fullmatch(self.region):
            raise ConfigurationInvalid(
                "Expected a region, like us-east-1, for AWS_REGION but received "
                f"{shown(self.region)}."
            )

    def _refuse_addresses(self) -> None:
        for name, url in self._addresses():
            check_address(name, url)

    def _words(self) -> Iterable[tuple[str, str]]:
        """What is sent in headers, under the names that operators know it by."""
        yield "AWS_REGION", self.region
        yield "AWS_ACCESS_KEY_ID", self.access_key
        yield "AWS_SECRET_ACCESS_KEY", self.secret_key
        yield "AWS_SESSION_TOKEN", self.session_token

    def _addresses(self) -> Iterable[tuple[str, str]]:
        yield "AWS_ENDPOINT_URL", self.endpoint
        yield "S3_PUBLIC_ENDPOINT_URL", self.public_endpoint
        yield "S3_PUBLIC_BASE_URL", self.public_base_url


def storage_url(url: str) -> tuple[Kind | Literal["file"], str, str]:
    """Split a STORAGE_URL: its kind, its bucket or directory, and a prefix of keys.

    Raises ConfigurationInvalid.
    """
    scheme, _, rest = url.partition("://")
    place = rest.rstrip("/")
    if scheme == "file" and place.startswith("/"):
        return "file", place, ""
    bucket, _, prefix = place.partition("/")
    if scheme in {"s3", "az"} and bucket and _is_usable(prefix):
        return scheme, bucket, prefix  # type: ignore[return-value]  # one of the two
    if scheme == "gs":
        raise ConfigurationInvalid(
            "STORAGE_URL can't be gs://… yet, because no server is at hand to hold our "
            "adapter to its promises: use a store that speaks S3."
        )
    raise ConfigurationInvalid(
        "Expected s3://bucket, s3://bucket/prefix, az://container or file:///directory "
        f"for STORAGE_URL but received {shown(url)}."
    )


def check_address(name: str, url: str) -> None:
    """Raise ConfigurationInvalid, by its variable, for one that no link can begin with.

    Empty is none at all.
    """
    if url and not _is_address(url):
        received = "one with a password" if "@" in url else shown(url)
        raise ConfigurationInvalid(
            "Expected https://host, with a port and a path at most, for "
            f"{name} but received {received}."
        )


def _is_address(url: str) -> bool:
    """Whether our client can read it, and whatever is put behind it stays a path.

    A password in it would stand in every link.
    """
    try:
        place = urlsplit(url)
        readable = place.port != 0 and bool(place.hostname)
    except ValueError:
        return False
    alone = not any(mark in url for mark in "?#") and "@" not in place.netloc
    visible = url.isascii() and url.isprintable() and " " not in url
    told = url.startswith(("http://", "https://"))
    return readable and alone and visible and told


def _is_usable(prefix: str) -> bool:
    try:
        return not prefix or bool(names(prefix))
    except InvalidRequest:
        return False
