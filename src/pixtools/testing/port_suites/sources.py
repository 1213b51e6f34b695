"""What everyone promises who fetches sources.

Subclass, and give the fixtures that the methods ask for.
"""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import hashlib

import pytest

from pixtools.domain.errors import (
    SourceRefused,
    SourceUnreachable,
    UnsafeDestination,
    UploadTooLarge,
)
from pixtools.jobs.ports.sources import Fetcher
from pixtools.testing.house import tiny_gif

PHOTO = tiny_gif()


class Stop(Exception):
    """What a caller raises here; no error that a fetcher knows."""


class FetcherSuite:
    """Give the fixtures `fetcher`, `there` (serves PHOTO), `gone` and `inside`."""

    def fetch(self, fetcher: Fetcher, url: str, limit: int = 1000) -> bytes:
        """All that came from an address."""
        came = bytearray()
        fetched = fetcher.fetch(
            url, came.extend, limit=limit, timeout=10, beat=lambda: None
        )
        assert fetched.bytes == len(came)
        assert fetched.sha256 == hashlib.sha256(came).hexdigest()
        return bytes(came)

    def test_a_photo_comes_whole(self, fetcher: Fetcher, there: str) -> None:
        """Byte for byte, counted and hashed, and with a name."""
        assert self.fetch(fetcher, there) == PHOTO
        fetched = fetcher.fetch(
            there, lambda _: None, limit=1000, timeout=10, beat=lambda: None
        )
        assert fetched.filename == "cat.gif"

    def test_an_address_that_may_be_fetched_from_passes(
        self, fetcher: Fetcher, there: str
    ) -> None:
        """Whether something stands there is not asked."""
        for within in (0, 5):
            fetcher.check(there, within)

    def test_an_address_inside_is_refused_when_it_is_given_and_when_it_is_fetched(
        self, fetcher: Fetcher, inside: str
    ) -> None:
        """Twice, because names move."""
        with pytest.raises(UnsafeDestination):
            fetcher.check(inside, 5)
        with pytest.raises(SourceRefused):
            self.fetch(fetcher, inside)

    def test_what_does_not_answer_is_worth_another_try(
        self, fetcher: Fetcher, gone: str
    ) -> None:
        """It may have come back by then."""
        with pytest.raises(SourceUnreachable) as refusal:
            self.fetch(fetcher, gone)
        assert refusal.value.retryable

    def test_more_than_the_limit_does_not_come(
        self, fetcher: Fetcher, there: str
    ) -> None:
        """However much the server has."""
        with pytest.raises(UploadTooLarge):
            self.fetch(fetcher, there, limit=len(PHOTO) - 1)
        assert self.fetch(fetcher, there, limit=len(PHOTO)) == PHOTO

    def test_whoever_is_responsible_hears_of_it_all_the_while(
        self, fetcher: Fetcher, there: str
    ) -> None:
        """Also while bytes come steadily: a claim has to be kept alive."""
        beats = list[None]()
        fetcher.fetch(
            there,
            lambda _: None,
            limit=1000,
            timeout=10,
            beat=lambda: beats.append(None),
        )
        assert beats

    def test_whoever_takes_the_bytes_may_stop(
        self, fetcher: Fetcher, there: str
    ) -> None:
        """As soon as the first bytes show that it is no photo."""

        def stop(chunk: bytes) -> None:
            del chunk
            raise Stop

        with pytest.raises(Stop):
            fetcher.fetch(there, stop, limit=1000, timeout=10, beat=lambda: None)
