"""A server from its first key on, as those who run it and those who use it see it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from pixtools.domain.identity import is_key_text
from pixtools.testing.serving import Serving, command, eventually, serving


@pytest.fixture
def served() -> Iterator[Serving]:
    """A service of its own, which has not been asked for keys yet."""
    with serving() as started:
        yield started


def typed(
    served: Serving, *words: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """`pixtools …`, by somebody on the server's machine."""
    own = {"PIXTOOLS_DATA_DIR": str(served.data), "COLUMNS": "200"}
    return subprocess.run(
        command(*words),
        env=os.environ | own | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def status(served: Serving, key: str | None = None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return served.http.get("/v1/jobs", headers=headers).status_code


def test_keys_from_the_first_to_its_end(
    served: Serving, photo_vga: Path, tmp_path: Path
) -> None:
    assert status(served) == 200
    made = typed(served, "keys", "create", "--name", "shop", "--tenant", "shop")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    assert is_key_text(key)
    assert key not in made.stderr
    eventually(lambda: status(served) == 401, 10)
    assert status(served, key) == 200

    words = ("submit", str(photo_vga), "--to", "webp", "--width", "60")
    order = (*words, "--server", served.url, "--out", str(tmp_path / "got"))
    refused = typed(served, *order)
    assert refused.returncode == 1
    assert "Say who you are" in refused.stderr
    fetched = typed(served, *order, PIXTOOLS_API_KEY=key)
    assert fetched.returncode == 0, fetched.stderr
    assert len(list((tmp_path / "got").iterdir())) == 1

    listed = typed(served, "keys", "list", "--json").stdout
    (told,) = map(json.loads, listed.splitlines())
    assert (told["name"], told["tenant"]) == ("shop", "shop")
    assert told["last_used_at"]
    assert key not in listed
    revoked = typed(served, "keys", "revoke", told["id"])
    assert revoked.returncode == 0, revoked.stderr
    eventually(lambda: status(served, key) == 401, 10)
    assert status(served) == 401
    assert "revoked" in typed(served, "keys", "list").stdout
    said = served.words() + "".join(
        file.read_text(errors="replace") for file in served.data.glob("*.json")
    )
    assert key not in said


def test_a_key_of_the_environment_is_asked_for_from_the_start(
    photo_vga: Path,
) -> None:
    key = "a-key-of-the-environment"
    with serving({"API_KEY": key}) as served:
        assert status(served) == 401
        assert status(served, key) == 200
        sent = {"file": photo_vga.read_bytes()}
        with httpx2.Client(base_url=served.url, trust_env=False) as http:
            answer = http.post("/api/process", files=sent, data={"operations": "[]"})
            assert answer.status_code == 401
        assert served.rows()["jobs"] == 0
        assert key not in served.words()
