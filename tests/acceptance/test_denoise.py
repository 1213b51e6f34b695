"""A noisy photo comes back clean, whichever way it was sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.acceptance.deployed import Served
from tests.acceptance.noise import SIGMA, NoisyPhoto, as_png, noisy_photo
from tests.acceptance.visiting import (
    events,
    fetched,
    job,
    made,
    picture_of,
    polled,
    post,
    process,
    submitted,
)

from pixtools.testing.compare import pixels_of
from pixtools.testing.serving import Serving, command

CLEARLY = 3.0
"""Decibels: what a blur of 3 × 3 pixels can do."""
CLEAN = {"id": "clean", "action": "denoise"}


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> NoisyPhoto:
    return noisy_photo(tmp_path_factory.mktemp("noise"))


@pytest.mark.anywhere
class TestOverHttp:
    def test_steps_and_options_remove_noise_and_say_by_what(
        self, service: Served, photo: NoisyPhoto
    ) -> None:
        """Beside outputs of the same photo that keep theirs."""
        steps: list[dict[str, Any]] = [
            CLEAN,
            {"id": "keep", "action": "convert", "format": "png"},
            {"id": "web", "action": "convert", "format": "webp", "quality": 95}
            | {"denoise": {"model": "fast"}},
        ]
        done = made(service, photo.path, steps)
        assert done["status"] == "succeeded"
        clean, keep, web = done["outputs"]
        assert [o["model"] for o in done["outputs"]] == ["quality", None, "fast"]
        for output in (clean, web):
            assert output["noise_sigma"] == pytest.approx(SIGMA, rel=0.2)
            assert output["skipped"] is None
            assert photo.gained(fetched(service, output["url"]).content) > CLEARLY
        assert (keep["noise_sigma"], keep["skipped"]) == (None, None)
        assert photo.gained(fetched(service, keep["url"]).content) == 0
        told = events(service, f"/v1/jobs/{done['job_id']}")[-1].document
        assert [o["noise_sigma"] for o in told["outputs"]] == [
            o["noise_sigma"] for o in done["outputs"]
        ]

    def test_a_clean_photo_is_left_as_it_is(
        self, service: Served, photo: NoisyPhoto
    ) -> None:
        (output,) = made(service, as_png(photo.clean), [CLEAN])["outputs"]
        assert (output["model"], output["skipped"]) == (None, "clean")
        assert output["noise_sigma"] < 2
        assert np.array_equal(np.asarray(picture_of(service, output)), photo.clean)

    def test_the_classic_face_denoises_at_the_size_that_is_asked_for(
        self, service: Served, photo: NoisyPhoto
    ) -> None:
        params = json.dumps({"denoise": {"resize": {"width": 300}}})
        answer = process(
            service, photo.path, ("webp", "denoise"), operation_params=params
        )
        assert answer.status_code == 202, answer.text
        done = polled(service, answer.json()["job_id"])
        assert (done["status"], done["error_message"]) == ("COMPLETED", None)
        denoised = fetched(service, done["result_urls"]["denoise"])
        name = denoised.headers["content-disposition"]
        assert "pixtools_denoise_noisy.png" in name
        assert photo.gained(denoised.content) > CLEARLY

    def test_light_work_goes_on_beside_a_flood_of_it(
        self, service: Served, photo: NoisyPhoto
    ) -> None:
        """More large photos wait to be denoised than there are workers.

        Each takes many seconds on any machine, for it becomes an AVIF with much effort.
        """
        large = as_png(np.tile(pixels_of(photo.path), (8, 8, 1)))
        wish = [{**CLEAN, "format": "avif", "effort": 4}]
        flood: list[str] = []
        try:
            flood.extend(submitted(service, large, wish) for _ in range(4))
            assert made(service, photo.path)["status"] == "succeeded"
            states = {job(service, job_id)["status"] for job_id in flood}
            assert states <= {"queued", "processing"}
        finally:  # or they keep a worker from whatever comes next
            for job_id in flood:
                service.http.delete(f"/v1/jobs/{job_id}")

    def test_it_shows_what_it_can_do(self, service: Served) -> None:
        shown = service.http.get("/v1/operations").json()["actions"]["denoise"]
        model = shown["properties"]["model"]["anyOf"][0]["enum"]
        assert model == ["quality", "fast"]

    def test_a_network_that_nobody_knows_is_refused(
        self, service: Served, photo: NoisyPhoto
    ) -> None:
        answer = post(service, photo.path, [{**CLEAN, "model": "best"}])
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/pipeline/0/model"


class TestByCommand:
    def typed(self, here: Path, weights: Path, *words: str) -> str:
        done = subprocess.run(
            command(*words),
            cwd=here,
            env=os.environ | {"COLUMNS": "80", "MODELS_DIR": str(weights)},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_process_denoises_without_a_server(
        self, photo: NoisyPhoto, weights: Path, tmp_path: Path
    ) -> None:
        """Each photo says what was found, and a clean one that it is clean."""
        (tmp_path / "noisy.png").write_bytes(photo.path.read_bytes())
        (tmp_path / "clean.png").write_bytes(as_png(photo.clean))
        call = ("process", "noisy.png", "clean.png", "--denoise", "--model", "fast")
        said = self.typed(tmp_path, weights, *call, "--out", "made")
        lines = {line.partition(" ")[0]: line for line in said.splitlines()}
        assert "removed noise of σ" in lines["made/noisy.png"]
        assert "by fast" in lines["made/noisy.png"]
        assert "already clean" in lines["made/clean.png"]
        assert photo.gained(tmp_path / "made" / "noisy.png") > CLEARLY

    def test_its_json_has_the_facts_of_the_job_document(
        self, photo: NoisyPhoto, weights: Path, tmp_path: Path
    ) -> None:
        call = ("process", str(photo.path), "--denoise", "--strength", "0", "--json")
        said = self.typed(tmp_path, weights, *call, "--out", "kept")
        (output,) = json.loads(said)["outputs"]
        assert (output["model"], output["skipped"]) == ("quality", None)
        assert output["noise_sigma"] == pytest.approx(SIGMA, rel=0.2)
        assert photo.gained(tmp_path / "kept" / "noisy.png") == 0

    def test_submit_tells_what_the_server_did(
        self, service: Serving, photo: NoisyPhoto, weights: Path, tmp_path: Path
    ) -> None:
        call = ("submit", str(photo.path), "--denoise", "--to", "png", "--out", ".")
        said = self.typed(tmp_path, weights, *call, "--server", service.url)
        assert "removed noise of σ" in said
        assert photo.gained(tmp_path / "noisy-png.png") > CLEARLY
