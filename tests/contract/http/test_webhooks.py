"""What clients are told, shown and told again; what it is signed with; sandboxes."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from tests.contract.http.asgi import Exchange
from tests.contract.http.site import Site, problem
from tests.contract.http.test_streams import Heard, listen

from pixtools.api.config import ApiConfig
from pixtools.delivery.sender import Sender
from pixtools.domain.document import DeliveryDocument, WebhookEvent
from pixtools.domain.webhook import WebhookRules
from pixtools.jobs.tell import take
from pixtools.testing.clock import HandClock
from pixtools.testing.house import House
from pixtools.testing.paper_wire import PaperWire, Said
from pixtools.wiring.machine import SystemClock

HOOK = "https://example.org/hook"
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def site() -> Site:
    """It is now: the standard library compares signatures with the real clock."""
    config = ApiConfig(poll_interval=0.05, progress_interval=0.01)
    return Site(config=config, house=House(clock=HandClock(SystemClock().now())))


def ended(site: Site, url: str = HOOK) -> str:
    job_id: str = site.upload(webhook_url=url).json()["job_id"]
    site.work()
    return job_id


def tell(site: Site, said: Said | None = None) -> PaperWire:
    """Send what is due; the receiver says this."""
    wire = PaperWire({"example.org:443": lambda _: said or Said()})
    sender = Sender(site.house.service, wire)
    while parcel := take(site.house.service, "me"):
        sender.send(parcel)
    return wire


def listed(site: Site, job_id: str) -> dict[str, Any]:
    answer = site.ask("GET", f"/v1/jobs/{job_id}/deliveries")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (found,) = answer.json()["data"]
    DeliveryDocument.model_validate(found)
    return dict(found)


def state(site: Site, job_id: str) -> dict[str, Any]:
    return dict(site.ask("GET", f"/v1/jobs/{job_id}").json()["webhook"])


class TestDeliveries:
    def test_each_attempt_is_shown(self, site: Site) -> None:
        job_id = ended(site)
        tell(site, Said(status=500, body=b"oops", ms=12))
        shown = listed(site, job_id)
        assert shown["event"] == "job.succeeded"
        assert shown["webhook_id"].startswith("msg_")
        assert shown["state"] == "pending"
        assert shown["next_attempt_at"]
        (attempt,) = shown["attempts"]
        assert (attempt["status"], attempt["ms"], attempt["body"]) == (500, 12, "oops")
        link = site.ask("GET", f"/v1/jobs/{job_id}").json()["links"]["deliveries"]
        assert link == f"/v1/jobs/{job_id}/deliveries"

    def test_a_job_without_a_webhook_has_none(self, site: Site) -> None:
        job_id = site.upload().json()["job_id"]
        site.work()
        answer = site.ask("GET", f"/v1/jobs/{job_id}/deliveries")
        assert answer.json() == {"data": []}
        document = site.ask("GET", f"/v1/jobs/{job_id}").json()
        assert document["webhook"] is None
        assert "deliveries" not in document["links"]

    @pytest.mark.parametrize("job_id", [UNKNOWN, "x", "%00"])
    def test_those_of_an_unknown_job_are_not_found(
        self, site: Site, job_id: str
    ) -> None:
        path = f"/v1/jobs/{job_id}/deliveries"
        problem(site.ask("GET", path), 404, "job_not_found")

    def test_the_body_is_the_jobs_document(self, site: Site) -> None:
        job_id = ended(site)
        (sent,) = tell(site).sent
        event = WebhookEvent.model_validate_json(sent.body)
        shown = site.ask("GET", f"/v1/jobs/{job_id}").json()
        told = json.loads(sent.body)["data"]
        assert event.type == "job.succeeded"
        # What it says of its own telling is of before it was told.
        changed = {"webhook", "outputs", "archive"}
        assert {k: told[k] for k in told.keys() - changed} == {
            k: shown[k] for k in shown.keys() - changed
        }
        for name in ("sha256", "bytes", "status"):
            assert told["outputs"][0][name] == shown["outputs"][0][name]


class TestReplay:
    def test_what_failed_is_told_again_by_the_same_id(self, site: Site) -> None:
        job_id = ended(site)
        (first,) = tell(site, Said(status=410)).sent
        assert state(site, job_id)["state"] == "failed"
        path = f"/v1/deliveries/{listed(site, job_id)['id']}/replay"
        answer = site.ask("POST", path)
        assert answer.status_code == 202
        assert answer.json()["state"] == "pending"
        (second,) = tell(site).sent
        assert second.headers["webhook-id"] == first.headers["webhook-id"]
        assert second.body == first.body
        assert state(site, job_id)["state"] == "delivered"
        assert [a["status"] for a in listed(site, job_id)["attempts"]] == [410, 200]

    @pytest.mark.parametrize("delivery_id", [UNKNOWN, "x", "%00", "é"])
    def test_an_unknown_one_is_not_found(self, site: Site, delivery_id: str) -> None:
        path = f"/v1/deliveries/{delivery_id}/replay"
        problem(site.ask("POST", path), 404, "delivery_not_found")

    def test_an_expired_jobs_events_are_gone_with_it(self, site: Site) -> None:
        path = f"/v1/deliveries/{listed(site, ended(site))['id']}/replay"
        site.house.clock.advance(timedelta(hours=25))
        problem(site.ask("POST", path), 410, "job_expired")

    def test_the_other_face_tells_what_became_of_it(self, site: Site) -> None:
        """In its own word."""
        job_id = site.process(webhook_url=HOOK).json()["job_id"]
        site.work()
        shown = f"/api/jobs/{job_id}"
        assert site.ask("GET", shown).json()["status"] == "COMPLETED"
        tell(site, Said(status=410))
        assert site.ask("GET", shown).json()["status"] == "COMPLETED_WEBHOOK_FAILED"
        site.ask("POST", f"/v1/deliveries/{listed(site, job_id)['id']}/replay")
        tell(site)
        assert site.ask("GET", shown).json()["status"] == "COMPLETED"


class TestSecrets:
    def test_a_new_one_is_shown_once_and_signs_beside_the_last(
        self, site: Site
    ) -> None:
        old = site.ask("POST", "/v1/webhook-secrets").json()
        new = site.ask("POST", "/v1/webhook-secrets")
        assert new.status_code == 201
        assert new.headers["cache-control"] == "no-store"
        assert new.json()["replaced_until"]
        ended(site)
        (sent,) = tell(site).sent
        for secret in (old["secret"], new.json()["secret"]):
            Webhook(secret).verify(sent.body, dict(sent.headers))
        shown = site.ask("GET", "/v1/webhook-secrets")
        assert len(shown.json()["data"]) == 2
        assert "whsec_" not in shown.text

    def test_what_the_operator_sets_is_changed_by_nobody_else(self, site: Site) -> None:
        fixed = ("whsec_" + "A" * 32,)
        site.rule(webhooks=WebhookRules(signing_secrets=fixed))
        problem(site.ask("POST", "/v1/webhook-secrets"), 409, "secret_fixed")
        shown = site.ask("GET", "/v1/webhook-secrets").json()["data"]
        assert shown == [{"created_at": None, "retires_at": None}]


class TestStreams:
    def test_the_first_word_to_the_receiver_comes_before_the_end(
        self, site: Site
    ) -> None:
        job_id = site.upload(webhook_url=HOOK).json()["job_id"]

        async def story() -> list[Heard]:
            path = f"/v1/jobs/{job_id}/events"
            async with Exchange(site.app, "GET", path) as stream:
                heard = await listen(stream, until="snapshot")
                await asyncio.to_thread(site.work)
                await asyncio.to_thread(tell, site)
                heard += await listen(stream, until="never")
                await stream.over()
                return heard

        heard = asyncio.run(story())
        kinds = [each.event for each in heard]
        assert kinds[-2:] == ["webhook", "done"]
        assert heard[-1].document["webhook"]["state"] == "delivered"

    def test_who_never_answers_keeps_no_stream_open(self, site: Site) -> None:
        """After a while the job is over for those who watch it."""
        job_id = ended(site)
        site.house.clock.advance(31)

        async def story() -> list[Heard]:
            path = f"/v1/jobs/{job_id}/events"
            async with Exchange(site.app, "GET", path) as stream:
                await stream.head()
                return await listen(stream, until="never")

        assert [each.event for each in asyncio.run(story())] == ["snapshot", "done"]
