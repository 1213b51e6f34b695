"""Files that come as multipart/form-data: streamed into the store, never held."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

import anyio
from anyio import to_thread
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pixtools.api import bodies
from pixtools.api.deps import Asker, House
from pixtools.api.idempotency import key_of
from pixtools.api.multipart import PartBegins, PartEnds, Parts
from pixtools.domain.errors import FieldError, InvalidRequest, UploadTooLarge
from pixtools.jobs.submit import Intake, Received

T = TypeVar("T")
FIRST_BATCH_BYTES: Final = 256 * 1024
"""Soon, so that what is no image is refused before much of it has come."""

BATCH_BYTES: Final = 1024 * 1024
"""What goes to a thread at once: handing it over costs as much as hashing 300 kB."""

OVERHEAD_BYTES: Final = 1024 * 1024
"""What a form may weigh beside its files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRules:
    """What a form may hold; unknown fields are refused unless `fields` is None.

    Files that are not `stored` need no store that answers.
    """

    fields: frozenset[str] | None
    max_files: int = 1
    stored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file that rests in the store and belongs to no job yet."""

    intake: Intake
    received: Received
    filename: str | None
    content_type: str | None


@dataclass(slots=True)
class Form:
    """A form that was read to its end."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[ReceivedFile] = field(default_factory=list)

    def fingerprinted(self) -> dict[str, object]:
        """What makes two forms the same: their fields and their files' bytes."""
        hashes = [file.received.blob.sha256 for file in self.files]
        return {"fields": self.fields, "files": hashes}


@asynccontextmanager
async def receive(
    request: Request, house: House, asker: Asker, rules: FormRules
) -> AsyncIterator[Form]:
    """Read a form; whatever goes wrong inside the block leaves no file behind."""
    async with arriving(request, house, asker, rules) as desk:
        await desk.settle()
        yield desk.form


@asynccontextmanager
async def arriving(
    request: Request, house: House, asker: Asker, rules: FormRules
) -> AsyncIterator[Desk]:
    """Read a form but for the end of a file that ends it: ask for it by `whole`.

    Whatever goes wrong inside the block leaves no file behind.
    """
    if rules.stored:
        await house.check_store()
    desk = Desk(house, asker, rules, key_of(request))
    try:
        await _read(request, house, rules, desk)
        yield desk
    except BaseException:
        desk.give_up()
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(desk.abort, limiter=house.threads.moving)
        raise


async def _read(request: Request, house: House, rules: FormRules, desk: Desk) -> None:
    parts = Parts(request.headers.get("content-type", ""))
    most = house.service.rules.limits.max_upload_bytes
    bound = rules.max_files * most + OVERHEAD_BYTES
    if bodies.declared_length(request) > bound:
        raise too_large(most)
    taken = 0

    async def take(chunk: bytes) -> None:
        nonlocal taken
        taken += len(chunk)
        if taken > bound:
            raise too_large(most)
        for piece in parts.feed(chunk):
            await desk.take(piece)
        if not parts.ended:
            await desk.settle()

    await bodies.each_chunk(request, house.config.idle_timeout, take)
    parts.finish()
    if not desk.has_file:
        raise wrong("/file", "Expected a file but received none.")


