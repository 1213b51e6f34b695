"""The fixtures of real servers, where there are none and where there are some."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
def test_facts(postgres_url):
    pass

def test_limits(redis_url):
    pass

def test_plain():
    pass
"""
MAKE_SERVICES = """
import os, pathlib, sys
log = pathlib.Path("calls")
log.write_text((log.read_text() if log.exists() else "") + " ".join(sys.argv[1:]) + "\\n")
pathlib.Path(".services/env").write_text("")
print("PostgreSQL CAN'T BE HAD: it is sold out.", file=sys.stderr)
sys.exit(1)
"""


def test_without_servers_their_tests_are_skipped_aloud(tmp_path: Path) -> None:
    """And the others run."""
    answer = _pytest(tmp_path)
    assert "1 passed, 2 skipped" in answer.stdout
    assert "NOT tested for want of DATABASE_URL" in answer.stdout


def test_a_session_asks_once_for_all_that_it_needs(tmp_path: Path) -> None:
    """And says why it could not be had, in words of the command."""
    scripts = tmp_path / "scripts" / "services"
    scripts.mkdir(parents=True)
    (scripts / "__main__.py").write_text(MAKE_SERVICES)
    answer = _pytest(tmp_path)
    assert "1 passed, 2 skipped" in answer.stdout
    assert "it is sold out" in answer.stdout
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls == ["start --lent postgres redis", "stop --lent"]


def test_a_session_that_needs_none_starts_none(tmp_path: Path) -> None:
    scripts = tmp_path / "scripts" / "services"
    scripts.mkdir(parents=True)
    (scripts / "__main__.py").write_text(MAKE_SERVICES)
    answer = _pytest(tmp_path, "-k", "plain")
    assert "1 passed" in answer.stdout
    assert not (tmp_path / "calls").exists()


def _pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text("[pytest]\n")
    plain = ("CI", "DATABASE_URL", "REDIS_URL", "PIXTOOLS_SERVICES_DIR")
    options = ["-rs", "-p", "no:cacheprovider", "-p", "pixtools.testing.services"]
    environ = {k: v for k, v in os.environ.items() if k not in plain}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *words, "."],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
