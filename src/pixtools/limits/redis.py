"""Buckets in Redis: for servers that share their clients.

Redis is never needed. Where it does not answer at once, requests are allowed and, for
some seconds, it is not asked; the log says so once, and once when it is back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from redis import Redis, RedisError
from redis.asyncio import BlockingConnectionPool, Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry as SyncRetry

from pixtools.limits.bucket import UNCOUNTED, Taken, taken
from pixtools.limits.config import BucketConfig, RedisConfig

TAKE: Final = """\
local capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(kept[1]) or capacity, tonumber(kept[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local allowed = 0
if tokens >= 1 then
  tokens = tokens - 1
  allowed = 1
end
redis.call('HSET', KEYS[1],
  'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate))
return {allowed, string.format('%.6f', tokens)}
"""
"""Takes one token by the server's clock (ms). A bucket is gone when it is full."""

_AWAY: Final = (RedisError, OSError, TimeoutError)
_log = logging.getLogger(__name__)


class RedisBuckets:
    """A bucket for each client and route, counted once for all servers."""

    def __init__(
        self,
        config: BucketConfig,
        redis: RedisConfig,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._redis = redis
        self._now = now
        self._patience = patience(redis)
        self._client = _client(redis, self._patience)
        self._script = self._client.register_script(TAKE)
        self._away = False
        self._asked_again_at = 0.0

    @property
    def capacity(self) -> int:
        """Requests that a full bucket holds."""
        return self._config.capacity

    @property
    def window(self) -> float:
        """Seconds in which an empty bucket fills."""
        return self._config.window

    async def take(self, who: str, route: str) -> Taken:
        """Take one request out of a client's bucket; never raises, never waits long."""
        if self._away and not self._may_ask():
            return UNCOUNTED
        try:
            found = await self._asked(_key(self._redis.prefix, route, who))
        except _AWAY as error:
            self._lose(error)
            return UNCOUNTED
        self._find()
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.aclose()

    async def _asked(self, key: str) -> Taken:
        # A script that the server has forgotten is sent anew by the library.
        async with asyncio.timeout(self._patience):
            allowed, tokens = await self._script(
                keys=[key], args=[self.capacity, self._config.rate / 1000]
            )
        return taken(self._config, float(tokens), allowed=bool(allowed))

    def _may_ask(self) -> bool:
        """One request at a time finds out whether Redis is back."""
        if self._now() < self._asked_again_at:
            return False
        self._asked_again_at = self._now() + self._redis.rest
        return True

    def _lose(self, error: Exception) -> None:
        self._asked_again_at = self._now() + self._redis.rest
        if not self._away:
            why = str(error) or type(error).__name__
            _log.warning("Redis is away, so nobody's rate is limited: %s", why)
        self._away = True

    def _find(self) -> None:
        if self._away:
            _log.info("Redis is back, and rates are limited again.")
        self._away = False


def patience(redis: RedisConfig) -> float:
    """Seconds for a whole question; the address's own `socket_timeout` goes first.

    The library would let it win for a socket, and another limit would be silently
    the shorter one. Raises ValueError for an address with an option of no use.
    """
    said = parse_url(redis.url)  # type: ignore[no-untyped-call]  # of the library
    return float(said.get("socket_timeout", redis.timeout))


def check(redis: RedisConfig) -> None:
    """Raise unless Redis answers within a second."""
    once = SyncRetry(NoBackoff(), 0)
    limits = {"socket_timeout": 1, "socket_connect_timeout": 1}
    with Redis.from_url(redis.url, retry=once, **limits) as client:
        client.ping()


def _client(redis: RedisConfig, patience: float) -> AsyncRedis:
    pool = BlockingConnectionPool.from_url(
        redis.url,
        max_connections=redis.connections,
        timeout=patience,
        socket_timeout=patience,
        socket_connect_timeout=patience,
        # A connection that was cut while it lay idle says nothing about the server.
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return AsyncRedis.from_pool(pool)


def _key(prefix: str, route: str, who: str) -> str:
    """Braces would tell a Redis cluster to keep a whole route in one place."""
    return f"{prefix}:{route}:{who}".replace("{", "").replace("}", "")
