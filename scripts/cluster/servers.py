"""The environment of the cluster: what a person has set, then what we can provide."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from scripts.cluster.errors import CannotRun
from scripts.prepare import ROOT, say

NAMED_BY = {
    "postgres": ("DATABASE_URL",),
    "redis": ("REDIS_URL",),
    "rabbitmq": ("RABBITMQ_URL",),
    "s3": ("S3_BUCKET", "AWS_S3_BUCKET", "STORAGE_URL"),
}
"""The variables of which one says where a server is, by its name in `make services`."""
VARIABLES = {
    "postgres": ("DATABASE_URL",),
    "redis": ("REDIS_URL",),
    "rabbitmq": ("RABBITMQ_URL",),
    "s3": (
        *("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        *("AWS_REGION", "S3_BUCKET"),
    ),
}
"""What leads to a server that we provide."""


def lines(given: Mapping[str, str]) -> dict[str, str]:
    """The variables that lead to servers which nobody has named.

    `given` is the environment with the file .env below it. Servers that it does not
    name are those of `make services`, started if they don't run. Raises CannotRun.
    """
    wanted = [
        name
        for name, variables in NAMED_BY.items()
        if not any(given.get(variable) for variable in variables)
    ]
    for name, variables in NAMED_BY.items():
        if name not in wanted:
            found = next(variable for variable in variables if given.get(variable))
            say(f"{found} is set: it leads to {name}.")
    return _provided(wanted) if wanted else {}


def _provided(wanted: list[str]) -> dict[str, str]:
    say(f"Servers of this checkout, as `make services` has them: {', '.join(wanted)}.")
    command = [sys.executable, "-m", "scripts.services", "start", "--quiet", *wanted]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode:
        variables = ", ".join(NAMED_BY[name][0] for name in wanted)
        raise CannotRun(
            f"not every server could be had, see above. One that runs elsewhere is "
            f"named by {variables}."
        )
    words = shlex.split(_written().read_text(), comments=True)
    found = dict(word.split("=", 1) for word in words)
    return {v: found[v] for name in wanted for v in VARIABLES[name] if v in found}


def _written() -> Path:
    named = os.environ.get("PIXTOOLS_SERVICES_DIR")
    return (Path(named) if named else ROOT / ".services") / "env"