class Desk:
    """Sorts pieces into fields and files, in whatever order they come."""

    def __init__(
        self, house: House, asker: Asker, rules: FormRules, key: str | None
    ) -> None:
        """Nothing has come yet; `key` is the request's idempotency key."""
        self.form = Form()
        self._key = key
        self._house = house
        self._asker = asker
        self._rules = rules
        self._head: PartBegins | None = None
        self._text = bytearray()
        self._filing = False
        self._unfinished = False
        self._given_up = False
        self._intake: Intake | None = None
        self._begun: list[Intake] = []
        self._batch: list[bytes] = []
        self._batched = 0
        self._enough = FIRST_BATCH_BYTES

    async def take(self, piece: PartBegins | PartEnds | bytes) -> None:
        """Handle the next piece."""
        await self.settle()
        if isinstance(piece, PartBegins):
            await self._begin(piece)
        elif isinstance(piece, PartEnds):
            self._end()
        elif not self._filing:
            self._append(piece)
        else:
            await self._stream(piece)

    @property
    def has_file(self) -> bool:
        """Whether a file has come, be its end still to be written."""
        return bool(self.form.files) or self._unfinished

    async def settle(self) -> None:
        """Finish a file whose end has come."""
        if self._unfinished:
            await self._moved(self._finish)

    async def whole(self, then: Callable[[Form], T]) -> T:
        """Finish what is left, and go on with the form in the same thread.

        To go to a thread costs as much as to hash 300 kB: twice is once too often.
        """

        def finished() -> T:
            if self._unfinished:
                self._finish()
            if self._given_up:
                # Cut off meanwhile: what goes on in a thread must make no job of it.
                raise ClientDisconnect
            return then(self.form)

        return await self._moved(finished)

    def give_up(self) -> None:
        """Let no more come of it, whatever a thread is still at."""
        self._given_up = True

    def abort(self) -> None:
        """Drop every file that was begun; waits for a thread that is still at one."""
        with ExitStack() as all_of_them:
            for intake in self._begun:
                all_of_them.callback(intake.abort)

    async def _begin(self, head: PartBegins) -> None:
        self._head = head
        if head.name == "file":
            if len(self._begun) >= self._rules.max_files:
                text = f"Expected at most {self._rules.max_files} files."
                one = "Expected one file but received more."
                raise wrong("/file", one if self._rules.max_files == 1 else text)
            self._filing, self._enough = True, FIRST_BATCH_BYTES
            if self._key and not self._begun:
                # At once: whoever comes with the same key meanwhile is refused.
                await self._moved(self._taken_in)
            return
        self._check_field(head)

    async def _moved(self, work: Callable[[], T]) -> T:
        threads = self._house.threads.moving
        return await to_thread.run_sync(work, limiter=threads)

    def _taken_in(self) -> Intake:
        key = self._key if not self._begun else None
        service, tenant = self._house.service, self._asker.tenant
        self._intake = Intake.begin(service, tenant, idempotency_key=key)
        self._begun.append(self._intake)
        if self._given_up:
            # Cut off while this thread began it: whoever gave up never saw it.
            self._intake.abort()
            raise ClientDisconnect
        return self._intake

    def _check_field(self, head: PartBegins) -> None:
        known = self._rules.fields
        pointer = f"/{head.name[:64]}"
        if known is not None and head.name not in known:
            raise wrong(pointer, f"There is no field named {head.name[:64]!r} here.")
        if head.name in self.form.fields:
            raise wrong(pointer, f"The field {head.name[:64]!r} stands twice.")
        if len(self.form.fields) >= self._house.config.max_fields:
            raise HTTPException(413, "The form has too many fields.")

    def _append(self, piece: bytes) -> None:
        self._text += piece
        limit = self._house.config.max_field_bytes
        if len(self._text) > limit:
            raise HTTPException(413, f"Expected a field of at most {limit} bytes.")

    async def _stream(self, piece: bytes) -> None:
        self._batch.append(piece)
        self._batched += len(piece)
        if self._batched >= self._enough:
            self._enough = BATCH_BYTES
            await self._moved(self._write)

    def _write(self) -> Intake:
        """Write what has been gathered; called in a thread."""
        intake = self._intake or self._taken_in()
        self._house.meters.uploaded.inc(self._batched)
        batch, self._batch, self._batched = self._batch, [], 0
        for piece in batch:
            intake.write(piece)
        return intake

    def _finish(self) -> None:
        """Write the rest of a file, and make it whole; called in a thread."""
        assert self._head is not None  # noqa: S101 - a file has one
        intake, self._unfinished = self._write(), False
        file = ReceivedFile(
            intake=intake,
            received=intake.finish(),
            filename=self._head.filename or None,
            content_type=self._head.content_type,
        )
        self.form.files.append(file)
        self._intake, self._head = None, None

    def _end(self) -> None:
        if self._head is None:
            return
        if self._filing:
            self._filing, self._unfinished = False, True
            return
        self.form.fields[self._head.name] = self._decoded(self._head.name)
        self._head = None

    def _decoded(self, name: str) -> str:
        raw = bytes(self._text)
        self._text.clear()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise wrong(f"/{name}", f"Expected UTF-8 for {name}.") from None
        if "\x00" in text:
            raise wrong(f"/{name}", f"Expected text without NUL for {name}.")
        return text


def too_large(limit: int) -> UploadTooLarge:
    """The refusal of a file by its size."""
    return UploadTooLarge(f"Expected a file of at most {limit:,} bytes.")


def wrong(pointer: str, detail: str) -> InvalidRequest:
    """The refusal of a request for one field."""
    return InvalidRequest(detail, fields=(FieldError(pointer, detail),))
