"""A wire that leads nowhere: each host answers as the test says."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pixtools.domain.webhook import host_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a receiver answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    ms: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a receiver was sent."""

    url: str
    headers: Mapping[str, str]
    body: bytes


Answering = Callable[[Sent], Said]


@dataclass(slots=True)
class PaperWire:
    """Notes what is sent, and asks the host's own function for the answer."""

    hosts: dict[str, Answering] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    most_at_once: Counter[str] = field(default_factory=Counter)
    _now: Counter[str] = field(default_factory=Counter)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def post(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes,
        timeout: float,
        keep: int,
    ) -> Said:
        """Answer as the host does; 200 where none was named."""
        del timeout, keep
        host, sent = host_of(url), Sent(url=url, headers=headers, body=body)
        with self._turn:
            self.sent.append(sent)
            self._now[host] += 1
            self.most_at_once[host] = max(self.most_at_once[host], self._now[host])
        try:
            return self.hosts.get(host, _well)(sent)
        finally:
            with self._turn:
                self._now[host] -= 1


def _well(sent: Sent) -> Said:
    del sent
    return Said()
