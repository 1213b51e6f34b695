"""Setting up a bare machine: says what it does, does it once, stops with a sentence."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """scripts/prepare.py, looking at an empty .venv elsewhere, with this Python."""
    spec = importlib.util.spec_from_file_location(
        "prepare", ROOT / "scripts" / "prepare.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "PYTHON", Path(sys.executable))
    return module


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("nothing may be fetched here")


def test_only_what_is_missing_is_named(prepare: ModuleType) -> None:
    """A person reads what will be fetched, not what is there or not for this system."""
    lock = (
        f"pytest=={pytest.__version__} \\\n    --hash=sha256:00\n"
        "no-such-package==1.0 \\\n    --hash=sha256:00\n"
        "for-windows==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )
    assert prepare._missing(lock) == ["no-such-package 1.0"]


def test_a_prepared_lock_is_not_looked_at_again(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second `make` takes a fraction of a second."""
    fetched: list[tuple[object, ...]] = []
    monkeypatch.setattr(prepare, "_missing", lambda _: ["left-pad 1.0"])
    monkeypatch.setattr(prepare, "_pip", lambda *words: fetched.append(words))
    prepare.python_packages("build.txt")
    prepare.python_packages("build.txt")
    assert len(fetched) == 1


def test_a_changed_lock_is_installed(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp is the lock's content, not its age."""
    prepare._mark("build.txt", "an older content")
    fetched: list[tuple[object, ...]] = []
    monkeypatch.setattr(prepare, "_missing", lambda _: ["left-pad 1.0"])
    monkeypatch.setattr(prepare, "_pip", lambda *words: fetched.append(words))
    prepare.python_packages("build.txt")
    assert "--require-hashes" in fetched[0]


@pytest.mark.parametrize("required", [True, False])
def test_without_root_a_sentence_says_what_to_install(
    prepare: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    required: bool,
) -> None:
    """Where CI is set that ends it; elsewhere the tests that need it are skipped aloud."""
    monkeypatch.setattr(prepare, "_has_debian", lambda _: False)
    monkeypatch.setattr(prepare, "become_root", lambda: None)
    monkeypatch.setattr(prepare, "run", _refuse)
    wanted = {"chromium": "the browser"}
    if required:
        with pytest.raises(prepare.CannotPrepare, match="apt-get install chromium"):
            prepare.debian_packages(wanted, required=True)
    else:
        prepare.debian_packages(wanted, required=False)
        assert "SKIPPED" in capsys.readouterr().out


def test_nothing_is_installed_where_nothing_is_missing(
    prepare: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that has the Debian packages is left alone, root or not."""
    monkeypatch.setattr(prepare, "_has_debian", lambda _: True)
    monkeypatch.setattr(prepare, "become_root", _refuse)
    prepare.debian_packages({"chromium": "the browser"}, required=True)


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """Before any script of ours is read by an interpreter that cannot read it."""
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not on this machine.")
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    answer = subprocess.run(
        [make, "suitable-python", f"SYSTEM_PYTHON={old}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    assert "PixTools needs Python 3.11 or newer" in answer.stderr
    assert "Python 3.9.2" in answer.stderr
