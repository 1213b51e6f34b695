"""What the API is told of itself."""

from __future__ import annotations

import pytest

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.settings import Settings
from pixtools.wiring.service import public_address


@pytest.mark.parametrize(
    "url", ["photos.example.org", "https://", "https://photos:https", "http://[::1"]
)
def test_half_an_address_for_all_links_stops_the_start(url: str) -> None:
    """Every link of every job would lead nowhere."""
    with pytest.raises(ConfigurationInvalid, match="PUBLIC_BASE_URL"):
        public_address(Settings(public_base_url=url))


def test_a_password_in_it_is_not_shown() -> None:
    """It would stand in every link, too."""
    settings = Settings(public_base_url="https://ann:opensesame@photos.example.org")
    with pytest.raises(ConfigurationInvalid, match="with a password") as refusal:
        public_address(settings)
    assert "opensesame" not in refusal.value.detail


def test_an_address_may_have_a_path() -> None:
    """Behind a proxy that serves others, too."""
    for url in ("https://example.org/photos", "http://127.0.0.1:8000", "http://[::1]"):
        assert public_address(Settings(public_base_url=url)) == url
    assert public_address(Settings()) is None
