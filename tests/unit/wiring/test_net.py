"""Settings say where calls to the outside may lead."""

from __future__ import annotations

from typing import Any

import pytest

from pixtools.domain.errors import ConfigurationInvalid, UnsafeDestination
from pixtools.settings import Settings
from pixtools.wiring.net import sources, webhook_guard


def settings(**told: Any) -> Settings:
    return Settings(_env_file=None, **told)


def test_without_a_word_calls_lead_to_public_addresses_alone() -> None:
    """Neither a photo nor a receiver stands inside."""
    for check in (sources(settings()).check, webhook_guard(settings()).check):
        check("http://8.8.8.8/", 5)
        with pytest.raises(UnsafeDestination):
            check("http://10.1.2.3/", 5)


def test_each_use_has_networks_of_its_own() -> None:
    """Who may receive does not serve."""
    told = settings(
        webhook_allowed_networks="10.1.0.0/16, fd00:1::/32",
        source_allowed_networks="10.2.0.0/16,",
    )
    webhook_guard(told).check("http://10.1.2.3/")
    webhook_guard(told).check("http://[fd00:1::7]/")
    sources(told).check("http://10.2.0.1/", 5)
    with pytest.raises(UnsafeDestination):
        webhook_guard(told).check("http://10.2.0.1/")
    with pytest.raises(UnsafeDestination):
        sources(told).check("http://10.1.2.3/", 5)


def test_an_operator_may_insist_on_encryption() -> None:
    """For both."""
    told = settings(outbound_https_only=True)
    for check in (sources(told).check, webhook_guard(told).check):
        check("https://8.8.8.8/", 5)
        with pytest.raises(UnsafeDestination):
            check("http://8.8.8.8/", 5)


@pytest.mark.parametrize("text", ["10.1.2.3/16", "everyone", "10.1.0.0/16;10.2.0.0/16"])
def test_networks_that_nobody_can_read_are_named(text: str) -> None:
    """At the start, not at the first call."""
    with pytest.raises(ConfigurationInvalid, match="WEBHOOK_ALLOWED_NETWORKS"):
        webhook_guard(settings(webhook_allowed_networks=text))
    with pytest.raises(ConfigurationInvalid, match="SOURCE_ALLOWED_NETWORKS"):
        sources(settings(source_allowed_networks=text))
