"""Twin of Fetcher: photos behind addresses, without a network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pixtools.domain.errors import (
    SourceRefused,
    SourceUnreachable,
    UnsafeDestination,
    UploadTooLarge,
)

PIECE = 1000


@dataclass(frozen=True, slots=True)
class PaperFetched:
    """What the twin says of a file."""

    filename: str | None
    bytes: int
    sha256: str


class PaperFetcher:
    """Serves `photos` by their addresses; what is not there does not answer.

    `inside` are addresses that are refused. `trouble` is called before each fetch: it
    may raise.
    """

    def __init__(self) -> None:
        self.photos: dict[str, bytes] = {}
        self.inside: set[str] = set()
        self.trouble: Callable[[], None] = _no_trouble
        self.asked: list[str] = []

    def check(self, url: str, within: float) -> None:
        """Raise UnsafeDestination for addresses inside."""
        del within
        if url in self.inside:
            raise UnsafeDestination

    def fetch(
        self,
        url: str,
        take: Callable[[bytes], None],
        *,
        limit: int,
        timeout: float,
        beat: Callable[[], None],
    ) -> PaperFetched:
        """Serve a photo in pieces."""
        del timeout
        self.asked.append(url)
        if url in self.inside:
            raise SourceRefused
        self.trouble()
        if url not in self.photos:
            raise SourceUnreachable
        photo = self.photos[url]
        if len(photo) > limit:
            raise UploadTooLarge
        for begin in range(0, len(photo), PIECE):
            beat()
            take(photo[begin : begin + PIECE])
        digest = hashlib.sha256(photo).hexdigest()
        return PaperFetched(url.rpartition("/")[2] or None, len(photo), digest)


def _no_trouble() -> None:
    """All is well."""
