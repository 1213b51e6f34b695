"""Where calls to the outside may lead in this deployment."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.net.addresses import Network
from pixtools.net.config import GuardConfig
from pixtools.net.guard import Guard
from pixtools.settings import Settings

if TYPE_CHECKING:
    from pixtools.net.client import Client, Fetched


class Sources:
    """Fetches sources through a guard; who only checks addresses carries no client."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def check(self, url: str, within: float) -> None:
        """As `Guard.check`."""
        self._guard.check(url, within)

    def fetch(
        self,
        url: str,
        take: Callable[[bytes], None],
        *,
        limit: int,
        timeout: float,
        beat: Callable[[], None],
    ) -> Fetched:
        """As `Client.fetch`."""
        return self._client.fetch(url, take, limit=limit, timeout=timeout, beat=beat)

    @cached_property
    def _client(self) -> Client:
        from pixtools.net.client import Client

        return Client(self._guard)


def sources(settings: Settings) -> Sources:
    """What fetches `source_type=url`; raises ConfigurationInvalid."""
    networks = _networks("SOURCE_ALLOWED_NETWORKS", settings.source_allowed_networks)
    return Sources(_guard(settings, networks))


def webhook_guard(settings: Settings) -> Guard:
    """What looks at webhook receivers; raises ConfigurationInvalid."""
    networks = _networks("WEBHOOK_ALLOWED_NETWORKS", settings.webhook_allowed_networks)
    return _guard(settings, networks)


def _guard(settings: Settings, networks: tuple[Network, ...]) -> Guard:
    https_only = settings.outbound_https_only
    return Guard(GuardConfig(networks=networks, https_only=https_only))


def _networks(variable: str, text: str) -> tuple[Network, ...]:
    named = [each.strip() for each in text.split(",") if each.strip()]
    try:
        return tuple(ip_network(each) for each in named)
    except ValueError as error:
        raise ConfigurationInvalid(
            f"Expected networks such as 10.1.0.0/16,fd00:1::/32 for {variable}, but "
            f"{error}."
        ) from None
