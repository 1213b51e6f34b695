"""Programs that we show are programs that work."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pixtools.api.snippets import snippets
from pixtools.domain.signature import VALID, secret_of, signed_headers, verdict

SECRET = secret_of(b"sandbox!" * 4)
BODY = '{"type":"job.succeeded","data":{"größe":1}}'.encode()


def programs(url: str = "http://127.0.0.1:9/") -> dict[str, str]:
    return snippets(url, SECRET)


def signed(*secrets: str) -> dict[str, str]:
    return signed_headers("msg_1", datetime.now(UTC), BODY, secrets)


OTHER = secret_of(b"x" * 32)
LATE = signed_headers("msg_1", datetime(2026, 1, 1, tzinfo=UTC), BODY, [SECRET])


def test_the_one_in_python_tells_good_from_bad() -> None:
    names: dict[str, Any] = {}
    exec(programs()["python"], names)
    verify = names["verify"]
    assert verify(signed(SECRET), BODY)
    assert verify(signed(OTHER, SECRET), BODY)
    assert not verify(signed(OTHER), BODY)
    assert not verify(signed(SECRET), BODY + b" ")
    assert not verify(LATE, BODY)


@pytest.mark.skipif(not shutil.which("node"), reason="There is no Node here.")
def test_the_one_for_node_does_so_too() -> None:
    cases = [
        (signed(SECRET), BODY),
        (signed(OTHER, SECRET), BODY),
        (signed(OTHER), BODY),
        (signed(SECRET), BODY + b" "),
        (LATE, BODY),
    ]
    given = json.dumps([[headers, body.decode()] for headers, body in cases])
    script = (
        f"{programs()['node']}\nconsole.log(JSON.stringify({given}.map("
        "([headers, body]) => verify(headers, Buffer.from(body)))));"
    )
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [True, True, False, False, False]


@pytest.mark.skipif(not shutil.which("openssl"), reason="There is no openssl here.")
def test_the_one_for_a_shell_signs_as_we_do(tmp_path: Path) -> None:
    """In place of curl stands a program that prints what it was told."""
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    curl.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", f'PATH="{tmp_path}:$PATH"\n{programs("http://x/y")["curl"]}'],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    words = done.stdout.splitlines()
    assert "http://x/y" in words
    headers = dict(
        words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H"
    )
    body = words[words.index("--data-binary") + 1].encode()
    assert verdict(headers, body, SECRET, datetime.now(UTC)) == VALID
