"""What every store of circuits, secrets and sandboxes promises. Give a `database`."""

# ruff: noqa: S101 - a suite is made of methods that assert

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

from pixtools.domain.webhook import Circuit, Receipt, Sandbox, SigningSecret
from pixtools.jobs.ports.facts import Database
from pixtools.testing.rows import NOW, an_id

SECOND = timedelta(seconds=1)


class LettersSuite:
    """Circuits, secrets and sandboxes."""

    def test_only_hosts_that_fail_are_known(self, database: Database) -> None:
        circuit = Circuit(host="a:1", failures=1, failed_at=NOW)
        opened = replace(circuit, failures=5, open_until=NOW)
        for saved in (circuit, opened):
            with database.write() as tx:
                tx.circuits.save(saved)
            with database.write() as tx:
                assert tx.circuits.get("a:1") == saved
        with database.write() as tx:
            tx.circuits.forget("a:1")
            assert tx.circuits.get("a:1") is None
            tx.circuits.save(circuit)
            assert tx.circuits.forget_old(NOW - SECOND) == 0
            assert tx.circuits.forget_old(NOW) == 1
            assert tx.circuits.get("a:1") is None

    def test_failures_at_the_same_moment_all_count(self, database: Database) -> None:
        """Though nothing was known of the host before."""
        start = Barrier(4)

        def fail(_: int) -> None:
            start.wait()
            with database.write() as tx:
                before = tx.circuits.get("a:1")
                time.sleep(0.02)  # or one is over before the next begins
                failures = before.failures + 1 if before else 1
                failed = Circuit(host="a:1", failures=failures, failed_at=NOW)
                tx.circuits.save(failed)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fail, range(4)))
        with database.write() as tx:
            kept = tx.circuits.get("a:1")
        assert kept
        assert kept.failures == 4

    def test_secrets_live_until_they_retire(self, database: Database) -> None:
        """Each tenant's own, the newest first."""

        def a_secret(tenant: str) -> SigningSecret:
            secret_id = an_id()
            return SigningSecret(
                id=secret_id, tenant=tenant, sealed=secret_id, created_at=NOW
            )

        old, new, other = a_secret("me"), a_secret("me"), a_secret("you")
        with database.write() as tx:
            tx.secrets.add(old)
            tx.secrets.add(other)
            tx.secrets.retire("me", NOW + SECOND)
            tx.secrets.add(new)
        retired = replace(old, retires_at=NOW + SECOND)
        with database.read() as tx:
            assert list(tx.secrets.live("me", NOW)) == [new, retired]
            assert list(tx.secrets.live("me", NOW + SECOND)) == [new]
        with database.write() as tx:
            assert tx.secrets.forget_retired(NOW) == 0
            assert tx.secrets.forget_retired(NOW + SECOND) == 1
            tx.secrets.drop(new.id)
            assert list(tx.secrets.live("me", NOW)) == []
            assert list(tx.secrets.live("you", NOW)) == [other]

    def test_a_sandbox_keeps_the_newest(self, database: Database) -> None:
        """Numbered as they came; gone when its time is over."""
        sandbox = Sandbox(
            id=an_id(),
            tenant="me",
            url=f"http://here/{an_id()}",
            sealed="x",
            created_at=NOW,
            expires_at=NOW + SECOND,
        )
        receipt = Receipt(
            sandbox_id=sandbox.id,
            seq=0,
            at=NOW,
            headers={"webhook-id": "é"},
            body="b",
            verdict="valid",
        )
        with database.write() as tx:
            assert tx.sandboxes.append(receipt, 2) is None
            tx.sandboxes.add(sandbox)
            kept = [tx.sandboxes.append(receipt, 2) for _ in range(3)]
        assert [each and each.seq for each in kept] == [1, 2, 3]
        with database.write() as tx:
            assert tx.sandboxes.get(sandbox.id) == sandbox
            assert tx.sandboxes.at(sandbox.url) == sandbox
            assert tx.sandboxes.at(f"{sandbox.url}/") is None
            assert list(tx.sandboxes.received(sandbox.id)) == kept[1:]
            assert list(tx.sandboxes.received(sandbox.id, 2)) == kept[2:]
            assert tx.sandboxes.forget_expired(NOW) == 0
            assert tx.sandboxes.forget_expired(NOW + SECOND) == 1
            assert tx.sandboxes.get(sandbox.id) is None
            assert list(tx.sandboxes.received(sandbox.id)) == []
