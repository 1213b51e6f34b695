"""What clients send, and when: told by the benchmark to the process that drives."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

Model = Literal["open", "paced", "closed"]
"""Arrivals by chance, arrivals by the clock, or each client when it has its answer."""

_WEBP: Final = {"operations": '["webp"]'}
_TWO_AT_1024: Final = {
    "operations": '["png", "webp"]',
    "operation_params": json.dumps(
        {name: {"resize": {"width": 1024, "height": 768}} for name in ("png", "webp")}
    ),
}
_LONG: Final = {
    "pipeline": json.dumps(
        [{"id": "heavy", "action": "convert", "format": "avif", "effort": 2}]
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One request with a photo: its path on the service and its form's fields."""

    photo: str
    path: str = "/api/process"
    fields: Mapping[str, str] = field(default_factory=dict)


LIGHT: Final = Wish(photo="2mp", fields=_WEBP)
"""2 MP to WebP, as the seed was measured."""
TWO: Final = Wish(photo="12mp", fields=_TWO_AT_1024)
"""12 MP to PNG and WebP at 1024, as the seed was measured."""
HEAVY: Final = Wish(photo="12mp", path="/v1/jobs", fields=_LONG)
"""As long as denoising a photo: 12 MP to AVIF with much effort."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """Clients who all want the same.

    They begin `start` seconds after the others and end after `seconds`, or when `jobs`
    requests were sent. At most `clients` requests are on their way at once. In the open
    and paced models `rate` arrive per second; in the closed one each client sends its
    next request when the last is answered, or, with `waits`, when its job has ended.
    With `tries`, that many requests carry the same Idempotency-Key.
    """

    name: str
    wish: Wish
    model: Model
    seconds: float
    jobs: int = 10_000
    start: float = 0
    clients: int = 200
    rate: float = 0
    waits: bool = False
    tries: int = 1
    seed: int = 1

    def due(self) -> Iterator[float]:
        """The moments of arrivals, in seconds after the drive's begin."""
        chance = random.Random(self.seed)
        at = self.start + (chance.expovariate(self.rate) if self._is_open else 0)
        for _ in range(self.jobs):
            if at > self.start + self.seconds:
                return
            yield at
            at += chance.expovariate(self.rate) if self._is_open else 1 / self.rate

    @property
    def _is_open(self) -> bool:
        return self.model == "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Everything that the driving process has to know; photos are paths by name."""

    url: str
    photos: Mapping[str, str]
    streams: Sequence[Stream]

    @property
    def seconds(self) -> float:
        """When the last stream has ended."""
        return max(stream.start + stream.seconds for stream in self.streams)

    def written(self) -> str:
        """As JSON, for its standard input."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Drive:
        """The same again."""
        told: dict[str, Any] = json.loads(text)
        streams = [
            Stream(**{**stream, "wish": Wish(**stream["wish"])})
            for stream in told["streams"]
        ]
        return cls(url=told["url"], photos=told["photos"], streams=streams)
