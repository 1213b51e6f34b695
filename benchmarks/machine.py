"""On what was measured: processor, memory, load, and every version that matters."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PEERS: Final = Path(__file__).parent / "peers"
_PACKAGES: Final = ("pixtools", "pyvips", "pyvips-binary", "Pillow", "simplejpeg")


def describe(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """What a reader has to know to judge the numbers, in the order to show it."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{_memory_bytes() >> 20} MiB",
        "system": f"{_distribution()}, Linux {platform.release()}",
        "Python": platform.python_version(),
        **{name: found for name in packages if (found := _package(name))},
        **_sharp(),
        **_said("vipsthumbnail", "--vips-version"),
        **_said("node", "--version"),
    }


def load() -> str:
    """How busy the machine is with whatever: the load averages."""
    return " ".join(f"{average:.2f}" for average in os.getloadavg())


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _package(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _sharp() -> dict[str, str]:
    manifest = _PEERS / "node_modules" / "sharp" / "package.json"
    if not manifest.exists():
        return {}
    return {"sharp": str(json.loads(manifest.read_text("utf-8"))["version"])}


def _said(program: str, flag: str) -> dict[str, str]:
    if shutil.which(program) is None:
        return {}
    answer = subprocess.run(
        [program, flag], capture_output=True, text=True, check=False
    )
    return {program: answer.stdout.strip()}
