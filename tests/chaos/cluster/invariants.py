"""What must be true after any fault, once the dust has settled."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx2
from tests.chaos.cluster.clients import Receipt
from tests.chaos.cluster.facts import Facts
from tests.chaos.cluster.orders import Order
from tests.chaos.cluster.promises import File, Promise, Promises

READERS = 4


@dataclass(slots=True)
class Findings:
    """What was counted, and each promise that was broken."""

    statuses: Counter[str] = field(default_factory=Counter)
    outputs: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    """Bytes that no link leads to. They come to be when a process dies, or the store
    is away, before they are deleted; retention and the bucket's rules delete them."""

    @property
    def all(self) -> list[str]:
        """Every broken promise."""
        return [*self.lost, *self.doubled, *self.wrong, *self.left]


@dataclass(frozen=True, slots=True)
class Case:
    """One accepted job: what was promised, and what it has become."""

    receipt: Receipt
    job_id: str
    promise: Promise

    @property
    def erased(self) -> bool:
        """Whether the client wanted nothing to be left of it."""
        return self.receipt.order.deed == "erase"

    @property
    def may_be(self) -> frozenset[str]:
        """The statuses that it may end with."""
        if self.receipt.order.deed != "cancel":
            return frozenset({self.promise.status})
        if self.receipt.canceled:
            return frozenset({"canceled"})
        return frozenset({"canceled", self.promise.status})


def cases_of(receipts: list[Receipt], promises: Promises) -> list[Case]:
    """Every accepted job with its promise."""
    return [
        Case(receipt, job_id, promise)
        for receipt in receipts
        for job_id, promise in zip(
            receipt.job_ids, promises.of(receipt.order), strict=True
        )
    ]


def check_documents(
    cases: list[Case], documents: Mapping[str, dict[str, Any]], found: Findings
) -> list[tuple[Case, dict[str, Any]]]:
    """Each job ended as promised; those that have files, with their documents."""
    with_files = []
    for case in cases:
        document = documents.get(case.job_id)
        if case.erased:
            if document is not None:
                found.wrong.append(f"{case.job_id} was erased and is still there")
            found.statuses["erased"] += 1
            continue
        if document is None:
            found.lost.append(f"{case.job_id} was accepted and is not there")
            continue
        status = document["status"]
        found.statuses[status] += 1
        if status not in case.may_be:
            kind = found.wrong if document["finished_at"] else found.lost
            kind.append(
                f"{case.job_id} is {status}, not {set(case.may_be)}: {document}"
            )
        elif status in ("succeeded", "partial"):
            with_files.append((case, document))
    return with_files


def check_files(held: list[tuple[Case, dict[str, Any]]], found: Findings) -> None:
    """Each output and ZIP is whole, and what the engine gives directly."""
    with (
        httpx2.Client(timeout=30, trust_env=False) as http,
        ThreadPoolExecutor(READERS) as readers,
    ):
        for wrongs, outputs in readers.map(lambda one: _files(http, *one), held):
            found.wrong.extend(wrongs)
            found.outputs += outputs


def _files(
    http: httpx2.Client, case: Case, document: dict[str, Any]
) -> tuple[list[str], int]:
    told = {output["id"]: output for output in document["outputs"]}
    made = {name for name, output in told.items() if output["status"] == "succeeded"}
    wrong = []
    if made != set(case.promise.files):
        wrong.append(f"made {made}, not {set(case.promise.files)}")
    if document["usage"]["pixels_processed"] != case.promise.pixels:
        wrong.append(f"{document['usage']} for {case.promise.pixels} pixels")
    if case.promise.facts != bool(document["metadata"]):
        wrong.append(f"facts are {document['metadata']}")
    for name in made & set(case.promise.files):
        wrong.extend(_output(http, told[name], case.promise.files[name]))
    wrong.extend(_archive(http, document, case))
    return [f"{case.job_id}: {text}" for text in wrong], len(made)


