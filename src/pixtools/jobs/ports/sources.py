"""Sources that stand elsewhere, behind an address.

The verbs own their ports; adapters obey them. Every port has at most six methods,
an in-memory twin in `pixtools.testing` and one suite that each adapter passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class FetchedSource(Protocol):
    """What was fetched, and what its server called it."""

    @property
    def filename(self) -> str | None:
        """A name, as data: never a path."""
        ...

    @property
    def bytes(self) -> int:
        """How many there were."""
        ...

    @property
    def sha256(self) -> str:
        """Their hash, in hex."""
        ...


class Fetcher(Protocol):
    """Gets photos from strangers, and from no place that only we can reach."""

    def check(self, url: str, within: float) -> None:
        """Raise UnsafeDestination for an address that would not be fetched from.

        Takes `within` seconds at most; in none at all nobody is asked for a name. What
        can't be known just now is not raised for.
        """
        ...

    def fetch(
        self,
        url: str,
        take: Callable[[bytes], None],
        *,
        limit: int,
        timeout: float,
        beat: Callable[[], None],
    ) -> FetchedSource:
        """Give the file's bytes to `take` as they come, `limit` at most.

        Ends within `timeout` seconds, and calls `beat` at least four times in each.
        Raises SourceRefused, SourceUnreachable (worth another try), UploadTooLarge,
        and what `take` and `beat` raise.
        """
        ...
