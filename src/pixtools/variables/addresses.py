"""What is wrong with the address of a server, said without the password in it."""

from __future__ import annotations

from urllib.parse import urlsplit


def check_address(name: str, url: str) -> None:
    """Raise ValueError, with a sentence, where its client could make no sense of it."""
    try:
        _port_of(name, url)
    except ValueError:
        text = (
            f"{name} has a host or port that can't be read; in a password "
            "write %2F for /, %3A for :, %40 for @, %23 for # and %3F for ?."
        )
        raise ValueError(text) from None


def check_redis_options(url: str) -> None:
    """Raise ValueError, with a sentence, for an option of no use to redis-py."""
    if "?" not in url:
        return
    from pixtools.limits.config import RedisConfig
    from pixtools.limits.redis import patience

    try:
        seconds = patience(RedisConfig(url=url))
    except ValueError as error:
        text = str(error).replace("connection URL", "REDIS_URL")
        raise ValueError(text) from None
    if not seconds > 0:
        raise ValueError("Expected seconds above 0 for socket_timeout in REDIS_URL.")


def _port_of(name: str, url: str) -> None:
    """Read it as its client does; raises ValueError."""
    if name == "DATABASE_URL":
        _port_of_database(url)
    elif name == "RABBITMQ_URL":
        for one in url.split(";"):  # a broker may have several addresses
            _ = urlsplit(one).port
    else:
        _ = urlsplit(url).port


def _port_of_database(url: str) -> None:
    if not url.startswith("postgres"):
        return
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(url)
    except ArgumentError as error:
        raise ValueError from error
