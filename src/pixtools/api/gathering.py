"""Filling a batch: all of its jobs are taken, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

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
from pixtools.jobs.repeated import earlier
from pixtools.jobs.service import Service
from pixtools.jobs.submit import IdempotencyKey, Order, Submitted, submit_upload


def _nothing() -> None:
    """There is nothing to leave behind."""


@dataclass(frozen=True, slots=True)
class Part:
    """One job of a batch: `submit` has it join the batch of an id.

    `leave` instead lets go of what came for it.
    """

    key: IdempotencyKey | None
    submit: Callable[[str], Submitted]
    leave: Callable[[], None] = _nothing


def of_orders(
    house: House, asker: Asker, jobs: Sequence[NewJob], key: IdempotencyKey | None
) -> list[Part]:
    """Jobs whose photos are not in the request; all are checked before any is placed.

    Raises InvalidRequest that names the job and its field.
    """
    return [
        _of_order(house, asker, job, index, _part(key, index))
        for index, job in enumerate(jobs)
    ]


def of_photos(
    service: Service, order: Order, files: Sequence[ReceivedFile]
) -> list[Part]:
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
    parts: Sequence[Part],
    *,
    archive: bool,
    closed: bool,
) -> Response:
    """Make a batch of these jobs, and answer with it.

    A request that is repeated under its key finds its jobs, and with them its batch;
    one that was cut short goes on where it stopped. Once its batch is closed nothing
    is missing: a job that is no longer here was erased since.
    """
    before = earlier(service, tenant, [part.key for part in parts if part.key])
    if before and before.batch.closed:
        parts = _left(parts, before.keys)
    opened = before.batch if before else open_batch(service, tenant, archive=archive)
    taken = _all_or_none(service, tenant, opened.id, parts)
    batch_id = _home_of(taken, opened.id)
    if batch_id != opened.id:
        drop_batch(service, tenant, opened.id)
    if closed:
        close_batch(service, tenant, batch_id)
    return _answer(service, tenant, batch_id, taken)


def _left(parts: Sequence[Part], keys: Collection[str]) -> Sequence[Part]:
    """Those whose jobs are still here; what came for the others is let go of."""
    here = [part for part in parts if part.key and part.key.key in keys]
    for part in parts:
        if part not in here:
            part.leave()
    return here


def _answer(
    service: Service, tenant: str, batch_id: str, taken: Sequence[Submitted]
) -> Response:
    shown = batch_document(service, *get_batch(service, tenant, batch_id))
    signed = {each.job.id: upload_of(each) for each in taken}
    uploads = {job_id: upload for job_id, upload in signed.items() if upload}
    document = NewBatchDocument.model_construct(**dict(shown), uploads=uploads)
    headers = {"Location": f"/v1/batches/{batch_id}"}
    if taken and all(each.replayed for each in taken):
        headers |= REPLAYED
    return documents.answer(document, 201, headers)


def _all_or_none(
    service: Service, tenant: str, opened: str, parts: Sequence[Part]
) -> list[Submitted]:
    """Submit them; what was cut short is undone where nobody can repeat it."""
    taken: list[Submitted] = []
    try:
        for part in parts:
            taken.append(part.submit(_home_of(taken, opened)))
    except DatabaseUnavailable:
        # The last job may have been taken on with nobody to hear of it.
        repeatable = any(part.key for part in parts)
        (drop_batch if repeatable else erase_batch)(service, tenant, opened)
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
) -> Part:
    with _within(f"/jobs/{index}"):
        if job.batch_id is not None:
            raise wrong("/batch_id", "A job of a new batch names no other batch.")
        order = wishes.order(house, asker, job, key)

    def submit(batch_id: str) -> Submitted:
        with _within(f"/jobs/{index}"):
            return place(house.service, replace(order, batch_id=batch_id), job)

    return Part(key, submit)


def _of_photo(
    service: Service, order: Order, file: ReceivedFile, key: IdempotencyKey | None
) -> Part:
    def submit(batch_id: str) -> Submitted:
        joined = replace(order, batch_id=batch_id, idempotency=key)
        return submit_upload(service, joined, file.intake, filename=file.filename)

    return Part(key, submit, leave=file.intake.abort)


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
