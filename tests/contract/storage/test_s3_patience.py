"""Nobody waits for a store for longer than was agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.contract.storage.stumbling import (
    ENDURANCE,
    KEPT,
    KEY,
    LONG,
    TIMEOUT,
    until_given_up,
)

from pixtools.domain.errors import StorageUnavailable
from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_store import open_store
from pixtools.storage.objects import ObjectBlobs, open_objects
from pixtools.storage.upload_checks import find_out
from pixtools.testing.faulty_proxy import (
    Answer,
    CutAnswer,
    Delay,
    Fault,
    FaultyProxy,
    Hang,
    always,
    well,
)
from pixtools.testing.port_suites.blobs import put


def test_a_fetch_that_crawls_is_given_up(
    blobs: ObjectBlobs,
    straight: ObjectBlobs,
    through: ObjectsConfig,
    proxy: FaultyProxy,
    tmp_path: Path,
) -> None:
    """Each of its pieces comes in time, and all of them don't."""
    proxy.plan = always(Delay(0.5), "GET")
    in_time = replace(through, request_timeout=ENDURANCE, retry_timeout=ENDURANCE)
    hasty = ObjectBlobs(open_store(in_time), patience=TIMEOUT)
    before = len(proxy.requests)
    until_given_up(lambda: hasty.fetch(KEPT, tmp_path))
    # Of its five pieces three take longer than its patience, whatever machine it is.
    assert 1 <= len(proxy.requests) - before <= 3
    assert list(tmp_path.iterdir()) == []
    assert b"".join(hasty.read(KEPT)) == LONG  # whoever reads is at work all the time


@pytest.mark.parametrize("words", ["partNumber=1", "partNumber=3", "POST /"])
def test_a_write_is_given_up_though_a_request_is_not(
    blobs: ObjectBlobs,
    straight: ObjectBlobs,
    through: ObjectsConfig,
    proxy: FaultyProxy,
    words: str,
) -> None:
    """No call waits for longer than it was told to, whatever happens below it."""
    proxy.plan = always(Hang(), words)
    endless = replace(through, request_timeout=timedelta(minutes=5))
    hasty = ObjectBlobs(open_store(endless), patience=TIMEOUT)
    assert until_given_up(lambda: put(hasty, KEY, LONG)) < 6
    assert straight.stat(KEY) is None


def test_a_health_check_does_not_wait_for_the_patient(
    bucket: ObjectsConfig, proxy: FaultyProxy
) -> None:
    """Whatever the settings for work are, it answers within seconds."""
    blobs = open_objects(replace(bucket, endpoint=proxy.url))
    proxy.plan = always(Hang())
    assert until_given_up(blobs.check) < 5
    proxy.plan = well
    blobs.check()


@pytest.mark.parametrize("fault", [Answer(500), Hang(), CutAnswer(0)], ids=repr)
def test_a_store_that_is_away_is_not_taken_for_a_lax_one(
    through: ObjectsConfig, proxy: FaultyProxy, fault: Fault
) -> None:
    """What it enforces of uploads stays unknown."""
    proxy.plan = always(fault)
    with pytest.raises(StorageUnavailable):
        find_out(through)
