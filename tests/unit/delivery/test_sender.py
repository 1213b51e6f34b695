"""Sending once: signed now, and whatever a receiver does is an attempt and no more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pixtools.delivery.sender import Sender, retry_after
from pixtools.domain.document import AttemptDocument
from pixtools.domain.errors import UnsafeDestination
from pixtools.domain.signature import VALID, verdict
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.deliveries import deliveries_of
from pixtools.jobs.sandbox import open_sandbox, received
from pixtools.jobs.signing import rotate, secrets_of
from pixtools.jobs.tell import due_in, take
from pixtools.net.errors import Unreachable
from pixtools.testing.house import House
from pixtools.testing.paper_wire import Answering, PaperWire, Said, Sent

HOOK = "https://example.org/hook"
HOST = "example.org:443"
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def told(house: House, answer: Answering, url: str = HOOK) -> AttemptDocument:
    """Send a job's end to one receiver; the attempt as it is listed."""
    job = house.submit(webhook_url=url)
    house.work()
    wire = PaperWire({HOST: answer})
    parcel = take(house.service, "me")
    assert parcel is not None
    Sender(house.service, wire).send(parcel)
    (listed,) = deliveries_of(house.service, "default", job.id)
    return listed.attempts[-1]


def raising(error: Exception) -> Answering:
    def answer(sent: Sent) -> Said:
        raise error

    return answer


def test_what_is_sent_is_signed_at_that_moment(house: House) -> None:
    """Body and id stay; the time and the secrets are of now."""
    heard: list[Sent] = []

    def answer(sent: Sent) -> Said:
        heard.append(sent)
        return Said(status=500)

    job = house.submit(webhook_url=HOOK)
    house.work()
    sender = Sender(house.service, PaperWire({HOST: answer}))
    for _ in range(2):
        parcel = take(house.service, "me")
        assert parcel is not None
        sender.send(parcel)
        secret, *_ = secrets_of(house.service, "default")
        now = house.clock.now()
        last = heard[-1]
        assert verdict(last.headers, last.body, secret, now) == VALID
        assert last.headers["content-type"] == "application/json; charset=utf-8"
        rotate(house.service, "default")
        house.clock.advance(due_in(house.service) or 0)
    first, second = heard
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert len(second.headers["webhook-signature"].split()) == 2
    assert str(job.id).encode() in first.body


def test_the_begin_of_an_answer_is_kept(house: House) -> None:
    """2 KB of it, and nothing that a database could not hold."""
    attempt = told(house, lambda _: Said(status=418, body=b"\0\xff" + b"x" * 5000))
    assert (attempt.status, attempt.ms, attempt.error) == (418, 7, None)
    assert attempt.body == "\N{REPLACEMENT CHARACTER}" * 2 + "x" * 2046


@pytest.mark.parametrize(
    ("error", "said", "troubled"),
    [
        (UnsafeDestination(), "refused", False),
        (Unreachable(), "unreachable", True),
        (ZeroDivisionError(), "internal error", False),
    ],
)
def test_what_fails_is_said_in_general(
    house: House, error: Exception, said: str, troubled: bool
) -> None:
    """Who asks for a webhook learns nothing of the network that we stand in."""
    attempt = told(house, raising(error))
    assert (attempt.status, attempt.error, attempt.body) == (None, said, "")
    with house.database.read() as tx:
        assert (tx.circuits.get(HOST) is not None) is troubled


def test_a_receiver_may_ask_to_come_later(house: House) -> None:
    told(house, lambda _: Said(status=503, headers={"retry-after": "90"}))
    left = due_in(house.service)
    assert left is not None
    assert left.total_seconds() == 90


def test_our_own_sandbox_is_told_without_a_call(house: House) -> None:
    """By its own secret; and its verdict is that of any receiver."""
    opened = open_sandbox(house.service, "default", "http://127.0.0.1:8000")
    attempt = told(house, raising(AssertionError()), opened.sandbox.url)
    assert attempt.status == 200
    _, (receipt,) = received(house.service, "default", opened.sandbox.id)
    assert receipt.verdict == VALID
    assert receipt.headers["webhook-id"].startswith("msg_")
    now, body = house.clock.now(), receipt.body.encode()
    assert verdict(receipt.headers, body, opened.secret, now) == VALID


def test_a_sandbox_of_another_tenant_is_a_stranger(house: House) -> None:
    """It is called as any address is, and not signed for as its own."""
    opened = open_sandbox(house.service, "you", "https://example.org")
    assert told(house, lambda _: Said(status=201), opened.sandbox.url).status == 201
    assert received(house.service, "you", opened.sandbox.id)[1] == []


def test_a_sandbox_whose_time_is_over_does_not_answer(house: House) -> None:
    opened = open_sandbox(house.service, "default", "http://127.0.0.1:8000")
    house.clock.advance(house.rules.webhooks.sandbox_life)
    attempt = told(house, raising(AssertionError()), opened.sandbox.url)
    assert (attempt.status, attempt.error) == (None, "unreachable")


def test_the_operators_two_secrets_both_sign(house: House) -> None:
    old, new = "whsec_" + "A" * 32, "whsec_" + "B" * 32
    house.rule(webhooks=WebhookRules(signing_secrets=(new, old)))
    heard: list[Sent] = []

    def answer(sent: Sent) -> Said:
        heard.append(sent)
        return Said()

    told(house, answer)
    for secret in (old, new):
        now = house.clock.now()
        assert verdict(heard[0].headers, heard[0].body, secret, now) == VALID


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("1e9", None),
        ("nan", None),
        ("0", 0),
        ("120", 120),
        ("9" * 400, 999_999_999_999),
        ("Sun, 22 Nov 2026 08:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 07:02:00 GMT", 0),
        ("Sun, 22 Nov 2026 08:02:00 -0000", 120),
        ("Sun, 99 Nov 2026 08:02:00 GMT", None),
    ],
)
def test_how_long_a_receiver_wants_to_be_left_alone(
    said: str | None, seconds: float | None
) -> None:
    assert retry_after(said, NOW) == seconds
