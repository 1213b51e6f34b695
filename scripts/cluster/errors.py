"""What can go wrong with a cluster on this machine."""

from __future__ import annotations


class CannotRun(Exception):
    """The cluster can't be started or kept up; the sentence says why."""
