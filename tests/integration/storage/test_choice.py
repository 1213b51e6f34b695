"""What settings say of a bucket is tried before anything is served from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.settings import Settings
from pixtools.testing.spaces import Bucket
from pixtools.wiring import checkup
from pixtools.wiring.storage import object_stores


def settings(bucket: Bucket, here: Path, **changes: Any) -> Settings:
    told: dict[str, Any] = {
        "s3_bucket": bucket.name,
        "aws_endpoint_url": bucket.endpoint,
        "aws_region": bucket.region,
        "aws_access_key_id": bucket.access_key,
        "aws_secret_access_key": SecretStr(bucket.secret_key),
        "pixtools_data_dir": here,
    }
    return Settings(_env_file=None, **told | changes)


def set_up(told: Settings, *origins: str) -> list[str]:
    return [notice.sentence for notice in checkup.set_up_storage(told, origins)]


def test_a_bucket_that_answers_is_well(s3: Bucket, tmp_path: Path) -> None:
    """The doctor says so, as he does of a directory."""
    told = settings(s3, tmp_path)
    assert checkup.describe_storage(told) == f"s3://{s3.name} can be used"
    here = settings(s3, tmp_path, s3_bucket="")
    assert checkup.describe_storage(here) == f"{tmp_path} can be used"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aws_secret_access_key": SecretStr("no secret")}, "SignatureDoesNotMatch"),
        ({"aws_access_key_id": "nobody"}, "refused access.*InvalidAccessKeyId"),
        ({"s3_bucket": "pixtools-no-such-bucket"}, "no such bucket"),
        ({"storage_url": "s3://another"}, "S3_BUCKET and STORAGE_URL"),
        ({"aws_access_key_id": ""}, "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_a_bucket_that_can_not_be_used_stops_the_start(
    s3: Bucket, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    """With one sentence; the doctor says the same."""
    told = settings(s3, tmp_path, **changes)
    with pytest.raises(ConfigurationInvalid, match=words), object_stores(told):
        pass
    with pytest.raises(ConfigurationInvalid, match=words):
        checkup.describe_storage(told)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"s3_retention_days": 1, "job_retention_hours": 48},
            ConfigurationInvalid,
            "S3_RETENTION_DAYS",
        ),
        (
            {"s3_bucket": "pixtools-no-such-bucket"},
            ConfigurationInvalid,
            "--create-bucket",
        ),
        (
            {"aws_endpoint_url": "http://127.0.0.1:9"},
            StorageUnavailable,
            "did not answer",
        ),
        ({"public_base_url": "photos"}, ConfigurationInvalid, "origin"),
    ],
)
def test_what_stands_in_the_way_of_a_setup_is_one_sentence(
    s3: Bucket,
    tmp_path: Path,
    changes: dict[str, Any],
    error: type[Exception],
    words: str,
) -> None:
    """Each names what to change."""
    with pytest.raises(error, match=words):
        set_up(settings(s3, tmp_path, **changes))


def test_our_own_page_may_use_links_if_its_address_is_known(
    s3: Bucket, tmp_path: Path
) -> None:
    """Without any page there is no rule for pages."""
    assert len(set_up(settings(s3, tmp_path))) == 2
    told = settings(s3, tmp_path, public_base_url="https://photos.example.org/app")
    assert set_up(told)[2] == "CORS rules were set."
    assert set_up(told)[2] == "CORS rules are in force already."


def test_a_directory_needs_no_setup(s3: Bucket, tmp_path: Path) -> None:
    """The command does no harm there."""
    told = settings(s3, tmp_path, s3_bucket="")
    assert set_up(told) == [f"{tmp_path} needs nothing to be set up."]
