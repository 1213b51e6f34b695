"""The documentation says what the code does, all of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pixtools.cli.main import build
from pixtools.domain.errors import every_error
from pixtools.domain.operations.actions import ACTIONS
from pixtools.settings import Settings

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"


def headings(page: str) -> set[str]:
    text = (REFERENCE / page).read_text()
    return set(re.findall(r"^##+ (.+)$", text, re.MULTILINE))


def test_the_reference_is_what_the_declarations_make() -> None:
    script = [sys.executable, "scripts/reference.py", "--check"]
    made = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_everything_has_its_heading() -> None:
    assert set(ACTIONS) <= headings("operations.md")
    assert set(every_error()) <= headings("errors.md")
    assert {name.upper() for name in Settings.model_fields} <= headings("settings.md")
    for group in build().registered_groups:
        inner = group.typer_instance
        assert inner is not None
        named = {
            f"pixtools {group.name} {each.name}" for each in inner.registered_commands
        }
        assert named <= headings("commands.md")
    named = {
        f"pixtools {command.callback.__name__}"
        for command in build().registered_commands
        if command.callback
    }
    assert named <= headings("commands.md")
