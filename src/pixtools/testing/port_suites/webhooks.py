"""What every store of deliveries promises. Subclass, and give a `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from pixtools.domain.webhook import Attempt, Circuit, Delivery, Webhook
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import LEASE, NOW, a_job, an_id

SECOND = timedelta(seconds=1)


def a_delivery(**changed: Any) -> Delivery:  # noqa: ANN401 - any field of a delivery
    """One that is due now; its job must be stored."""
    url = changed.pop("url", "https://example.org/hook")
    given: dict[str, Any] = {"event": "job.succeeded", "host": "example.org:443"}
    given |= {"body": '{"größe": 1}', "run_at": NOW, "created_at": NOW}
    return Delivery(**{"id": an_id(), "url": url, **given, **changed})


def waiting(database: Database, *changes: dict[str, Any]) -> list[Delivery]:
    """Store deliveries, each of a job of its own."""
    made = []
    with database.write() as tx:
        for changed in changes:
            job = a_job()
            tx.jobs.add(job)
            delivery = a_delivery(job_id=job.id, **changed)
            tx.deliveries.add(delivery)
            made.append(delivery)
    return made


def claimed(
    database: Database,
    *,
    per_host: int = 9,
    per_tenant: int = 99,
    steady: bool = False,
    after: int = 0,
) -> Delivery | None:
    """Claim what is due some seconds after NOW."""
    with database.write() as tx:
        return tx.deliveries.claim(
            "me",
            NOW + after * SECOND,
            LEASE,
            per_host=per_host,
            per_tenant=per_tenant,
            steady=steady,
        )


class DeliveriesSuite:
    """Events on their way, and whose turn it is."""

    def test_a_full_delivery_survives(self, database: Database) -> None:
        """Every field, the body to the letter."""
        job = a_job(webhook_url="https://x.org", webhook=Webhook(next_attempt_at=NOW))
        delivery = a_delivery(
            job_id=job.id,
            tenant="acme",
            state="failed",
            attempt=3,
            spared=1,
            last_status=410,
            ended_at=NOW + SECOND,
        )
        with database.write() as tx:
            tx.jobs.add(job)
            tx.deliveries.add(delivery)
        with database.read() as tx:
            assert tx.jobs.get(job.id) == job
            assert tx.deliveries.get(delivery.id) == delivery
            assert list(tx.deliveries.of_job(job.id)) == [delivery]

    def test_an_end_is_told_of_once(self, database: Database) -> None:
        """A second event of a kind for a job is a bug."""
        (delivery,) = waiting(database, {})
        with pytest.raises(Exception, match=r"(?i)unique"), database.write() as tx:
            tx.deliveries.add(replace(delivery, id=an_id()))

    def test_the_longest_due_goes_first_and_is_held(self, database: Database) -> None:
        """It is due again when its lease has run out; of equals the older one."""
        later, first, _ = waiting(
            database, {}, {"run_at": NOW - SECOND}, {"run_at": NOW + LEASE}
        )
        taken = claimed(database)
        assert taken == replace(first, attempt=1, lease_owner="me", run_at=NOW + LEASE)
        second = claimed(database)
        assert second is not None
        assert second.id == later.id
        assert claimed(database) is None
        again = claimed(database, after=60)
        assert again is not None
        assert (again.id, again.attempt) == (later.id, 2)

    def test_what_has_ended_is_left(self, database: Database) -> None:
        """Delivered or failed, it waits for nobody."""
        waiting(database, {"state": "delivered"}, {"state": "failed"})
        assert claimed(database) is None
        with database.read() as tx:
            assert tx.deliveries.next_due() is None

    def test_a_host_gets_so_many_at_once(self, database: Database) -> None:
        """The others wait; another host's do not."""
        waiting(database, *({"host": "a:1"} for _ in range(3)), {"host": "b:1"})
        hosts = [claimed(database, per_host=2) for _ in range(4)]
        assert [each and each.host for each in hosts] == ["a:1", "a:1", "b:1", None]

    def test_a_host_that_fails_gets_one_at_a_time(self, database: Database) -> None:
        """Or none, for who wants to see only those that are well."""
        waiting(database, {"host": "a:1"}, {"host": "a:1"}, {"host": "b:1"})
        with database.write() as tx:
            tx.circuits.save(Circuit(host="a:1", failures=1, failed_at=NOW))
        steady = claimed(database, steady=True)
        assert steady is not None
        assert steady.host == "b:1"
        first = claimed(database)
        assert first is not None
        assert first.host == "a:1"
        assert claimed(database) is None

    def test_a_host_is_left_alone_for_a_while(self, database: Database) -> None:
        """Then a single attempt finds out."""
        waiting(database, {"host": "a:1"}, {"host": "a:1"})
        with database.write() as tx:
            until = NOW + 9 * SECOND
            tx.circuits.save(
                Circuit(host="a:1", failures=5, failed_at=NOW, open_until=until)
            )
        assert claimed(database, after=8) is None
        assert claimed(database, after=9) is not None
        assert claimed(database, after=9) is None

    def test_ten_hosts_take_turns_by_age(self, database: Database) -> None:
        """A crowd for one host keeps nobody else."""
        crowd = [{"host": "a:1", "run_at": NOW - SECOND} for _ in range(20)]
        waiting(database, *crowd, {"host": "z:1"})
        hosts = [claimed(database, per_host=2) for _ in range(3)]
        assert [each and each.host for each in hosts] == ["a:1", "a:1", "z:1"]

    def test_a_tenant_gets_so_many_at_once(self, database: Database) -> None:
        """Whatever number of hosts it has; the next one comes when one is free."""
        crowd = [{"host": f"{n}:1", "run_at": NOW - SECOND} for n in range(5)]
        waiting(database, *crowd, {"host": "0:1", "tenant": "other"})
        taken = [claimed(database, per_tenant=2) for _ in range(4)]
        assert [each and each.tenant for each in taken] == [
            "default",
            "default",
            "other",
            None,
        ]
        first = taken[0]
        assert first is not None
        with database.write() as tx:
            tx.deliveries.save(replace(first, state="delivered", lease_owner=None))
        again = claimed(database, per_tenant=2)
        assert again is not None
        assert again.host not in {each.host for each in taken if each}

    def test_what_a_tenant_held_counts_no_longer_when_its_lease_has_ended(
        self, database: Database
    ) -> None:
        """A sender that died keeps nobody waiting."""
        waiting(database, {"host": "a:1"}, {"host": "b:1"})
        assert claimed(database, per_tenant=1) is not None
        assert claimed(database, per_tenant=1) is None
        assert claimed(database, per_tenant=1, after=60) is not None

    def test_a_host_of_two_tenants_serves_both(self, database: Database) -> None:
        """One tenant's crowd there does not keep the other's out."""
        crowd = [{"run_at": NOW - SECOND} for _ in range(5)]
        waiting(database, *crowd, {"tenant": "other"})
        tenants = [claimed(database, per_tenant=2) for _ in range(3)]
        assert [each and each.tenant for each in tenants] == [
            "default",
            "default",
            "other",
        ]

    def test_many_claimants_never_share_one(self, database: Database) -> None:
        """Nor do they give a host more than it may have."""
        waiting(database, *({"host": f"{n % 4}:1"} for n in range(24)))
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: claimed(database, per_host=3), range(24)))
        taken = [each for each in got if each]
        more = [each for _ in range(12) if (each := claimed(database, per_host=3))]
        held = [each.host for each in [*taken, *more]]
        assert len({each.id for each in [*taken, *more]}) == len(held)
        assert sorted(held) == sorted(f"{n}:1" for n in range(4) for _ in range(3))

    def test_many_claimants_never_give_a_tenant_more_than_it_may_have(
        self, database: Database
    ) -> None:
        """Though its hosts are many, and all are looked for at the same moment."""
        waiting(database, *({"host": f"{n}:1"} for n in range(12)))
        waiting(database, *({"host": f"{n}:1", "tenant": "other"} for n in range(12)))
        start = Barrier(8)

        def claim(_: int) -> Delivery | None:
            start.wait()
            return claimed(database, per_tenant=3)

        with ThreadPoolExecutor(8) as pool:
            got = list(pool.map(claim, range(8)))
        more = [claimed(database, per_tenant=3) for _ in range(6)]
        held = sorted(each.tenant for each in [*got, *more] if each)
        assert held == ["default"] * 3 + ["other"] * 3

    def test_who_waited_for_a_turn_hears_that_the_host_has_failed(
        self, database: Database
    ) -> None:
        """Since it looked whose turn it is."""
        waiting(database, {"host": "a:1"}, {"host": "a:1"})
        with ThreadPoolExecutor(1) as pool:
            with database.write() as tx:
                assert tx.deliveries.claim("she", NOW, LEASE, per_host=9, per_tenant=99)
                second = pool.submit(claimed, database)
                time.sleep(0.2)  # long enough for it to look, and to have to wait
                tx.circuits.save(Circuit(host="a:1", failures=1, failed_at=NOW))
            assert second.result() is None

    def test_what_came_of_it_is_kept_with_its_job(self, database: Database) -> None:
        """And goes with it."""
        first, second = waiting(database, {}, {})
        attempt = Attempt(
            delivery_id=first.id, number=1, at=NOW, status=500, ms=7, body="né"
        )
        other = Attempt(delivery_id=second.id, number=1, at=NOW, error="unreachable")
        saved = replace(first, state="failed", last_status=500, ended_at=NOW)
        with database.write() as tx:
            tx.attempts.add(attempt)
            tx.attempts.add(other)
            tx.deliveries.save(saved)
        with database.read() as tx:
            assert list(tx.attempts.of_job(first.job_id)) == [attempt]
            assert tx.deliveries.get(first.id) == saved
        with database.write() as tx:
            tx.jobs.delete(first.job_id)
        with database.read() as tx:
            assert list(tx.attempts.of_job(first.job_id)) == []
            assert tx.deliveries.get(first.id) is None
            assert list(tx.attempts.of_job(second.job_id)) == [other]
