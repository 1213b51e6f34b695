"""Settings name one place for bytes, and only what it takes is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.settings import Settings
from pixtools.wiring.storage import (
    bucket_of,
    make_room,
    object_stores,
    stores_of,
    tree_of,
)

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": SecretStr("secret")}


def settings(**told: Any) -> Settings:
    return Settings(_env_file=None, **told)


def test_nothing_set_is_the_data_directory(tmp_path: Path) -> None:
    """As in the embedded mode."""
    told = settings(pixtools_data_dir=tmp_path)
    assert bucket_of(told) is None
    assert tree_of(told).directory == tmp_path
    with object_stores(told) as stores:
        assert (stores.word, stores.place) == ("storage", str(tmp_path))
        assert len(stores.doors()) == 1
        stores.blobs.writer("raw/a/source").commit()
    assert (tmp_path / "objects/raw/a/source").is_file()


def test_a_file_url_is_another_directory(tmp_path: Path) -> None:
    """Such as one that several machines share."""
    told = settings(
        pixtools_data_dir=tmp_path / "own", storage_url=f"file://{tmp_path}/shared"
    )
    assert bucket_of(told) is None
    assert tree_of(told).directory == tmp_path / "shared"
    with object_stores(told) as stores:
        assert stores.place == f"{tmp_path}/shared"


def test_a_bucket_gets_all_that_is_known_of_it() -> None:
    """Addresses lose the slash at their end, which would double in each link."""
    told = settings(
        s3_bucket="pictures",
        aws_region="eu-north-1",
        aws_endpoint_url="http://10.0.0.7:7480/",
        s3_public_endpoint_url="https://s3.example.org/",
        s3_public_base_url="https://images.example.org/",
        aws_session_token=SecretStr("token"),
        presigned_url_expiry_seconds=3600,
        upload_url_expiry_seconds=60,
        **KEYS,
    )
    bucket = bucket_of(told)
    assert bucket is not None
    assert (bucket.kind, bucket.bucket, bucket.prefix) == ("s3", "pictures", "")
    assert (bucket.region, bucket.endpoint) == ("eu-north-1", "http://10.0.0.7:7480")
    assert bucket.public_endpoint == "https://s3.example.org"
    assert bucket.public_base_url == "https://images.example.org"
    assert (bucket.access_key, bucket.secret_key) == ("key", "secret")
    assert bucket.session_token == "token"
    assert bucket.download_expiry == timedelta(hours=1)
    assert bucket.upload_expiry == timedelta(minutes=1)


@pytest.mark.parametrize(("lease", "call"), [(60, 30), (120, 60), (1, 8)])
def test_no_call_of_a_bucket_outlasts_half_a_lease(lease: float, call: float) -> None:
    """Unless that is too short for a part to get through."""
    bucket = bucket_of(settings(s3_bucket="pictures", lease_seconds=lease, **KEYS))
    assert bucket is not None
    assert bucket.patience == timedelta(seconds=call)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("s3://pictures/shop", ("s3", "pictures", "shop")),
        ("az://pictures", ("az", "pictures", "")),
    ],
)
def test_a_storage_url_names_a_bucket_too(
    url: str, parts: tuple[str, str, str]
) -> None:
    """With a prefix, if it is to be shared."""
    bucket = bucket_of(settings(storage_url=url, **KEYS))
    assert bucket is not None
    assert (bucket.kind, bucket.bucket, bucket.prefix) == parts


def test_two_places_are_one_too_many() -> None:
    """Nobody could tell which one is meant."""
    told = settings(s3_bucket="pictures", storage_url="s3://others")
    with pytest.raises(ConfigurationInvalid, match="S3_BUCKET and STORAGE_URL"):
        bucket_of(told)


def test_a_bucket_that_does_not_answer_does_not_stop_the_start(tmp_path: Path) -> None:
    """It may come back; health tells meanwhile."""
    told = settings(
        s3_bucket="pictures",
        aws_endpoint_url="http://127.0.0.1:9",
        pixtools_data_dir=tmp_path,
        **KEYS,
    )
    with object_stores(told) as stores:
        assert (stores.word, stores.place) == ("s3", "s3://pictures")
        assert list(stores.doors()) == []


def test_a_worker_without_room_to_work_does_not_begin(tmp_path: Path) -> None:
    """It took jobs and put them aside, without a word, for an hour."""
    file = tmp_path / "file"
    file.touch()
    there = "http://127.0.0.1:9"
    told = settings(
        s3_bucket="pictures", aws_endpoint_url=there, pixtools_data_dir=file, **KEYS
    )
    with pytest.raises(ConfigurationInvalid, match="PIXTOOLS_DATA_DIR") as refused:
        make_room(told, stores_of(told))
    assert "The scratch space failed" in refused.value.detail
    assert str(file) in refused.value.detail
    told = settings(storage_url=f"file://{file}", pixtools_data_dir=tmp_path)
    with pytest.raises(ConfigurationInvalid, match="STORAGE_URL"):
        make_room(told, stores_of(told))


def test_room_to_work_is_made_and_cleared(tmp_path: Path) -> None:
    """Nothing stays in it."""
    told = settings(pixtools_data_dir=tmp_path / "fresh")
    make_room(told, stores_of(told))
    assert list((tmp_path / "fresh" / "scratch").iterdir()) == []


def test_who_keeps_files_here_does_not_carry_a_bucket(
    unmeasured: dict[str, str], tmp_path: Path
) -> None:
    """Nor, without an API, what serves files."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from pixtools.settings import Settings\n"
        "from pixtools.wiring.storage import object_stores\n"
        "told = Settings(_env_file=None, pixtools_data_dir=Path(sys.argv[1]))\n"
        "with object_stores(told):\n"
        "    assert not {'obstore', 'botocore', 'fastapi'} & sys.modules.keys()\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=unmeasured, check=True
    )


@pytest.mark.parametrize("folder", ["raw", "processed", "archives"])
def test_a_file_that_came_after_its_job_was_erased_is_found(
    folder: str, tmp_path: Path
) -> None:
    """Whoever made it was killed before it could take it back."""
    stores = stores_of(settings(pixtools_data_dir=tmp_path))
    stores.blobs.writer(f"{folder}/late/file").commit()
    assert list(stores.still()) == []
    long_ago = time.time() - 3600
    os.utime(tmp_path / "objects" / folder / "late", (long_ago, long_ago))
    looked_anew = stores_of(settings(pixtools_data_dir=tmp_path))
    assert list(looked_anew.still()) == ["late"]
