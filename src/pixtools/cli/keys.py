"""`pixtools keys`: who may ask a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from pixtools.cli.say import teaching, to_stderr, to_stdout
from pixtools.domain.errors import InvalidRequest
from pixtools.domain.identity import DEFAULT_TENANT, SCOPES, ApiKey, Scope
from pixtools.domain.ids import is_id
from pixtools.settings import load_settings

CREATE_EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools keys create --name shop\n\n"
    "pixtools keys create --tenant ann --scope read --days 90"
)
LIST_EPILOG = "[b]Examples[/b]\n\npixtools keys list\n\npixtools keys list --json"
REVOKE_EPILOG = (
    "[b]Examples[/b]\n\npixtools keys revoke 019a8f3e-7c1d-7f00-8a44-1d2c3b4a5f60"
)


def create(
    *,
    tenant: Annotated[
        str, typer.Option(metavar="NAME", help="Whose jobs the key is for.")
    ] = DEFAULT_TENANT,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="What the key is for, to tell it by.")
    ] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", help="read looks, write changes; both if none."),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(metavar="N", min=0, help="Days until it expires; never if none."),
    ] = None,
) -> None:
    """Make an API key and print it: this once, since nobody can tell it again.

    From the first key on every server of this database asks for one.
    """
    with teaching():
        from pixtools.wiring.keys import keys

        called, allowed = _name(name), _scopes(scope or list(SCOPES))
        lasts = _lasts(days)
        with keys(load_settings()) as ring:
            key, text = ring.create(
                tenant=tenant, name=called, scopes=allowed, lasts=lasts
            )
    to_stdout().print(text, markup=False, highlight=False, soft_wrap=True)
    said = f"Key {key.id} of tenant {key.tenant}. It is shown only now: keep it well."
    to_stderr().print(said, markup=False, highlight=False, soft_wrap=True)


def list_keys(
    *,
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only keys of this tenant.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each key.")
    ] = False,
) -> None:
    """List API keys, newest first: whose they are and when they were used last."""
    with teaching():
        from pixtools.wiring.keys import keys

        with keys(load_settings()) as ring:
            found = ring.listed(tenant)
    if as_json:
        for key in found:
            to_stdout().print(json.dumps(_document(key)), soft_wrap=True, markup=False)
    else:
        _print(found)


def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id, as list shows it.")
    ],
) -> None:
    """Let an API key open nothing any more; servers know within two seconds."""
    with teaching():
        from pixtools.wiring.keys import keys

        if not is_id(key_id):
            raise InvalidRequest("Expected the id of a key, as pixtools keys list has.")
        with keys(load_settings()) as ring:
            key = ring.revoke(key_id)
    said = f"Key {key.id} ({key.shown}) is revoked."
    to_stdout().print(said, markup=False, highlight=False, soft_wrap=True)


def build() -> typer.Typer:
    """The commands below `pixtools keys`."""
    app = typer.Typer(
        help="API keys: who may ask a server.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    app.command("create", epilog=CREATE_EPILOG)(create)
    app.command("list", epilog=LIST_EPILOG)(list_keys)
    app.command("revoke", epilog=REVOKE_EPILOG)(revoke)
    return app


def _name(text: str) -> str:
    if len(text) > 100 or not text.isprintable():
        raise InvalidRequest("Expected at most 100 printable characters for --name.")
    return text


def _scopes(given: list[str]) -> tuple[Scope, ...]:
    for word in given:
        if word not in SCOPES:
            raise InvalidRequest(
                f"Expected read or write for --scope but got {word!r}."
            )
    return tuple(scope for scope in SCOPES if scope in given)


def _lasts(days: float | None) -> timedelta | None:
    if days is None:
        return None
    if not 0 < days <= 36_500:
        raise InvalidRequest("Expected more than 0 and at most 36,500 for --days.")
    return timedelta(days=days)


def _document(key: ApiKey) -> dict[str, Any]:
    shown = asdict(key)
    del shown["digest"]
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in shown.items()
    }


def _print(keys: Sequence[ApiKey]) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("id", "key", "tenant", "name", "scopes", "state", "last used"):
        table.add_column(head, overflow="fold")
    for key in keys:
        table.add_row(
            key.id,
            key.shown,
            key.tenant,
            key.name,
            "+".join(key.scopes),
            _state(key),
            _moment(key.last_used_at) or "never",
        )
    to_stdout().print(table, markup=False)


def _state(key: ApiKey) -> str:
    if key.revoked_at:
        return f"revoked {_moment(key.revoked_at)}"
    if key.expires_at:
        word = "until" if key.is_live(datetime.now(UTC)) else "expired"
        return f"{word} {_moment(key.expires_at)}"
    return "live"


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M}" if time else ""
