"""Where calls to the outside may lead: the public internet, unless the operator says.

A destination is looked at when it is given, so that its owner hears of it, and again
when it is dialled, because names move. Then the name is looked up once, every answer
is looked at, and one of these very addresses is dialled.
"""

from __future__ import annotations

import logging

from pixtools.net.addresses import Address, address_of, is_in, is_public
from pixtools.net.config import GuardConfig
from pixtools.net.deadline import Deadline
from pixtools.net.destination import Destination, destination_of
from pixtools.net.errors import Refused, Unreachable
from pixtools.net.lookups import Lookups, Resolve, system_resolver

log = logging.getLogger(__name__)


class Guard:
    """Lets calls through to allowed addresses; safe to share between threads."""

    def __init__(self, config: GuardConfig, resolve: Resolve = system_resolver) -> None:
        self._config = config
        self._lookups = Lookups(resolve, config.most_lookups)

    def check(self, url: str, within: float = 3.0) -> None:
        """Raise Refused for a URL that may not be called.

        Takes `within` seconds at most; if that is none, names are not looked up. One
        that can't be looked up just now passes: it is looked at again when it is
        dialled.
        """
        where = self.destination(url)
        if within <= 0:
            return
        try:
            self.addresses(where, Deadline(within))
        except Unreachable:
            log.info("destination_not_looked_up", extra={"host": where.host})

    def destination(self, url: str) -> Destination:
        """What a URL names, without asking anyone; raises Refused."""
        return self.admitted(destination_of(url))

    def admitted(self, destination: Destination) -> Destination:
        """The destination again, unless what it names is refused: then Refused."""
        if self._config.https_only and destination.scheme != "https":
            raise Refused
        if destination.literal is not None and not self._allows(destination.literal):
            raise _refused(destination)
        return destination

    def addresses(
        self, destination: Destination, deadline: Deadline
    ) -> tuple[str, ...]:
        """The addresses that may be dialled for a destination.

        Raises Refused if any of its addresses is not allowed, Unreachable if it can't
        be looked up in time.
        """
        if destination.literal is not None:
            self.admitted(destination)
            return (destination.literal.compressed,)
        found = self._lookups.look_up(destination.host, destination.port, deadline)
        known = [address_of(text) for text in found]
        if not known or not all(each and self._allows(each) for each in known):
            raise _refused(destination)
        dialled = dict.fromkeys(each.compressed for each in known if each)
        return tuple(dialled)[: self._config.most_addresses]

    def _allows(self, address: Address) -> bool:
        if any(is_in(address, network) for network in self._config.networks):
            return True
        return is_public(address)


def _refused(destination: Destination) -> Refused:
    log.info("destination_refused", extra={"host": destination.host})
    return Refused()
