"""Fresh spaces on servers that others use, too: a database, a bucket, a virtual host.

Each is there for a block, has a name that nobody else has, and is gone after it with
all that it held. Nothing else on the server is touched.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from redis import Redis

CLAIM = "pixtools-test:database:{}"
CLAIM_SECONDS = 6 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A bucket, and the keys of its owner."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    name: str


def a_name() -> str:
    """A name that each kind of server takes."""
    return f"pixtools-test-{secrets.token_hex(6)}"


@contextmanager
def fresh_database(url: str, options: str = "") -> Iterator[str]:
    """An empty PostgreSQL database beside the one of the URL; its URL.

    `options` are those of CREATE DATABASE.
    """
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.pool import NullPool

    name = a_name()
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)

    def say(statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    say(f'CREATE DATABASE "{name}" {options}')
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        say(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def fresh_redis(url: str) -> Iterator[str]:
    """An empty database of a Redis server, by its number; its URL.

    Only one that holds nothing is taken, so that only our own data is cleared. Who
    took it stands in database 0 for some hours at most.
    """
    from redis import Redis

    with Redis.from_url(_with_path(url, "0")) as register:
        number = _taken(register, url)
        fresh = _with_path(url, str(number))
        try:
            yield fresh
        finally:
            with Redis.from_url(fresh) as client:
                client.flushdb()
            register.delete(CLAIM.format(number))


@contextmanager
def fresh_virtual_host(url: str, managed_by: str) -> Iterator[str]:
    """A virtual host of RabbitMQ for the user of the URL; its URL."""
    import httpx2

    parts = urlsplit(url)
    managed = urlsplit(managed_by)
    who = (unquote(managed.username or ""), unquote(managed.password or ""))
    base = f"{managed.scheme}://{managed.netloc.rpartition('@')[2]}/api"
    name, user = a_name(), quote(unquote(parts.username or ""), safe="")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    with httpx2.Client(auth=who, timeout=30, trust_env=False) as http:
        http.put(f"{base}/vhosts/{name}").raise_for_status()
        try:
            rights = f"{base}/permissions/{name}/{user}"
            http.put(rights, json=everything).raise_for_status()
            yield _with_path(url, name)
        finally:
            http.delete(f"{base}/vhosts/{name}").raise_for_status()


@contextmanager
def fresh_bucket(lines: Mapping[str, str]) -> Iterator[Bucket]:
    """An empty bucket where AWS_ENDPOINT_URL and the keys lead."""
    bucket = Bucket(
        endpoint=lines["AWS_ENDPOINT_URL"],
        region=lines["AWS_REGION"],
        access_key=lines["AWS_ACCESS_KEY_ID"],
        secret_key=lines["AWS_SECRET_ACCESS_KEY"],
        name=a_name(),
    )
    client = s3_client(bucket)
    client.create_bucket(Bucket=bucket.name)
    try:
        yield bucket
    finally:
        _empty(client, bucket.name)
        client.delete_bucket(Bucket=bucket.name)
        client.close()


def s3_client(bucket: Bucket) -> Any:  # noqa: ANN401 - botocore makes its class at run time
    """A client that signs as the owner of the bucket."""
    from botocore.config import Config
    from botocore.session import get_session

    needed = "when_required"  # servers other than AWS refuse the newer checksums
    return get_session().create_client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation=needed,
            response_checksum_validation=needed,
        ),
    )


def _taken(register: Redis, url: str) -> int:
    """The number of an empty database that nobody else takes now."""
    from redis import Redis

    for number in reversed(range(1, _databases(register))):
        with Redis.from_url(_with_path(url, str(number))) as client:
            is_empty = client.dbsize() == 0
        claim = CLAIM.format(number)
        if is_empty and register.set(claim, 1, nx=True, ex=CLAIM_SECONDS):
            return number
    raise LookupError("Expected an empty database of Redis but found none.")


def _databases(register: Redis) -> int:
    from redis import ResponseError

    try:
        return int(register.config_get("databases")["databases"] or 1)
    except ResponseError:
        return 16


def _empty(client: Any, bucket: str) -> None:  # noqa: ANN401 - as above
    """Remove every object and every part of one."""
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=item["Key"])
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for item in page.get("Uploads", ()):
            client.abort_multipart_upload(
                Bucket=bucket, Key=item["Key"], UploadId=item["UploadId"]
            )


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))
