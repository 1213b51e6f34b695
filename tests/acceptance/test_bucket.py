"""The service with its objects in a bucket, on a real server that checks signatures."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image
from tests.acceptance.bucket import Shop, opened_shop, settings_of
from tests.acceptance.visiting import WEBP, ended, job as seen, made

from pixtools.testing.serving import command, eventually
from pixtools.testing.spaces import Bucket

MIB = 1024 * 1024
PART = 8 * MIB
"""What is longer goes in parts."""


@pytest.fixture(scope="module")
def shop(s3: Bucket) -> Iterator[Shop]:
    """A service that was told of a bucket, and of nothing else."""
    with opened_shop(s3) as shop:
        yield shop


def typed(
    bucket: Bucket, here: Path, *words: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """What a person who types `pixtools …` for this bucket sees."""
    return subprocess.run(
        command(*words),
        cwd=here,
        env=os.environ | settings_of(bucket) | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_files_come_out_of_the_bucket_by_links_to_it(
    shop: Shop, photo_vga: Path
) -> None:
    """Under their names, in any script; no byte rests on this machine."""
    document = made(shop.service, photo_vga, filename="Łódź 写真 ☀.jpg")
    (output,) = document["outputs"]
    assert output["url"].startswith(f"{shop.bucket.endpoint}/{shop.bucket.name}/")
    answer = shop.fetched(output)
    told = unquote(answer.headers["content-disposition"])
    assert told.startswith("attachment;")
    assert "Łódź 写真 ☀-small.webp" in told
    assert answer.headers["content-type"] == "image/webp"
    assert shop.fetched(document["archive"]).headers["content-type"] == (
        "application/zip"
    )
    job_id = document["job_id"]
    assert shop.keys_of(job_id) == [
        f"archives/{job_id}/bundle.zip",
        f"processed/{job_id}/small.webp",
        f"raw/{job_id}/source",
    ]
    assert shop.service.files() == set()


def test_the_page_may_show_what_is_in_the_bucket(shop: Shop) -> None:
    """Browsers load no picture from an origin that the page does not name."""
    policy = shop.service.http.get("/").headers["content-security-policy"]
    (images,) = (part for part in policy.split("; ") if part.startswith("img-src "))
    assert images.split() == [
        "img-src",
        "'self'",
        "blob:",
        "data:",
        shop.bucket.endpoint,
    ]


def test_health_asks_the_bucket(shop: Shop) -> None:
    """In the contract's word."""
    health = shop.service.http.get("/api/health").json()
    assert health["dependencies"]["s3"] == "ok"
    assert "storage" not in health["dependencies"]


def test_long_files_go_in_parts_in_every_direction(
    shop: Shop, photo_12mp: Path
) -> None:
    """A source, an output and an archive, each of more than one part."""
    steps = [{"id": "all", "action": "convert", "format": "png", "effort": 1}]
    first = made(shop.service, photo_12mp, steps)
    picture = shop.fetched(first["outputs"][0]).content
    assert len(picture) > PART
    second = made(shop.service, picture, WEBP, filename="long.png")
    assert second["source"]["bytes"] == len(picture)
    assert second["source"]["sha256"] == hashlib.sha256(picture).hexdigest()
    shop.fetched(second["outputs"][0])
    packed = shop.fetched(first["archive"]).content
    assert len(packed) > PART
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        (name,) = archive.namelist()
        assert archive.read(name) == picture


def test_an_object_of_the_inbox_becomes_a_source(shop: Shop, photo_2mp: Path) -> None:
    """Copied inside the store; what happens to it later does not touch the job."""
    key = "inbox/default/Łódź 写真 (1).jpg"
    data = photo_2mp.read_bytes()
    shop.put(key, data)
    order = {"source_type": "object", "object_key": key, "pipeline": WEBP}
    answer = shop.service.http.post("/v1/jobs", json=order)
    assert answer.status_code == 202, answer.text
    shop.put(key, b"swapped")
    document = ended(shop.service, answer.json()["job_id"])
    assert document["status"] == "succeeded"
    assert document["source"]["filename"] == "Łódź 写真 (1).jpg"
    assert document["source"]["bytes"] == len(data)
    shop.fetched(document["outputs"][0])


def test_an_object_that_is_none_is_refused_and_left_alone(shop: Shop) -> None:
    """Neither a copy of it nor a job stays."""
    shop.put("inbox/default/note.jpg", b"words " * 30)
    before = shop.keys()
    order = {"source_type": "object", "pipeline": WEBP}
    for key, status in (("note.jpg", 415), ("none.jpg", 409), ("../raw/a", 422)):
        told = order | {"object_key": f"inbox/default/{key}"}
        assert shop.service.http.post("/v1/jobs", json=told).status_code == status
    assert shop.keys() == before


