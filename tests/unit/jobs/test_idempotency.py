"""The same request twice is one job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pixtools.domain.errors import (
    IdempotencyInFlight,
    IdempotencyMismatch,
    QueueFull,
    StorageUnavailable,
    UnsupportedFormat,
)
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.erase import erase
from pixtools.jobs.submit import IdempotencyKey, Intake, Order, Submitted, submit_upload
from pixtools.testing.house import RESIZED, House, tiny_gif


def sent(house: House, fingerprint: str = "same", tenant: str = "default") -> Submitted:
    order = Order(
        tenant=tenant,
        pipeline=Pipeline.parse([RESIZED]),
        idempotency=IdempotencyKey("key", fingerprint),
    )
    intake = Intake.begin(house.service, tenant, idempotency_key="key")
    intake.write(tiny_gif())
    return submit_upload(house.service, order, intake)


def test_a_repeated_request_is_answered_with_the_first_job(house: House) -> None:
    """As it stands now; the second upload is gone."""
    first = sent(house)
    house.work()
    again = sent(house)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.job == house.job(first.job.id)
    assert again.job.status == "succeeded"
    stored = house.blobs.keys()
    assert [key for key in stored if key.startswith("raw/")] == [again.job.source.key]


def test_another_request_under_the_same_key_is_refused(house: House) -> None:
    sent(house)
    with pytest.raises(IdempotencyMismatch):
        sent(house, "other")
    assert len(house.blobs.keys()) == 1


def test_each_tenant_has_keys_of_its_own(house: House) -> None:
    assert sent(house).job.id != sent(house, tenant="acme").job.id


def test_while_the_first_is_answered_the_second_waits(house: House) -> None:
    """From the first byte of its upload until it is answered or given up."""
    with Intake.begin(house.service, "default", idempotency_key="key"):
        with pytest.raises(IdempotencyInFlight):
            sent(house)
        Intake.begin(house.service, "acme", idempotency_key="key").abort()
    assert not sent(house).replayed


def test_a_refused_request_leaves_its_key_free(house: House) -> None:
    """Whether the file or the queue refused it."""
    intake = Intake.begin(house.service, "default", idempotency_key="key")
    with pytest.raises(UnsupportedFormat):
        intake.write(b"no image " * 99)
    house.rule(queue_size=0)
    with pytest.raises(QueueFull):
        sent(house)
    house.rule(queue_size=9)
    assert not sent(house).replayed


def test_a_request_whose_store_went_away_leaves_its_key_free(house: House) -> None:
    """Though what had come can't be dropped then."""
    intake = Intake.begin(house.service, "default", idempotency_key="key")
    house.blobs.away = True
    with pytest.raises(StorageUnavailable):
        intake.abort()
    house.blobs.away = False
    assert not sent(house).replayed


def test_a_key_is_let_go_of_once(house: House) -> None:
    """Whoever gives up twice takes it from nobody who holds it by then."""
    given_up = Intake.begin(house.service, "default", idempotency_key="key")
    given_up.abort()
    with Intake.begin(house.service, "default", idempotency_key="key"):
        given_up.abort()
        with pytest.raises(IdempotencyInFlight):
            sent(house)


def test_a_full_queue_still_answers_what_it_has_taken(house: House) -> None:
    """A replay needs no place in the queue."""
    house.rule(queue_size=1)
    first = sent(house)
    assert sent(house).job.id == first.job.id


def test_an_answer_is_kept_for_a_day(house: House) -> None:
    first = sent(house)
    house.clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert sent(house).replayed
    house.clock.advance(1)
    assert sent(house).job.id != first.job.id


def test_the_key_of_an_erased_job_is_free(house: House) -> None:
    first = sent(house)
    erase(house.service, "default", first.job.id)
    assert not sent(house).replayed
