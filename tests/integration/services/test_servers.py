"""The servers that tests get: real ones, each with a fresh space for each module."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
from botocore.exceptions import ClientError
from redis import Redis
from sqlalchemy import create_engine, inspect, text

from pixtools.testing.services import Services
from pixtools.testing.spaces import (
    Bucket,
    fresh_bucket,
    fresh_database,
    fresh_redis,
    fresh_virtual_host,
    s3_client,
)


def test_a_database_is_empty_and_gone_afterwards(services: Services) -> None:
    """Beside others on the same server, whatever was left in it."""
    url = services.line("DATABASE_URL")
    with fresh_database(url) as first, fresh_database(url) as second:
        assert len({url, first, second}) == 3
        engine = create_engine(first)
        assert inspect(engine).get_table_names() == []
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE left_over (id integer)"))
        left_open = engine.connect()
    with pytest.raises(Exception, match="does not exist"):
        create_engine(first).connect()
    left_open.close()
    engine.dispose()


def test_redis_is_empty_and_emptied(services: Services) -> None:
    """Two sessions at once get different databases, and touch no other."""
    url = services.line("REDIS_URL")
    with fresh_redis(url) as first, fresh_redis(url) as second:
        assert urlsplit(first).path != urlsplit(second).path
        with Redis.from_url(first) as one, Redis.from_url(second) as two:
            one.set("who", "one")
            two.set("who", "two")
            assert (one.get("who"), one.dbsize()) == (b"one", 1)
    with Redis.from_url(first) as again:
        assert again.dbsize() == 0


def test_a_virtual_host_takes_quorum_queues_and_is_gone_afterwards(
    services: Services,
) -> None:
    lines = services.lines("RABBITMQ_URL")
    managed = urlsplit(lines["RABBITMQ_MANAGEMENT_URL"])
    base = f"http://{managed.hostname}:{managed.port}/api"
    who = (managed.username or "", managed.password or "")
    quorum = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
    with httpx2.Client(auth=who, trust_env=False, timeout=30) as http:
        with fresh_virtual_host(
            lines["RABBITMQ_URL"], lines["RABBITMQ_MANAGEMENT_URL"]
        ) as url:
            name = urlsplit(url).path.removeprefix("/")
            queue = f"{base}/queues/{name}/work"
            assert http.put(queue, json=quorum).status_code == 201
            assert http.get(queue).json()["type"] == "quorum"
        assert http.get(f"{base}/vhosts/{name}").status_code == 404


def test_a_bucket_is_gone_afterwards(services: Services) -> None:
    """With its objects and with uploads that nobody ended."""
    with fresh_bucket(services.lines("AWS_ENDPOINT_URL")) as bucket:
        client = s3_client(bucket)
        client.put_object(Bucket=bucket.name, Key="a/ø", Body=b"x")
        client.create_multipart_upload(Bucket=bucket.name, Key="b")
    with pytest.raises(ClientError, match="404"):
        client.head_bucket(Bucket=bucket.name)
    client.close()


def test_strangers_are_shown_the_door(s3: Bucket) -> None:
    """No signature, a wrong one, an unknown key: none of them reads or writes."""
    client = s3_client(s3)
    client.put_object(Bucket=s3.name, Key="photo", Body=b"private")
    address = f"{s3.endpoint}/{s3.name}/photo"
    with httpx2.Client(trust_env=False, timeout=30) as http:
        assert http.get(address).status_code == 403
        signed = client.generate_presigned_url(
            "get_object", Params={"Bucket": s3.name, "Key": "photo"}
        )
        assert http.get(signed).content == b"private"
        assert http.get(signed[:-1] + ("0" if signed[-1] != "0" else "1")).is_error
    client.close()


def test_an_upload_is_what_was_signed(s3: Bucket) -> None:
    """Another length or type than the signed one is refused."""
    client = s3_client(s3)
    wanted = {"ContentLength": 5, "ContentType": "image/png"}
    signed = client.generate_presigned_url(
        "put_object", Params={"Bucket": s3.name, "Key": "upload", **wanted}
    )
    client.close()
    png, jpg = {"content-type": "image/png"}, {"content-type": "image/jpeg"}
    with httpx2.Client(trust_env=False, timeout=30) as http:
        assert http.put(signed, content=b"123456", headers=png).status_code == 403
        assert http.put(signed, content=b"12345", headers=jpg).status_code == 403
        assert http.put(signed, content=b"12345", headers=png).status_code == 200


def test_every_process_is_private(services: Services, s3: Bucket) -> None:
    """None of ours runs as root, and none hears anybody but this machine."""
    for record in (services.door / "processes").iterdir():
        if record.suffix:
            continue  # a container: its engine's affair
        process = psutil.Process(json.loads(record.read_text())["pid"])
        assert process.uids().real != 0, record.name
        heard = [x for x in process.net_connections() if x.status == psutil.CONN_LISTEN]
        assert heard
        assert {x.laddr.ip for x in heard} <= {"127.0.0.1", "::1"}, record.name


def test_fixtures_lead_to_the_fresh_spaces(
    postgres_url: str, redis_url: str, rabbitmq_url: str, services: Services
) -> None:
    """A test that asks for a URL gets no one else's data."""
    assert "/pixtools-test-" in postgres_url
    assert "/pixtools-test-" in rabbitmq_url
    assert urlsplit(redis_url).path not in {"", "/", "/0"}
    assert redis_url != services.line("REDIS_URL")
