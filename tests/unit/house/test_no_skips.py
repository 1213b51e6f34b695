"""A suite that skips is not a green suite: the rule of tests/conftest.py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[2] / "conftest.py"
SKIPPED_TEST = "import pytest\n\ndef test_it():\n    pytest.skip('no browser')\n"
SKIPPED_MODULE = "import pytest\n\npytest.importorskip('no_such_module')\n"


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_MODULE])
def test_in_ci_a_skip_is_a_failure(tmp_path: Path, source: str) -> None:
    """A machine that could not run a test has not passed it."""
    answer = _pytest(tmp_path, source, CI="true")
    assert answer.returncode not in {0, 5}
    assert "may not be skipped in CI" in answer.stdout


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    """A developer without a browser can still run the rest."""
    answer = _pytest(tmp_path, SKIPPED_TEST)
    assert answer.returncode == 0
    assert "1 skipped" in answer.stdout


def test_in_ci_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """`xfail` is a promise with a reason, not a hole."""
    source = "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    assert False\n"
    assert _pytest(tmp_path, source, CI="true").returncode == 0


def _pytest(
    folder: Path, source: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    shutil.copy(CONFTEST, folder)
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    inherited = {key: value for key, value in os.environ.items() if key != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env=inherited | environ,
        capture_output=True,
        text=True,
        check=False,
    )
