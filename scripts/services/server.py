"""What each of the four servers is to the commands that start and stop it."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from scripts.services.place import Place
from scripts.services.processes import Room

Variables = Mapping[str, str]
"""Lines of the environment: DATABASE_URL and its like."""


@dataclass(frozen=True, slots=True)
class Image:
    """A server for a container engine: which of its ports become which of ours."""

    name: str
    ports: Mapping[str, int]
    command: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    """Values are formats that `user` and `secret` are put into."""


class Server(ABC):
    """One kind of server: how it is named, looked at, started and stopped."""

    name: ClassVar[str]
    """As on the command line."""
    title: ClassVar[str]
    """As in sentences."""
    named_by: ClassVar[str]
    """The variable that names one that runs elsewhere."""
    account: ClassVar[str]
    """Who runs it where the caller is root: the account of its Debian package."""
    packages: ClassVar[Mapping[str, str]]
    """Debian packages, each with what it is for."""
    ports: ClassVar[Sequence[str]]
    """Of the place, those that it listens on."""
    processes: ClassVar[Sequence[str]]
    """Its processes, in the order in which they are stopped."""
    ends_by: ClassVar[signal.Signals]
    """What makes them end without losing anything."""
    seconds: ClassVar[float]
    """How long its first start may take on a busy machine."""
    image: ClassVar[Image]

    @abstractmethod
    def lines(self, place: Place) -> dict[str, str]:
        """The environment that leads to the one of this checkout."""

    @abstractmethod
    def taken(self, environ: Variables) -> dict[str, str]:
        """The lines of an environment that lead to one that runs elsewhere."""

    @abstractmethod
    def check(self, variables: Variables) -> None:
        """Raise NoAnswer unless it is there and does what it is for."""

    @abstractmethod
    def missing(self) -> list[str]:
        """Programs of it that are not on this machine."""

    @abstractmethod
    def launch(self, room: Room) -> None:
        """Start it, making its data on first use; raises CannotServe."""

    @abstractmethod
    def furnish(self, place: Place) -> None:
        """Make what a client expects to find in it; called when it answers."""
