"""How libvips is set up in this process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """`threads` is libvips' number of threads per operation.

    One thread per process is fastest where several processes share the cores.
    """

    threads: int = 1
