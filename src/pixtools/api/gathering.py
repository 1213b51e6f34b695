"""Filling a batch: all of its jobs are taken, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from fastapi import Response

from pixtools.api import documents, wishes
from pixtools.api.deps import Asker, House
from pixtools.api.idempotency import REPLAYED
from pixtools.api.placing import place, upload_of
from pixtools.api.schemas import NewBatchDocument, NewJob
from pixtools.api.uploads import ReceivedFile, wrong
from pixtools.domain.errors import DatabaseUnavailable, FieldError, PixtoolsError
from pixtools.jobs.batch import close_batch, drop_batch, open_batch
from pixtools.jobs.erase import erase, erase_batch
from pixtools.jobs.read import batch_document, get_batch
from pixtools.jobs.service import Service
from pixtools.jobs.submit import IdempotencyKey, Order, Submitted, submit_upload

Submission = Callable[[str], Submitted]
"""Submits one job to the batch of this id."""


def of_orders(
    house: House, asker: Asker, jobs: Sequence[NewJob], key: IdempotencyKey | None
) -> list[Submission]:
    """Jobs whose photos are not in the request; all are checked before any is placed.

    Raises InvalidRequest that names the job and its field.
    """
    return [
        _of_order(house, asker, job, index, _part(key, index))
        for index, job in enumerate(jobs)
    ]


def of_photos(
    service: Service, order: Order, files: Sequence[ReceivedFile]
) -> list[Submission]:
    """Jobs for photos that came with the request."""
    return [
        _of_photo(service, order, file, _part(order.idempotency, index))
        for index, file in enumerate(files)
    ]


def part_of(key: str, index: int = 0) -> str:
    """The key of one job of the batch that a request's key stands for."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"batch:{digest}:{index}"


def gather(
    service: Service,
    tenant: str,
    submissions: Sequence[Submission],
    *,
    archive: bool,
    closed: bool,
    repeatable: bool,
) -> Response:
    """Make a batch of these jobs, and answer with it.

    A request that is repeated under its key finds its jobs, and with them its batch;
    one that was cut short goes on where it stopped. Without a key it is not
    `repeatable`: then what was cut short is undone.
    """
    opened = open_batch(service, tenant, archive=archive).id
    taken = _all_or_none(service, tenant, opened, submissions, repeatable)
    batch_id = _home_of(taken, opened)
    if batch_id != opened:
        drop_batch(service, tenant, opened)
    if closed:
        close_batch(service, tenant, batch_id)
    shown = batch_document(service, *get_batch(service, tenant, batch_id))
    signed = {each.job.id: upload_of(each) for each in taken}
    uploads = {job_id: upload for job_id, upload in signed.items() if upload}
    document = NewBatchDocument.model_construct(**dict(shown), uploads=uploads)
    headers = {"Location": f"/v1/batches/{batch_id}"}
    if taken and all(each.replayed for each in taken):
        headers |= REPLAYED
    return documents.answer(document, 201, headers)


def _all_or_none(
    service: Service,
    tenant: str,
    opened: str,
    submissions: Sequence[Submission],
    repeatable: bool,
) -> list[Submitted]:
    taken: list[Submitted] = []
    try:
        for submit in submissions:
            taken.append(submit(_home_of(taken, opened)))
    except DatabaseUnavailable:
        # The last job may have been taken on with nobody to hear of it.
        if repeatable:
            drop_batch(service, tenant, opened)
        else:
            erase_batch(service, tenant, opened)
        raise
    except BaseException:
        for each in taken:
            if not each.replayed:
                erase(service, tenant, each.job.id)
        drop_batch(service, tenant, opened)
        raise
    return taken


def _home_of(taken: Sequence[Submitted], opened: str) -> str:
    """The batch that jobs join: an earlier attempt's, if there was one."""
    return (taken[0].job.batch_id if taken else None) or opened


def _of_order(
    house: House, asker: Asker, job: NewJob, index: int, key: IdempotencyKey | None
) -> Submission:
    with _within(f"/jobs/{index}"):
        if job.batch_id is not None:
            raise wrong("/batch_id", "A job of a new batch names no other batch.")
        order = wishes.order(house, asker, job, key)

    def submit(batch_id: str) -> Submitted:
        with _within(f"/jobs/{index}"):
            return place(house.service, replace(order, batch_id=batch_id), job)

    return submit


def _of_photo(
    service: Service, order: Order, file: ReceivedFile, key: IdempotencyKey | None
) -> Submission:
    def submit(batch_id: str) -> Submitted:
        joined = replace(order, batch_id=batch_id, idempotency=key)
        return submit_upload(service, joined, file.intake, filename=file.filename)

    return submit


def _part(key: IdempotencyKey | None, index: int) -> IdempotencyKey | None:
    if key is None:
        return None
    return IdempotencyKey(part_of(key.key, index), key.fingerprint)


@contextmanager
def _within(pointer: str) -> Iterator[None]:
    """Let a refusal name its fields as seen from the whole request."""
    try:
        yield
    except PixtoolsError as error:
        fields = [FieldError(pointer + f.pointer, f.detail) for f in error.fields]
        raise type(error)(
            error.detail, fields=tuple(fields), retry_after=error.retry_after
        ) from error
