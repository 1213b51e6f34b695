"""Whoever runs the service learns what a store was asked and what it said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.local import LocalBlobs
from pixtools.storage.object_store import impatient
from pixtools.storage.objects import open_objects
from pixtools.storage.told import told

CONFIG = ObjectsConfig(bucket="pictures", access_key="key", secret_key="hush-hush")


def said_by(endpoint: str) -> str:
    config = impatient(replace(CONFIG, endpoint=endpoint))
    with pytest.raises(StorageUnavailable) as caught:
        open_objects(config).check()
    return told(caught.value)


def test_a_store_that_is_not_there_is_told_with_its_address(free_port: int) -> None:
    """One who reads it sees a wrong port; the query, where keys may stand, is left."""
    place = f"http://127.0.0.1:{free_port}"
    assert said_by(place) == (
        "The object store did not answer while probing. "
        f"Asked was {place}/pictures: Connection refused."
    )


def test_a_refusal_is_told_in_the_stores_own_word() -> None:
    """Whether the key is wrong or its secret, only that word says."""
    cause = OSError(
        "Error performing GET https://s3/pictures?X-Amz-Signature=hush in 2ms - Server "
        "returned non-2xx status code: 403: <Error><Code>InvalidAccessKeyId</Code>"
    )
    fault = StorageUnavailable("The object store refused access while probing.")
    fault.__cause__ = cause
    assert told(fault).endswith("Asked was https://s3/pictures: InvalidAccessKeyId.")
    assert "hush" not in told(fault)


def test_a_folder_is_told_by_its_path(tmp_path: Path) -> None:
    """Which one of several refuses, nobody could guess."""
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(StorageUnavailable) as caught:
        LocalBlobs(file).check()
    assert str(file) in told(caught.value)


def test_a_fault_of_our_own_is_told_as_it_is() -> None:
    """There is nothing to add."""
    fault = StorageUnavailable("Scratch directories vanish as they are made.")
    assert told(fault) == fault.detail
