"""Why a server can't be had."""

from __future__ import annotations


class CannotServe(Exception):
    """A server can't be had; the sentence says why, and what to do about it."""


class NoAnswer(Exception):
    """Nothing answers there, or not as this kind of server does."""
