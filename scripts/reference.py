"""Write docs/reference from the declarations; `--check` says whether it is current.

python scripts/reference.py [--check]
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from typer.testing import CliRunner

from pixtools.api.problems import HTTP_CODES, RETRY_AFTER, STATUS
from pixtools.cli.main import build
from pixtools.domain.errors import PixtoolsError, every_error
from pixtools.domain.formats import FORMATS
from pixtools.domain.operations.actions import ACTIONS, Action, Picture
from pixtools.domain.operations.overlay import Watermark
from pixtools.domain.operations.restore import Denoising
from pixtools.domain.presets import PRESETS
from pixtools.settings import Settings

OUT = Path(__file__).parent.parent / "docs" / "reference"
MADE = "<!-- Made by scripts/reference.py from the declarations: change those. -->\n"


def main() -> int:
    """Write every page, or with --check compare; 1 if a page was out of date."""
    pages: dict[str, str] = {
        "operations.md": operations(),
        "errors.md": errors(),
        "settings.md": settings(),
        "commands.md": commands(),
    } | runpy.run_path(str(Path(__file__).with_name("reference_http.py")))["pages"]()
    stale = [name for name, text in pages.items() if _read(name) != text]
    if "--check" in sys.argv:
        for name in stale:
            print(f"docs/reference/{name} is out of date: run scripts/reference.py")
        return bool(stale)
    for name in stale:
        (OUT / name).write_text(pages[name], encoding="utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


DENOISE = (
    "Offered where there is a network for it; what `/v1/operations` shows of it is "
    "what there is. Its outputs say what was found (`noise_sigma`, `model`, "
    "`skipped`): see [denoise](../how-to/denoise.md).\n"
)


def operations() -> str:
    """Actions, their options and the formats."""
    parts = ["# Operations\n", MADE]
    parts.append(
        "A pipeline is a list of steps `{id, action, …options}`. Every step runs on "
        "the source. The same declarations are served as JSON Schema at "
        "`/v1/operations`.\n"
    )
    for name, kind in ACTIONS.items():
        parts.append(f"## {name}\n\n{(kind.__doc__ or '').strip()}\n")
        if name == "denoise":
            parts.append(DENOISE)
        own = _own_options(kind)
        if own:
            parts.append(_options(own))
    parts.append("## Options of every action that makes a picture\n")
    parts.append(_options(Picture.model_json_schema()["properties"], skip=_SKIPPED))
    parts.append("## denoising options\n")
    parts.append(_options(Denoising.model_json_schema()["properties"]))
    parts.append("## watermark options\n")
    parts.append(_options(Watermark.model_json_schema()["properties"]))
    parts += [_formats(), _presets()]
    return "\n".join(parts)


_SKIPPED = frozenset({"id", "action"})


def _own_options(kind: type[Action]) -> dict[str, Any]:
    """Options that this action has, or requires, beyond the shared ones."""
    schema = kind.model_json_schema()
    required = set(schema.get("required", ())) - _SKIPPED
    return {
        name: value | {"required": name in required}
        for name, value in schema["properties"].items()
        if name not in _SKIPPED
        and (name in required or name not in Picture.model_fields)
    }


def _options(properties: Mapping[str, Any], skip: frozenset[str] = frozenset()) -> str:
    rows = ["| option | value | default | what it does |", "|---|---|---|---|"]
    for name, schema in properties.items():
        if name in skip:
            continue
        default = (
            "required" if schema.get("required") else _shown(schema.get("default"))
        )
        help_ = schema.get("description", "")
        rows.append(f"| `{name}` | {_value(schema)} | {default} | {help_} |")
    return "\n".join(rows) + "\n"


def _value(schema: Mapping[str, Any]) -> str:
    branches = [b for b in schema.get("anyOf", [schema]) if b.get("type") != "null"]
    text = " or ".join(dict.fromkeys(_branch(branch) for branch in branches))
    unit = schema.get("unit")
    return f"{text} {unit}" if unit else text


def _branch(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if "$ref" in schema:
        return f"{schema['$ref'].rsplit('/', 1)[-1].lower()} options"
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None:
        return f"{low}..{high}" if high is not None else f"≥ {low}"
    words = {"boolean": "true, false", "string": "text", "integer": "whole number"}
    return words.get(str(schema.get("type")), str(schema.get("type", "any")))


def _shown(default: object) -> str:
    return "" if default is None else f"`{str(default).lower()}`"


def _formats() -> str:
    rows = [
        "## Formats\n",
        (
            "| name | type | reads | writes | alpha | animation | lossy | quality "
            "| effort | longest side |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in FORMATS.values():
        effort = ""
        if kind.effort_range:
            low, high = kind.effort_range
            effort = f"{kind.effort} ({low}..{high})"
        cells = [
            f"`{kind.name}`",
            f"`{kind.content_type}`",
            "with the extra `heic`" if kind.name == "heic" else "yes",
            _yes(kind.writable),
            _yes(kind.alpha),
            _yes(kind.animation),
            _yes(kind.lossy),
            str(kind.quality or ""),
            effort,
            f"{kind.max_side:,} px" if kind.max_side < 2**31 - 1 else "",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _presets() -> str:
    found = [f"### {preset.name}\n\n{preset.help}\n" for preset in PRESETS.values()]
    return "\n".join(["## Presets\n", *found])


def _yes(truth: bool) -> str:
    return "yes" if truth else ""


def errors() -> str:
    """Every code with its status and sentence."""
    parts = [
        "# Errors\n",
        MADE,
        (
            "Refusals are `application/problem+json` (RFC 9457) with `code`, `detail`, "
            "`request_id` and, for fields, `errors: [{pointer, detail}]`. The same "
            "codes stand in a job's and an output's `error`. *Retryable* says that "
            "the same request may succeed later, *Retry-After* that the refusal "
            "says after how many seconds.\n"
        ),
    ]
    found = {code: _sentence(kind) for code, kind in every_error().items()}
    for status, (code, text) in HTTP_CODES.items():
        found.setdefault(code, f"{text} (HTTP {status})")
    for code, text in sorted(found.items()):
        parts.append(f"## {code}\n\n{text}\n")
    return "\n".join(parts)


def _sentence(kind: type[PixtoolsError]) -> str:
    status = STATUS.get(kind.code)
    facts = [f"HTTP {status}"] if status else []
    facts += ["retryable"] if kind.retryable else []
    facts += ["Retry-After"] if kind.code in RETRY_AFTER else []
    tail = f" ({', '.join(facts)})" if facts else ""
    return f"{(kind.__doc__ or '').strip()}{tail}"


def settings() -> str:
    """Every variable of the environment."""
    parts = [
        "# Settings\n",
        MADE,
        (
            "Read from the process, then from `.env`. Nothing set is the embedded "
            "mode. A wrong value stops the start with one sentence that names "
            "the variable.\n"
        ),
    ]
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default in (None, "") else f"`{field.default}`"
        words = get_args(field.annotation)
        choice = f" One of {', '.join(map(str, words))}." if _is_choice(words) else ""
        text = f"{field.description}{choice} Default: {default}."
        parts.append(f"## {name.upper()}\n\n{text}\n")
    return "\n".join(parts)


def _is_choice(words: tuple[Any, ...]) -> bool:
    return bool(words) and all(isinstance(word, str) for word in words)


def commands() -> str:
    """Every command's own help, as it looks at 80 columns."""
    parts = ["# Commands\n", MADE]
    names = ["serve", "worker", "scheduler"]
    names += ["process", "submit", "usage", "migrate", "doctor"]
    names += ["keys create", "keys list", "keys revoke"]
    names += ["models import", "models list", "models remove"]
    for name in names:
        shown = CliRunner().invoke(
            build(), [*name.split(), "--help"], env={"COLUMNS": "80", "TERM": "dumb"}
        )
        text = "\n".join(line.rstrip() for line in shown.output.strip().splitlines())
        parts.append(f"## pixtools {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _read(name: str) -> str:
    page = OUT / name
    return page.read_text(encoding="utf-8") if page.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
