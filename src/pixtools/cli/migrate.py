"""`pixtools migrate`: bring database and bucket to what this version needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pixtools.cli.say import teaching, to_stdout
from pixtools.settings import load_settings

if TYPE_CHECKING:
    from pixtools.storage.bucket_setup import Notice

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools migrate\n\n"
    "pixtools migrate --storage --origin https://photos.example.org"
)


def migrate(
    *,
    storage: Annotated[
        bool,
        typer.Option(
            "--storage", help="Set lifecycle and CORS rules of the bucket, too."
        ),
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A page that uploads to the bucket; PUBLIC_BASE_URL is one already.",
        ),
    ] = None,
    create_bucket: Annotated[
        bool, typer.Option("--create-bucket", help="Make the bucket if there is none.")
    ] = False,
) -> None:
    """Bring the database to this version's schema; safe to run at any time.

    With --storage the bucket, too: it will drop what nobody pruned after
    S3_RETENTION_DAYS, and unfinished uploads after a day. Rules that may not be set
    are shown, with the command that sets them.
    """
    with teaching():
        from pixtools.wiring import checkup

        settings = load_settings()
        _say(_schema(*checkup.migrate(settings)))
        if storage or create_bucket:
            found = checkup.set_up_storage(settings, origin or [], create=create_bucket)
            for notice in found:
                _tell(notice)


def _schema(before: str | None, after: str) -> str:
    if before == after:
        return f"Database Already at {after}."
    return f"Database {before or 'empty'} → {after}."


def _tell(notice: Notice) -> None:
    _say(f"{'✓' if notice.done else '✗'} {notice.sentence}")
    if notice.document:
        _say(f"\n{notice.file}:\n{notice.document}\n")
    if notice.command:
        _say(f"{notice.command}\n")


def _say(text: str) -> None:
    to_stdout().print(text, highlight=False, markup=False, soft_wrap=True)
