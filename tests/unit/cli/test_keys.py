"""`pixtools keys` says in one sentence what makes no sense."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pixtools.cli.main import build
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.migrate import migrate

NOBODYS = "019a8f3e-7c1d-7f00-8a44-1d2c3b4a5f60"


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a service that has no keys."""
    folder = tmp_path_factory.mktemp("room")
    migrate(PersistenceConfig(url=f"sqlite:///{folder}/pixtools.sqlite3"))
    return folder


def told(room: Path, *words: str) -> Result:
    env = {"PIXTOOLS_DATA_DIR": str(room), "COLUMNS": "200"}
    return CliRunner().invoke(build(), ["keys", *words], env=env)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("create", "--scope", "admin"), "'admin'"),
        (("create", "--tenant", "a/b"), "'a/b'"),
        (("create", "--days", "99999"), "--days"),
        (("create", "--name", "x" * 101), "--name"),
        (("revoke", "someone"), "pixtools keys list"),
        (("revoke", NOBODYS), NOBODYS),
    ],
)
def test_a_call_without_sense_is_one_sentence(
    room: Path, words: tuple[str, ...], said: str
) -> None:
    answer = told(room, *words)
    assert answer.exit_code in {1, 2}
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""
    assert told(room, "list", "--json").stdout == ""
