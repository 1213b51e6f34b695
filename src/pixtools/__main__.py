"""`pixtools`, which `python -m pixtools` is too."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Entry point: who is stopped while everything is loaded ends quietly, too."""
    try:
        from pixtools.cli.main import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
