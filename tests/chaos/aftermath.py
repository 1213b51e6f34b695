"""What must be true after any crash, once the dust has settled."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from tests.acceptance.visiting import check_whole, ended, events

from pixtools.testing.serving import Serving, eventually

SECONDS = 100.0
"""Only a hang takes that long."""


def check_all_succeeded(service: Serving, job_ids: list[str]) -> list[dict[str, Any]]:
    """Every accepted job ends well, its files are whole, and its end is told once."""
    assert len(set(job_ids)) == len(job_ids)
    documents = [ended(service, job_id, SECONDS) for job_id in job_ids]
    for document in documents:
        assert document["status"] == "succeeded", document
        check_whole(service, document)
        check_told_once(service, document)
        check_metered_once(service, document)
    return documents


def check_told_once(service: Serving, document: dict[str, Any]) -> None:
    """One terminal event in the record, and one at the end of the stream."""
    job_id = document["job_id"]
    with closing(service.database()) as database:
        kinds = [
            kind
            for (kind,) in database.execute(
                "SELECT kind FROM events WHERE job_id = ? ORDER BY seq", (job_id,)
            )
        ]
    assert kinds.count("done") == 1, kinds
    assert kinds[-1] == "done"
    told = [event.kind for event in events(service, f"/v1/jobs/{job_id}")]
    assert told == ["snapshot", "done"]


def check_metered_once(service: Serving, document: dict[str, Any]) -> None:
    """What it cost is kept as its document tells it, whoever died on the way."""
    usage = document["usage"]
    with closing(service.database()) as database:
        found = database.execute(
            "SELECT outputs, pixels_processed, bytes_saved, compute_time_ms"
            " FROM usage WHERE job_id = ?",
            (document["job_id"],),
        ).fetchall()
    assert found == [(len(document["outputs"]), *usage.values())]


def check_tidy(service: Serving) -> None:
    """No work, no lease and no file in progress is left over."""
    eventually(lambda: not leftovers(service), SECONDS, lambda: str(leftovers(service)))


def leftovers(service: Serving) -> list[str]:
    """Stages that have not ended, leases, half-written files and files of nobody."""
    with closing(service.database()) as database:
        found = [
            f"stage {stage} is {status} with {owner}"
            for stage, status, owner in database.execute(
                "SELECT id, status, lease_owner FROM stages WHERE lease_owner IS NOT"
                " NULL OR status IN ('queued', 'running')"
            )
        ]
        known = {job_id for (job_id,) in database.execute("SELECT id FROM jobs")}
        known |= {each for (each,) in database.execute("SELECT id FROM batches")}
    for name in service.files():
        area = name.split("/")[0]
        if area == "scratch" or "/.incoming/" in name:
            found.append(name)
        elif area == "objects" and not any(job_id in name for job_id in known):
            found.append(f"{name} belongs to nobody")
    return found + [str(path) for path in (service.data / "scratch").glob("*")]
