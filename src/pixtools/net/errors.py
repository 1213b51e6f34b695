"""How a call to the outside fails. What stood in the way is told to logs alone."""

from __future__ import annotations

from pixtools.domain.errors import Unavailable, UnsafeDestination


class Refused(UnsafeDestination):
    """This address can't be used."""


class Unreachable(Unavailable):
    """The address does not answer."""
