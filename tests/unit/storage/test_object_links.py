"""Links to an object store: kept for a while, and good for long enough all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pixtools.storage.config import ObjectsConfig
from pixtools.storage.object_links import S3Links, address_of
from pixtools.testing.clock import HandClock

KEY = "processed/0198c0de/small.webp"
LIVES = [timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)]


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime.now(UTC))


def links(life: timedelta, clock: HandClock) -> S3Links:
    config = ObjectsConfig(
        bucket="pictures", access_key="a", secret_key="b", download_expiry=life
    )
    return S3Links(config, clock)


def download(made: S3Links) -> tuple[str, datetime]:
    return made.download(KEY, "small.webp", "image/webp")


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_the_end_that_is_told_is_the_one_that_is_signed(
    life: timedelta, clock: HandClock
) -> None:
    url, expires_at = download(links(life, clock))
    told = parse_qs(urlsplit(url).query)
    begins = datetime.fromisoformat(told["X-Amz-Date"][0])
    assert begins + timedelta(seconds=int(told["X-Amz-Expires"][0])) == expires_at
    assert expires_at - begins == life


@pytest.mark.parametrize("life", LIVES, ids=str)
def test_a_link_is_given_out_for_a_sixteenth_of_its_life_at_most(
    life: timedelta, clock: HandClock
) -> None:
    """With as much again for a 304, seven eighths are always left."""
    made = links(life, clock)
    given: list[float] = []
    for _ in range(200):
        before = made._kept.cache_info().misses
        download(made)
        if made._kept.cache_info().misses > before:
            given.append(0.0)
        assert given[-1] * 16 < life.total_seconds()
        clock.advance(life / 100)
        given[-1] += (life / 100).total_seconds()
    assert 30 < len(given) < 40


def test_polls_in_a_row_show_the_same_link(clock: HandClock) -> None:
    """Else no browser would know a picture again."""
    made = links(timedelta(days=1), clock)
    assert len({download(made)[0] for _ in range(10)}) <= 2


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        (ObjectsConfig(bucket="pictures"), "pictures.s3.us-east-1.amazonaws.com"),
        (ObjectsConfig(bucket="b", endpoint="http://[::1]:9000"), "[::1]:9000"),
        (
            ObjectsConfig(
                bucket="b",
                endpoint="http://s3:9000",
                public_endpoint="https://s3.example.org",
            ),
            "s3.example.org",
        ),
        (
            ObjectsConfig(bucket="b", public_base_url="https://cdn.example.org/b"),
            "cdn.example.org",
        ),
    ],
    ids=["AWS", "another store", "a name for clients", "public"],
)
def test_where_outputs_are_is_known_without_asking(
    given: ObjectsConfig, origin: str, clock: HandClock
) -> None:
    """Not even for credentials, which a machine's role may give later."""
    assert urlsplit(address_of(given, clock)).netloc == origin
