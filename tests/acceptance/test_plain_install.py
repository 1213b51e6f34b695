"""What `make run` installs is enough: no package of a cluster, no reader of weights."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.desk import GOOD, Desk
from tests.acceptance.visiting import check_whole, made

from pixtools.testing.serving import Serving, serving

ROOT = Path(__file__).parents[2]
EXTRAS = ("cluster", "models", "heic")
NOT_THERE = """\
import sys

sys.modules.update(dict.fromkeys({names}))
"""
"""What every process of Python begins with that finds it in its path."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of processes for which the extra packages are not installed."""
    folder = tmp_path_factory.mktemp("plain")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = [line for name in EXTRAS for line in project["optional-dependencies"][name]]
    names = {re.split(r"[^\w-]", line)[0].replace("-", "_") for line in extra}
    assert {"obstore", "psycopg"} <= names
    (folder / "sitecustomize.py").write_text(NOT_THERE.format(names=names))
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path}


@pytest.fixture
def embedded(plain: dict[str, str]) -> Iterator[Serving]:
    with serving(plain) as started:
        yield started


def test_the_service_makes_a_gallery(embedded: Serving, photo_vga: Path) -> None:
    check_whole(embedded, made(embedded, photo_vga))


@pytest.mark.parametrize("words", ["migrate", "doctor", "keys list", "models list"])
def test_a_command_needs_no_more(
    words: str, plain: dict[str, str], tmp_path: Path
) -> None:
    done = Desk(tmp_path).run(*words.split(), **plain)
    assert done.returncode == GOOD, done.stdout + done.stderr


def test_files_are_processed_without_a_server(
    plain: dict[str, str], tmp_path: Path, photo_vga: Path
) -> None:
    done = Desk(tmp_path).run(
        "process", str(photo_vga), "--to", "webp", "--out", "out", **plain
    )
    assert done.returncode == GOOD, done.stdout + done.stderr
    assert len(list((tmp_path / "out").iterdir())) == 1
