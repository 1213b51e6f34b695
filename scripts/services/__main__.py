"""Real servers for the cluster and its tests, on private ports of this machine.

    python3 -m scripts.services start [--lent] [--quiet] [postgres] [redis] …
    python3 -m scripts.services stop [--lent] [postgres] [redis] …
    python3 -m scripts.services install | clear

`start` takes each server from where it can: one that the environment names and that
answers, else one that runs already, else a container where an engine runs, else a
process of its own, for which it installs Debian packages if it may. It prints the
environment that leads to them, and writes it to `.services/env`. Exit code 1: not all
could be had; why is the last thing that it says.

`--quiet` does not print the environment, which holds passwords. `--lent` is for tests:
what they started, the last of them stops, unless somebody has asked for it by `start`
alone. The servers are `postgres`, `redis`, `rabbitmq` and `s3`; named none, all.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from typing import NoReturn

from scripts.prepare import CannotPrepare
from scripts.services import place, shelf
from scripts.services.errors import CannotServe


def main() -> int:
    """Do what the words say; the exit code."""
    words = _parser().parse_intermixed_args()
    try:
        with place.alone():
            if words.verb == "start":
                return shelf.start(words.names, lent=words.lent, quiet=words.quiet)
            if words.verb == "stop":
                return shelf.stop(words.names, lent=words.lent)
            if words.verb == "install":
                return shelf.install(words.names)
            return shelf.clear()
    except (OSError, CannotServe, CannotPrepare) as reason:
        print(f"services: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "Stopped half-way: `make services` goes on, `make services-stop` ends "
            "what runs.",
            file=sys.stderr,
            flush=True,
        )
        _leave()


def _leave() -> NoReturn:
    """Threads may still wait for a server: they need not end in order."""
    here = place.known_place()
    with here.recording() if here else nullcontext():
        os._exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts.services",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=["start", "stop", "install", "clear"])
    parser.add_argument("names", nargs="*", metavar="name", help="default: all")
    parser.add_argument("--lent", action="store_true", help="for tests")
    parser.add_argument("--quiet", action="store_true", help="print no passwords")
    return parser


if __name__ == "__main__":
    sys.exit(main())
