"""`python -m pixtools` is the `pixtools` command."""

from __future__ import annotations

if __name__ == "__main__":
    from pixtools.cli.main import main

    main()
