"""A long poll that is known to be open."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import httpx2
from tests.acceptance.visiting import job

from pixtools.testing.serving import Serving

SENT = "http11.send_request_body.complete"


class Poll:
    """Asks for a job until it has ended, in a thread of the test's."""

    def __init__(self, service: Serving, job_id: str) -> None:
        self._service = service
        self._job_id = job_id
        self._sent = threading.Event()

    def ask(self) -> httpx2.Response:
        """The answer, when it comes."""

        def follow(event: str, info: Mapping[str, object]) -> None:
            del info
            if event == SENT:
                self._sent.set()

        return self._service.http.get(
            f"/v1/jobs/{self._job_id}",
            params={"wait": 30},
            extensions={"trace": follow},
        )

    def wait_until_open(self) -> None:
        """Until the service has heard it: whoever asks after it, is answered later."""
        assert self._sent.wait(60)
        job(self._service, self._job_id)
