"""Good clients: what was not answered they ask again, with the same key."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx2
from tests.chaos.cluster.orders import CLASSIC, Order

PATIENCE: Final = 60.0
"""Seconds after which even a good client gives up; then the test has failed."""
LONGEST_PAUSE: Final = 1.0
CROWD: Final = 6
_AGAIN: Final = {409, 429, 503}
_TERMINAL: Final = {"succeeded", "partial", "failed", "canceled"}

Urls = Callable[[], Sequence[str]]


class GaveUp(AssertionError):
    """Nobody took the request for a minute."""


@dataclass(slots=True)
class Receipt:
    """An order that was accepted, and what the client knows of it."""

    order: Order
    job_ids: tuple[str, ...]
    batch_id: str | None = None
    canceled: bool = False
    """Whether a cancel was answered while the job had not ended."""
    heard: list[str] = field(default_factory=list)
    """Kinds of the events that a watcher was told, over all its connections."""


@dataclass(slots=True)
class Crowd:
    """Some clients that share a pile of orders."""

    urls: Urls
    photos: Mapping[str, Path]
    seed: int
    receipts: list[Receipt] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    """How often each kind of answer came, transport errors by their names."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no service should give."""
    _pile: list[Order] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, orders: Sequence[Order]) -> None:
        """Send them all, several at once."""
        self._pile = list(reversed(orders))
        for number in range(CROWD):
            work = threading.Thread(target=self._work, args=(number,), daemon=True)
            self._threads.append(work)
            work.start()

    def finish(self, within: float) -> None:
        """Wait until each order was accepted, or given up."""
        for thread in self._threads:
            thread.join(within)
            assert not thread.is_alive(), "A client still waits for an answer."

    @property
    def busy(self) -> bool:
        """Whether a client still has something to ask."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def accepted(self) -> int:
        """How many jobs were accepted so far."""
        return sum(len(receipt.job_ids) for receipt in list(self.receipts))

    def _work(self, number: int) -> None:
        with httpx2.Client(timeout=20, trust_env=False) as http:
            client = _Client(self, http, random.Random(self.seed + number))
            while self._pile:
                try:
                    order = self._pile.pop()
                except IndexError:
                    return
                try:
                    client.carry_out(order)
                except Exception as error:  # noqa: BLE001 - the test looks at it
                    self.wrong.append(f"{order.key}: {type(error).__name__}: {error}")

    def keep(self, receipt: Receipt) -> None:
        """Note that an order was accepted."""
        self.receipts.append(receipt)


@dataclass(slots=True)
class _Client:
    crowd: Crowd
    http: httpx2.Client
    dice: random.Random

    def carry_out(self, order: Order) -> None:
        receipt = getattr(self, f"_{order.face}")(order)
        self.crowd.keep(receipt)
        if order.deed in ("cancel", "erase"):
            self._end(receipt)
        elif order.deed == "watch":
            Watcher(self.crowd, receipt).start()

    def _form(self, order: Order) -> Receipt:
        data = {
            "pipeline": json.dumps(order.steps),
            "archive": json.dumps(order.archive),
        }
        answer = self._sent("/v1/jobs", order, data)
        return Receipt(order, (answer["job_id"],))

    def _classic(self, order: Order) -> Receipt:
        data = {"operations": json.dumps(CLASSIC)}
        return Receipt(order, (self._sent("/api/process", order, data)["job_id"],))

    def _batch(self, order: Order) -> Receipt:
        data = {"pipeline": json.dumps(order.steps)}
        answer = self._sent("/v1/batches", order, data)
        ids = tuple(job["job_id"] for job in answer["jobs"])
        return Receipt(order, ids, batch_id=answer["batch_id"])

    def _announced(self, order: Order) -> Receipt:
        (photo,) = order.photos
        wish = {
            "source_type": "s3_presigned",
            "filename": photo,
            "pipeline": order.steps,
            "archive": order.archive,
        }
        announced = self._asked("POST", "/v1/jobs", order.key, json=wish)
        upload = announced.get("upload")
        if upload:
            data = self.crowd.photos[photo].read_bytes()
            url = upload["presigned_put_url"]
            self._asked("PUT", url, None, content=data, headers=upload["headers"])
        job_id = announced["job_id"]
        self._asked("POST", f"/v1/jobs/{job_id}/start", None)
        return Receipt(order, (job_id,))

    def _end(self, receipt: Receipt) -> None:
        (job_id,) = receipt.job_ids
        if receipt.order.deed == "cancel":
            told = self._asked("POST", f"/v1/jobs/{job_id}/cancel", None)
            receipt.canceled = told["status"] == "canceled" or (
                told["status"] not in _TERMINAL
            )
        else:
            self._asked("DELETE", f"/v1/jobs/{job_id}", None, fine={404})

    def _sent(self, path: str, order: Order, data: dict[str, str]) -> dict[str, Any]:
        files = [
            ("file", (name, self.crowd.photos[name].read_bytes()))
            for name in order.photos
        ]
        return self._asked("POST", path, order.key, files=files, data=data)

    def _asked(
        self,
        method: str,
        path: str,
        key: str | None,
        fine: frozenset[int] | set[int] = frozenset(),
        **wishes: Any,
    ) -> dict[str, Any]:
        """Ask until it is answered well; the body."""
        if key:
            wishes["headers"] = {"Idempotency-Key": key}
        answer = insist(self.crowd, self.http, self.dice, method, path, fine, **wishes)
        is_json = "json" in answer.headers.get("content-type", "")
        found: dict[str, Any] = answer.json() if is_json else {}
        return found


def insist(
    crowd: Crowd,
    http: httpx2.Client,
    dice: random.Random,
    method: str,
    path: str,
    fine: frozenset[int] | set[int] = frozenset(),
    **wishes: Any,
) -> httpx2.Response:
    """Ask one API after the other until an answer is final.

    A full URL leads to the store, which may say 5xx while it is made to fail.
    """
    own = path.startswith("/")
    never = threading.Event()
    waited = 0.0
    while waited < PATIENCE:
        url = f"{dice.choice(crowd.urls())}{path}" if own else path
        pause = dice.uniform(0.05, 0.2)
        try:
            answer = http.request(method, url, **wishes)
        except httpx2.TransportError as error:
            crowd.answers[type(error).__name__] += 1
        else:
            crowd.answers[str(answer.status_code)] += 1
            if answer.is_success or answer.status_code in fine:
                return answer
            if answer.status_code in _AGAIN and "retry-after" in answer.headers:
                told = float(answer.headers["retry-after"])
                pause = min(told, LONGEST_PAUSE) * dice.uniform(0.5, 1)
            elif own or answer.status_code < 500:
                raise AssertionError(f"{method} {path}: {_words(answer)}")
        never.wait(pause)  # a client's own patience, not the test's
        waited += pause
    raise GaveUp(f"{method} {path}")


class Watcher(threading.Thread):
    """Listens to a job's events; what breaks off it takes up where it was."""

    def __init__(self, crowd: Crowd, receipt: Receipt) -> None:
        super().__init__(daemon=True)
        self._crowd = crowd
        self._receipt = receipt
        crowd._threads.append(self)

    def run(self) -> None:
        """Until the stream says `done`."""
        path = f"/v1/jobs/{self._receipt.job_ids[0]}/events"
        last = ""
        never = threading.Event()
        with httpx2.Client(timeout=40, trust_env=False) as http:
            while "done" not in self._receipt.heard:
                for url in self._crowd.urls():
                    last = self._listen(http, f"{url}{path}", last)
                    if "done" in self._receipt.heard:
                        return
                never.wait(0.1)

    def _listen(self, http: httpx2.Client, url: str, last: str) -> str:
        headers = {"Last-Event-ID": last} if last else {}
        try:
            with http.stream("GET", url, headers=headers) as told:
                kind = number = ""
                for line in told.iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        number = value
                    elif name == "event":
                        kind = value
                    elif not line and kind:
                        # Whole only now: what broke off was not heard.
                        self._receipt.heard.append(kind)
                        kind, last = "", number
        except httpx2.TransportError as error:
            self._crowd.answers[type(error).__name__] += 1
        return last


def _words(answer: httpx2.Response) -> str:
    return f"{answer.status_code} {answer.text[:300]}"
