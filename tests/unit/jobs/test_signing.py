"""The secrets that events are signed with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.jobs.test_tell import due, taken

from pixtools.domain.errors import ConfigurationInvalid, SecretFixed
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.deliveries import deliveries_of
from pixtools.jobs.signing import live_secrets, rotate, secrets_of
from pixtools.jobs.tell import take
from pixtools.testing.house import House
from pixtools.testing.memory_webhooks import PlainSealer


def test_each_tenant_has_a_secret_of_its_own_kept_sealed(house: House) -> None:
    due(house)
    (secret,) = taken(house).secrets
    assert secret.startswith("whsec_")
    assert secrets_of(house.service, "default") == [secret]
    assert secrets_of(house.service, "you") != [secret]
    with house.database.read() as tx:
        (kept,) = tx.secrets.live("default", house.clock.now())
    assert kept.sealed == PlainSealer().seal(secret)


def test_two_secrets_sign_while_one_is_replaced(house: House) -> None:
    """Never three; and a day later only the new one."""
    first, second = rotate(house.service, "me"), rotate(house.service, "me")
    assert secrets_of(house.service, "me") == [second.secret, first.secret]
    third = rotate(house.service, "me")
    assert secrets_of(house.service, "me") == [third.secret, second.secret]
    house.clock.advance(house.rules.webhooks.overlap)
    assert secrets_of(house.service, "me") == [third.secret]


def test_the_operators_secrets_win_for_the_default_tenant(house: House) -> None:
    fixed = ("whsec_a", "whsec_b")
    house.rule(webhooks=WebhookRules(signing_secrets=fixed))
    assert secrets_of(house.service, "default") == list(fixed)
    assert [each.created_at for each in live_secrets(house.service, "default")] == [
        None,
        None,
    ]
    assert secrets_of(house.service, "me")[0] not in fixed
    with pytest.raises(SecretFixed):
        rotate(house.service, "default")


def test_a_secret_that_cannot_be_read_is_a_failed_attempt(house: House) -> None:
    """It holds up nobody else."""
    job_id = due(house)
    secrets_of(house.service, "default")

    class OtherKey(PlainSealer):
        def unseal(self, sealed: str) -> str:
            raise ConfigurationInvalid

    service = replace(house.service, sealer=OtherKey())
    with pytest.raises(ConfigurationInvalid):
        take(service, "me")
    (listed,) = deliveries_of(house.service, "default", job_id)
    assert [each.error for each in listed.attempts] == ["signing secret unreadable"]
    assert listed.state == "pending"