def _output(http: httpx2.Client, told: dict[str, Any], file: File) -> Iterator[str]:
    facts = {name: told[name] for name in ("format", "width", "height", "sha256")}
    wanted = {name: getattr(file, name) for name in facts}
    if facts != wanted:
        yield f"{told['id']} is {facts}, not {wanted}"
    answer = http.get(told["url"])
    digest = hashlib.sha256(answer.content).hexdigest()
    if answer.status_code != 200 or digest != file.sha256:
        yield f"{told['id']} answers {answer.status_code} with {digest}"


def _archive(
    http: httpx2.Client, document: dict[str, Any], case: Case
) -> Iterator[str]:
    archive = document["archive"]
    if archive is None:
        return
    if archive["status"] != "succeeded":
        yield f"its archive is {archive}"
        return
    yield from check_zip(http, archive, list(case.promise.files.values()))


def check_zip(
    http: httpx2.Client, archive: dict[str, Any], files: list[File]
) -> Iterator[str]:
    """A ZIP holds exactly these files."""
    content = http.get(archive["url"]).content
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        held = Counter(
            hashlib.sha256(opened.read(name)).hexdigest() for name in opened.namelist()
        )
    if held != Counter(file.sha256 for file in files):
        yield f"its ZIP of {len(content)} bytes holds other files"


def check_told_once(cases: list[Case], facts: Facts, found: Findings) -> None:
    """One terminal event of each job, the last; one event of each output at most."""
    events = facts.events(case.job_id for case in cases)
    for case in cases:
        told = events[case.job_id]
        if case.erased:
            continue
        heard = case.receipt.heard
        if told.count(("done", "")) != 1 or told[-1] != ("done", ""):
            found.doubled.append(f"{case.job_id} told {told}")
        elif max(Counter(t for t in told if t[0] == "output").values(), default=1) > 1:
            found.doubled.append(f"{case.job_id} told of an output twice: {told}")
        elif heard and (heard.count("done") != 1 or heard[-1] != "done"):
            found.doubled.append(f"{case.job_id} was heard to say {heard}")


def check_run_once(cases: list[Case], facts: Facts, found: Findings) -> None:
    """No stage of a job has a second one that does the same; no key a second job."""
    stages = facts.stages(case.job_id for case in cases)
    for case in cases:
        seen = Counter((row.kind, row.step_ids) for row in stages[case.job_id])
        if max(seen.values(), default=1) > 1:
            found.doubled.append(f"{case.job_id} has stages {stages[case.job_id]}")
    keys = facts.keys()
    for receipt in {case.receipt.order.key: case.receipt for case in cases}.values():
        first = keys.get(_stored_key(receipt.order))
        if receipt.order.deed != "erase" and first != receipt.job_ids[0]:
            found.doubled.append(f"{receipt.order.key}: {first} and {receipt.job_ids}")


def _stored_key(order: Order) -> str:
    """A batch's key stands for one of each job."""
    if order.face != "batch":
        return order.key
    return f"batch:{hashlib.sha256(order.key.encode()).hexdigest()}:0"


def check_nothing_strays(
    cases: list[Case],
    documents: Mapping[str, dict[str, Any]],
    keys: set[str],
    known: set[str],
) -> list[str]:
    """Objects that no link leads to: of jobs that are not there, or were stopped."""
    owned = {case.job_id: _owned(case, documents) for case in cases}
    strays = []
    for key in keys:
        area, owner, name = key.split("/")
        if owner in owned:
            if not {area, f"{area}/{name}"} & owned[owner]:
                strays.append(key)
        elif owner != "batches" and owner not in known:
            strays.append(key)
    return strays


def _owned(case: Case, documents: Mapping[str, dict[str, Any]]) -> set[str]:
    """What a job may have in the store: areas, or single objects of them."""
    document = documents.get(case.job_id)
    if case.erased or document is None:
        return set()
    if document["status"] not in ("succeeded", "partial"):
        return {"raw"}
    return {"raw", "archives"} | {
        f"processed/{name}.{file.format}" for name, file in case.promise.files.items()
    }
