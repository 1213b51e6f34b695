"""Debian packages of servers, which Debian must not start by itself."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts import prepare

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks it before it starts a service; 101 is no."""
REFUSAL = "#!/bin/sh\\nexit 101\\n"


def install(packages: Mapping[str, str], *, required: bool) -> None:
    """Install what is missing, after saying what and why; nothing of it starts.

    Raises CannotPrepare, unless it is not `required`.
    """
    new = [name for name in packages if not _is_installed(name)]
    if not new:
        return
    with _nothing_starts():
        prepare.debian_packages(dict(packages), required=required)
    _leave_to_us(new)


@contextlib.contextmanager
def _nothing_starts() -> Iterator[None]:
    """Not while it is installed."""
    root = prepare.become_root()
    if root is None or POLICY.exists():
        yield
        return
    script = f"printf '{REFUSAL}' > {POLICY} && chmod 755 {POLICY}"
    prepare.run([*root, "sh", "-c", script])
    try:
        yield
    finally:
        prepare.run([*root, "rm", "-f", POLICY])


def _leave_to_us(packages: list[str]) -> None:
    """Nor when the machine starts."""
    root = prepare.become_root()
    if root is None or shutil.which("systemctl") is None:
        return
    files = _said(["dpkg-query", "--listfiles", *packages])
    units = re.findall(
        r"/systemd/system/([^/@\s]+\.(?:service|socket|target))\s", files
    )
    _said([*root, "systemctl", "disable", "--quiet", *units])


def _is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return shutil.which(query[0]) is not None and _said(query) == "installed"


def _said(command: list[str]) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout
