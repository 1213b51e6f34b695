"""Filling a batch: all of its jobs are taken, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from fastapi import Response

from pixtools.api import documents, wishes
from pixtools.api.deps import Asker, House
from pixtools.api.placing import place, upload_of
from pixtools.api.schemas import NewBatchDocument, NewJob
from pixtools.api.uploads import ReceivedFile, wrong
from pixtools.domain.errors import FieldError, PixtoolsError
from pixtools.jobs.batch import close_batch, drop_batch, open_batch
from pixtools.jobs.erase import erase
from pixtools.jobs.read import batch_document, get_batch
from pixtools.jobs.service import Service
from pixtools.jobs.submit import Order, Submitted, submit_upload

Submission = Callable[[], Submitted]


def orders(
    house: House, asker: Asker, jobs: Sequence[NewJob]
) -> list[tuple[Order, NewJob]]:
    """The orders that a list of jobs stands for, checked before any is placed."""
    found: list[tuple[Order, NewJob]] = []
    for index, job in enumerate(jobs):
        with _within(f"/jobs/{index}"):
            if job.batch_id is not None:
                raise wrong("/batch_id", "A job of a new batch names no other batch.")
            found.append((wishes.order(house, asker, job), job))
    return found


def placed(
    service: Service,
    tenant: str,
    *,
    orders: Sequence[tuple[Order, NewJob]],
    archive: bool,
    closed: bool,
) -> Response:
    """A batch of jobs whose photos are not in the request."""

    def fill(batch_id: str) -> list[Submission]:
        return [
            partial(_placed, service, replace(order, batch_id=batch_id), new, index)
            for index, (order, new) in enumerate(orders)
        ]

    return _made(service, tenant, fill, archive=archive, closed=closed)


def submitted(
    service: Service,
    tenant: str,
    *,
    order: Order,
    files: Sequence[ReceivedFile],
    closed: bool,
) -> Response:
    """A batch of photos that came with the request."""

    def fill(batch_id: str) -> list[Submission]:
        joined = replace(order, batch_id=batch_id)
        return [
            partial(submit_upload, service, joined, file.intake, filename=file.filename)
            for file in files
        ]

    return _made(service, tenant, fill, archive=order.archive, closed=closed)


def _made(
    service: Service,
    tenant: str,
    fill: Callable[[str], list[Submission]],
    *,
    archive: bool,
    closed: bool,
) -> Response:
    batch = open_batch(service, tenant, archive=archive)
    filled = _all_or_none(service, tenant, batch.id, fill(batch.id))
    if closed:
        close_batch(service, tenant, batch.id)
    shown = batch_document(service, *get_batch(service, tenant, batch.id))
    signed = {each.job.id: upload_of(each) for each in filled}
    uploads = {job_id: upload for job_id, upload in signed.items() if upload}
    document = NewBatchDocument.model_construct(**dict(shown), uploads=uploads)
    return documents.answer(document, 201, {"Location": f"/v1/batches/{batch.id}"})


def _all_or_none(
    service: Service, tenant: str, batch_id: str, submissions: Sequence[Submission]
) -> list[Submitted]:
    taken: list[Submitted] = []
    try:
        for submit in submissions:
            taken.append(submit())  # noqa: PERF401 - the list is read if one fails
    except BaseException:
        for each in taken:
            erase(service, tenant, each.job.id)
        drop_batch(service, tenant, batch_id)
        raise
    return taken


def _placed(service: Service, order: Order, new: NewJob, index: int) -> Submitted:
    with _within(f"/jobs/{index}"):
        return place(service, order, new)


@contextmanager
def _within(pointer: str) -> Iterator[None]:
    """Let a refusal name its fields as seen from the whole request."""
    try:
        yield
    except PixtoolsError as error:
        fields = [FieldError(pointer + f.pointer, f.detail) for f in error.fields]
        raise type(error)(error.detail, fields=tuple(fields)) from error
