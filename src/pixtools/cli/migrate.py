"""`pixtools migrate`: bring the database to this version's schema."""

from __future__ import annotations

from pixtools.cli.say import teaching, to_stdout
from pixtools.settings import load_settings

EPILOG = "[b]Example[/b]\n\npixtools migrate"


def migrate() -> None:
    """Bring the database to this version's schema; safe to run at any time."""
    with teaching():
        from pixtools.wiring import checkup

        settings = load_settings()
        before, after = checkup.migrate(settings)
    text = (
        f"Already at {after}." if before == after else f"{before or 'empty'} → {after}."
    )
    to_stdout().print(f"Database {text}", highlight=False, markup=False)
