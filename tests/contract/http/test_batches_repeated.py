"""A batch that is sent again under its key, after jobs of it were erased."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.http.site import GIF, Site, problem
from tests.contract.http.test_batches import LATER, photos

from pixtools.testing.house import tiny_gif

PHOTOS = (GIF, tiny_gif(9, 9), tiny_gif(8, 8))


@pytest.fixture
def site() -> Site:
    return Site()


def job_ids(batch: Any) -> list[str]:
    return [job["job_id"] for job in batch["jobs"]]


def erased(site: Site, job_id: str) -> None:
    assert site.ask("DELETE", f"/v1/jobs/{job_id}").status_code == 204


@pytest.mark.parametrize("gone", [0, 1, 2])
@pytest.mark.parametrize("done", [False, True])
def test_what_was_erased_of_a_batch_does_not_come_back(
    site: Site, gone: int, done: bool
) -> None:
    """The answer is the batch as it is now, whichever of its jobs is missing."""
    first = photos(site, *PHOTOS, key="k").json()
    if done:
        site.work()
    ids = job_ids(first)
    erased(site, ids.pop(gone))
    before = site.left()
    again = photos(site, *PHOTOS, key="k")
    assert again.status_code == 201, again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["batch_id"] == first["batch_id"]
    assert job_ids(again.json()) == ids
    assert site.left() == before


def test_orders_that_wait_for_their_photos_are_found_as_well(site: Site) -> None:
    def asked() -> Any:
        headers = {"Idempotency-Key": "k"}
        return site.ask(
            "POST", "/v1/batches", json={"jobs": [LATER] * 3}, headers=headers
        ).json()

    first = asked()
    kept = job_ids(first)[1:]
    erased(site, job_ids(first)[0])
    again = asked()
    assert (again["batch_id"], job_ids(again)) == (first["batch_id"], kept)
    assert sorted(again["uploads"]) == sorted(kept)


@pytest.mark.parametrize("gone", [0, 1])
def test_an_open_batch_takes_back_what_was_erased(site: Site, gone: int) -> None:
    """Nobody can tell that from a request that was cut short."""
    wish = {"preset": "gallery", "closed": "false"}
    first = photos(site, GIF, GIF, key="k", **wish).json()
    erased(site, job_ids(first)[gone])
    again = photos(site, GIF, GIF, key="k", **wish)
    assert again.json()["batch_id"] == first["batch_id"]
    assert len(again.json()["jobs"]) == 2
    assert job_ids(first)[1 - gone] in job_ids(again.json())


def test_a_batch_of_which_nothing_is_left_is_made_anew(site: Site) -> None:
    """As a single job is."""
    first = photos(site, *PHOTOS, key="k").json()
    for job_id in job_ids(first):
        erased(site, job_id)
    again = photos(site, *PHOTOS, key="k").json()
    assert again["batch_id"] != first["batch_id"]
    assert len(again["jobs"]) == 3


def test_other_photos_under_the_key_are_refused_still(site: Site) -> None:
    first = photos(site, *PHOTOS, key="k").json()
    erased(site, job_ids(first)[0])
    before = site.left()
    problem(photos(site, GIF, GIF, GIF, key="k"), 422, "idempotency_mismatch")
    assert site.left() == before
