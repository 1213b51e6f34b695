from __future__ import annotations

from pixtools.testing.fixtures import hostile_paths, sources

__all__ = ["hostile_paths", "sources"]
