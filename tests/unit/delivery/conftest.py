"""A house on twins for each test."""

from __future__ import annotations

import pytest

from pixtools.testing.house import House


@pytest.fixture
def house() -> House:
    return House()
