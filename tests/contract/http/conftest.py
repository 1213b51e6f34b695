"""A site for each test."""

from __future__ import annotations

import pytest
from tests.contract.http.site import Site


@pytest.fixture
def site() -> Site:
    """The app on a house of twins."""
    return Site()
