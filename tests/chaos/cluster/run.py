"""One scenario: clients, somebody who breaks things, and a look at what is left."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
from tests.acceptance.visiting import settled
from tests.chaos.cluster import invariants
from tests.chaos.cluster.clients import Crowd, insist
from tests.chaos.cluster.facts import Facts
from tests.chaos.cluster.invariants import Case, Findings
from tests.chaos.cluster.orders import LEAST, deal
from tests.chaos.cluster.promises import Promises
from tests.chaos.cluster.store import Store
from tests.chaos.cluster.table import Row

PAUSE: Final = 0.05
SETTLE_SECONDS: Final = 150.0
TIDY_SECONDS: Final = 60.0
"""Only a hang takes that long."""


@dataclass(slots=True)
class Run:
    """A scenario on its way; whoever breaks things is handed this."""

    name: str
    seed: int
    urls: Callable[[], list[str]]
    facts: Facts
    store: Store
    promises: Promises
    dead_letters: Callable[[], int]
    waiting: Callable[[], int]
    """Messages that wait in the broker's queues."""
    strayed: set[str]
    """Bytes of earlier scenarios that no link leads to."""
    may_stray: bool = False
    """Whether what breaks here leaves such bytes."""
    poison: int = 0
    """Messages that were sent to be refused."""
    injected: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(init=False)
    crowd: Crowd = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is asked yet."""
        self.dice = random.Random(f"faults/{self.name}/{self.seed}")
        self.crowd = Crowd(self.urls, self.promises.photos, self.seed)

    def moments(self, number: int) -> list[int]:
        """So many random moments, as numbers of jobs."""
        return sorted(self.dice.sample(range(LEAST // 20, LEAST * 4 // 5), number))

    def when_accepted(self, jobs: int) -> None:
        """Wait until so many jobs were accepted."""
        self.eventually(
            lambda: self.crowd.accepted >= jobs or self._calm(), SETTLE_SECONDS
        )

    def when_ended(self, jobs: int) -> None:
        """Wait until so many jobs have ended."""
        self.eventually(lambda: self._ended() >= jobs or self._calm(), SETTLE_SECONDS)

    def eventually(self, so: Callable[[], bool], within: float) -> bool:
        """Whether it became so; what follows finds out what is missing."""
        deadline = time.monotonic() + within
        while not so():
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True

    def note(self, fault: str, times: int = 1) -> None:
        """Count something that was broken."""
        self.injected[fault] += times

    def carry_out(self, sabotages: Sequence[Callable[[], None]]) -> Row:
        """Let clients loose, break things, wait for peace, look at everything."""
        began = time.monotonic()
        self.crowd.begin(deal(self.name, self.seed))
        with ThreadPoolExecutor(max(1, len(sabotages))) as saboteurs:
            for broken in [saboteurs.submit(each) for each in sabotages]:
                broken.result()
        self.crowd.finish(SETTLE_SECONDS)
        found = self.settle()
        return Row(
            scenario=self.name,
            faults=dict(self.injected),
            accepted=self.crowd.accepted,
            answers=dict(self.crowd.answers),
            findings=found,
            dead_letters=self.dead_letters(),
            seconds=time.monotonic() - began,
        )

    def settle(self) -> Findings:
        """Wait for peace, and look at everything."""
        self.eventually(lambda: self._waits() == set(), SETTLE_SECONDS)
        found = Findings(wrong=list(self.crowd.wrong))
        cases = invariants.cases_of(self.crowd.receipts, self.promises)
        with httpx2.Client(timeout=30, trust_env=False) as http:
            documents = self._documents(http, cases)
            found.wrong.extend(self._batches(http))
        held = invariants.check_documents(cases, documents, found)
        invariants.check_files(held, found)
        invariants.check_told_once(cases, self.facts, found)
        invariants.check_run_once(cases, self.facts, found)
        self.eventually(lambda: not self._litter(), TIDY_SECONDS)
        found.left.extend(self._litter())
        if not self.may_stray:  # what is deleted, is so after its stage has ended
            self.eventually(lambda: not self._strays(cases, documents), TIDY_SECONDS)
        found.strays.extend(self._strays(cases, documents))
        self.strayed.update(found.strays)
        if not self.may_stray:
            found.left.extend(found.strays)
        return found

    def _strays(
        self, cases: list[Case], documents: Mapping[str, dict[str, Any]]
    ) -> list[str]:
        """Bytes that no link leads to, and that no earlier scenario left."""
        keys, known = self.store.keys(), self.facts.jobs()
        strays = invariants.check_nothing_strays(cases, documents, keys, known)
        return sorted({*strays, *self.store.unfinished()} - self.strayed)

    def _litter(self) -> list[str]:
        """Work, leases, wake-ups, messages and uploads that are left over."""
        litter = self.facts.untidy()
        if waiting := self.waiting():
            litter.append(f"{waiting} messages")
        if (dead := self.dead_letters()) != self.poison:
            litter.append(f"{dead} dead letters of {self.poison}")
        return litter

    def _calm(self) -> bool:
        """Whether nothing is left that could still happen."""
        return not self.crowd.busy and self._waits() == set()

    def _ended(self) -> int:
        waits = self._waits()
        return 0 if waits is None else self.crowd.accepted - len(waits)

    def _waits(self) -> set[str] | None:
        unsettled = self.facts.unsettled()
        if unsettled is None:
            return None
        ours = {id for r in list(self.crowd.receipts) for id in r.job_ids}
        return ours & unsettled

    def _documents(
        self, http: httpx2.Client, cases: list[Case]
    ) -> Mapping[str, dict[str, Any]]:
        wanted = {case.job_id for case in cases}
        found: dict[str, dict[str, Any]] = {}
        for document in self._listed(http):
            if document["job_id"] in wanted:
                found[document["job_id"]] = document
            elif len(found) == len(wanted):
                break
        return found

    def _listed(self, http: httpx2.Client) -> Iterator[dict[str, Any]]:
        """All jobs, newest first, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = self._read(http, "/v1/jobs", params=params)
            yield from page["data"]
            cursor = page["next_cursor"]

    def _batches(self, http: httpx2.Client) -> Iterable[str]:
        for receipt in self.crowd.receipts:
            if receipt.batch_id is None:
                continue
            batch = self._packed(http, f"/v1/batches/{receipt.batch_id}")
            files = [
                file
                for promise in self.promises.of(receipt.order)
                for file in promise.files.values()
            ]
            if batch["status"] != "succeeded":
                yield f"batch {receipt.batch_id} is {batch['status']}"
            yield from invariants.check_zip(http, batch["archive"], files)

    def _packed(self, http: httpx2.Client, path: str) -> dict[str, Any]:
        """A batch once its ZIP has ended, which is begun after its last job's end."""
        batch = self._read(http, path)

        def is_packed() -> bool:
            batch.update(self._read(http, path))
            return settled(batch)

        self.eventually(is_packed, SETTLE_SECONDS)
        return batch

    def _read(self, http: httpx2.Client, path: str, **wishes: Any) -> dict[str, Any]:
        answer = insist(self.crowd, http, self.dice, "GET", path, **wishes)
        found: dict[str, Any] = answer.json()
        return found
