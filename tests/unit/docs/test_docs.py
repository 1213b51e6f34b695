"""The documentation says what the code does, all of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from pixtools.api.headers import ASKED, SENT, TOLD
from pixtools.api.problems import HTTP_CODES, STATUS
from pixtools.api.schemas import LimitsDocument
from pixtools.cli.main import build
from pixtools.domain import webhook
from pixtools.domain.errors import every_error
from pixtools.domain.events import MEANINGS, EventKind
from pixtools.domain.operations.actions import ACTIONS
from pixtools.domain.signature import secret_of, signed_headers
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
    codes = {code for code, _ in HTTP_CODES.values()}
    assert {*every_error(), *STATUS, *codes} <= headings("errors.md")
    assert {name.upper() for name in Settings.model_fields} <= headings("settings.md")
    for group in build().registered_groups:
        inner = group.typer_instance
        assert inner is not None
        named = {
            f"pixtools {group.name} {each.name}" for each in inner.registered_commands
        }
        assert named <= headings("commands.md")
    http = (REFERENCE / "http.md").read_text()
    for name in (*ASKED, *TOLD, *SENT, *MEANINGS, *webhook.MEANINGS):
        assert f"| `{name}` |" in http
    assert set(get_args(EventKind)) <= set(MEANINGS)
    assert set(get_args(webhook.EventType)) == set(webhook.MEANINGS)
    sent = signed_headers("msg_1", datetime.now(UTC), b"", [secret_of(bytes(32))])
    assert sent.keys() == SENT.keys()
    limits = (REFERENCE / "limits.md").read_text()
    for name, field in LimitsDocument.model_fields.items():
        assert f"| `{name}` |" in limits
        assert field.description, name
    named = {
        f"pixtools {command.callback.__name__}"
        for command in build().registered_commands
        if command.callback
    }
    assert named <= headings("commands.md")


def test_no_header_goes_undocumented() -> None:
    """What the description of the API names, the reference explains."""
    described = json.loads((ROOT / "tests/contract/http/openapi.json").read_text())
    operations = [o for item in described["paths"].values() for o in item.values()]
    asked = {
        parameter["name"].lower()
        for operation in operations
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    told = {
        name
        for operation in operations
        for answer in operation["responses"].values()
        for name in answer.get("headers", {})
    }
    assert asked <= {name.lower() for name in ASKED}
    assert told <= set(TOLD)