def test_a_batch_is_one_archive(shop: Shop, photo_vga: Path) -> None:
    """Read from the bucket and written to it as it goes."""
    files = [("file", (f"{n}.jpg", photo_vga.read_bytes())) for n in range(3)]
    told = {"pipeline": json.dumps(WEBP)}
    answer = shop.service.http.post("/v1/batches", files=files, data=told)
    path = f"/v1/batches/{answer.json()['batch_id']}"

    def archive() -> dict[str, str]:
        found: dict[str, str] = shop.service.http.get(path).json()["archive"]
        return found

    eventually(lambda: archive()["status"] == "succeeded", 60)
    content = shop.web.get(archive()["url"]).content
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        assert len(packed.namelist()) == 3


def test_an_erased_job_leaves_nothing(shop: Shop, photo_vga: Path) -> None:
    """And its links lead nowhere."""
    document = made(shop.service, photo_vga)
    job_id = document["job_id"]
    assert shop.service.http.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert shop.keys_of(job_id) == []
    assert shop.web.get(document["outputs"][0]["url"]).status_code == 404


def test_a_refused_upload_leaves_nothing(shop: Shop, photo_vga: Path) -> None:
    """Whatever is wrong with it."""
    before = shop.keys()
    cut = photo_vga.read_bytes()[:200]
    for data in (b"words " * 30, b"", cut):
        files = {"file": ("photo.jpg", data)}
        told = {"pipeline": json.dumps(WEBP)}
        answer = shop.service.http.post("/v1/jobs", files=files, data=told)
        assert 400 <= answer.status_code < 500
    assert shop.keys() == before


@pytest.fixture(scope="module")
def front(s3: Bucket) -> Iterator[Shop]:
    """Behind another host, below a prefix, its outputs public, its links brief."""
    public = s3.endpoint.replace("127.0.0.1", "localhost")
    told = {
        "S3_BUCKET": "",
        "STORAGE_URL": f"s3://{s3.name}/shop/photos",
        "S3_PUBLIC_ENDPOINT_URL": public,
        "S3_PUBLIC_BASE_URL": f"{public}/{s3.name}/shop/photos",
        "PRESIGNED_URL_EXPIRY_SECONDS": "3",
    }
    with opened_shop(s3, **told) as shop:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": f"arn:aws:s3:::{s3.name}/shop/photos/processed/*",
                }
            ],
        }
        shop.client.put_bucket_policy(Bucket=s3.name, Policy=json.dumps(policy))
        yield shop
        shop.client.delete_bucket_policy(Bucket=s3.name)


def test_public_outputs_have_plain_addresses(front: Shop, photo_vga: Path) -> None:
    """Archives have not: they are signed, for the host that clients see, and expire."""
    document = made(front.service, photo_vga)
    job_id, (output,) = document["job_id"], document["outputs"]
    public = front.bucket.endpoint.replace("127.0.0.1", "localhost")
    base = f"{public}/{front.bucket.name}/shop/photos"
    assert output["url"] == f"{base}/processed/{job_id}/small.webp"
    picture = Image.open(io.BytesIO(front.fetched(output).content))
    assert picture.size == (output["width"], output["height"])
    links: list[str] = []

    def is_opened() -> bool:
        """Of links that live for three seconds a machine that stalls loses some."""
        links.append(seen(front.service, job_id)["archive"]["url"])
        return front.web.get(links[-1]).status_code == 200

    eventually(is_opened, 60)
    archive = links[-1]
    assert archive.startswith(f"{base}/archives/{job_id}/bundle.zip?")
    assert front.web.get(archive.partition("?")[0]).status_code == 403
    eventually(lambda: front.web.get(archive).status_code == 403, 60)
    assert all(key.startswith("shop/photos/") for key in front.keys_of(job_id))


def test_a_bucket_is_set_up_by_migrate(s3: Bucket, tmp_path: Path) -> None:
    """While the service runs; again it finds nothing to do."""
    origin = ("--origin", "https://photos.example.org/upload")
    first = typed(s3, tmp_path, "migrate", "--storage", *origin)
    assert first.returncode == 0, first.stderr
    assert "Lifecycle rules were set." in first.stdout
    assert "CORS rules were set." in first.stdout
    again = typed(s3, tmp_path, "migrate", "--storage", *origin)
    assert again.returncode == 0
    assert again.stdout.count("are in force already.") == 2


def test_a_bucket_that_refuses_us_stops_the_start(s3: Bucket, tmp_path: Path) -> None:
    """With one sentence; never a traceback."""
    secret = {"AWS_SECRET_ACCESS_KEY": "not the secret"}
    done = typed(s3, tmp_path, "serve", "--port", "0", **secret)
    assert done.returncode == 1
    assert "refused access" in done.stderr
    assert "Traceback" not in done.stderr
