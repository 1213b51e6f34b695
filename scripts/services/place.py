"""Where the services of this checkout rest: a directory, a block of ports, a secret."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import random
import secrets
import shlex
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PORTS = (
    *("postgres", "redis", "amqp", "management", "erlang", "epmd"),
    *("monitor", "monitor_v1", "s3", "storage"),
)
BLOCK = 32
"""Ports of one checkout; those from `storage` on are the object store's own."""
# Below the ports that Linux gives to outgoing connections.
FIRST, LAST = 20_000, 32_000
OURS = ("processes", "env", "settings.json", "kept", "users", "lock")
USER = "pixtools"
LOCK_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Place:
    """Settings that are chosen once and then stay."""

    door: Path
    """What people and tests read: `.services` in the checkout."""
    data: Path
    """What servers write; elsewhere if their accounts can't reach the checkout."""
    first_port: int
    secret: str

    @property
    def records(self) -> Path:
        """Which processes are ours."""
        return self.door / "processes"

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """One at a time; who ends within it leaves no process without a record."""
        folder = os.open(self.records, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @property
    def lines(self) -> Path:
        """The environment of what runs, as a shell reads it."""
        return self.door / "env"

    @property
    def mark(self) -> str:
        """A short name of this checkout, among others of this machine."""
        return _digest(self.door)

    def port(self, name: str) -> int:
        """One port of the block."""
        return self.first_port + PORTS.index(name)

    def url(self, port: str) -> str:
        """Host and port, as in a URL."""
        return f"127.0.0.1:{self.port(port)}"


def give(path: Path, account: str) -> None:
    """Make an account the owner, where the caller is root."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(known(account))
        os.chown(path, entry.pw_uid, entry.pw_gid)


def known(account: str) -> str:
    """The account, or one that every machine has."""
    try:
        return pwd.getpwnam(account).pw_name
    except KeyError:
        return "nobody"


def open_place() -> Place:
    """The settings of this checkout, chosen anew if there are none."""
    door = _door()
    door.mkdir(mode=0o711, exist_ok=True)
    (door / "processes").mkdir(mode=0o700, exist_ok=True)
    settings = door / "settings.json"
    if not settings.exists():
        chosen = {"first_port": _free_block(), "secret": secrets.token_hex(16)}
        _write(settings, json.dumps(chosen))
    kept = json.loads(settings.read_text())
    return Place(door, _data(door), kept["first_port"], kept["secret"])


def known_place() -> Place | None:
    """The settings of this checkout, or None if nothing was ever started."""
    return open_place() if (_door() / "settings.json").exists() else None


def remove(names: Sequence[str]) -> None:
    """Forget everything: settings, records, and these servers' rooms.

    A directory that holds anything else stays, because somebody may have named one
    with other things in it.
    """
    door = _door()
    data = _data(door)
    for folder in (data, door):
        for name in (*names, *OURS):
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path, onerror=_unless_gone)
            else:
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()


def _unless_gone(
    _: object, __: str, fault: tuple[type[BaseException], BaseException, object]
) -> None:
    """A server that is just ending removes files of its own meanwhile."""
    if not isinstance(fault[1], FileNotFoundError):
        raise fault[1]


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One command at a time in this checkout; others wait for their turn."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        _door().mkdir(mode=0o711, exist_ok=True)
        path = _door() / "lock"
        with path.open("w") as lock:
            # A file that was removed meanwhile is nobody's lock.
            if _locked(lock.fileno()) and _is_still(path, lock.fileno()):
                yield
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Another command holds {path} for too long.")
        time.sleep(0.1)


def read_lines(place: Place) -> dict[str, str]:
    """The environment that was written last."""
    if not place.lines.exists():
        return {}
    words = shlex.split(place.lines.read_text(), comments=True)
    return dict(word.split("=", 1) for word in words)


def write_lines(place: Place, variables: Mapping[str, str]) -> str:
    """Write the environment of what runs; the text."""
    text = "".join(f"{k}={shlex.quote(v)}\n" for k, v in sorted(variables.items()))
    _write(place.lines, text)
    return text


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for nobody else."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _door() -> Path:
    return Path(os.environ.get("PIXTOOLS_SERVICES_DIR") or ROOT / ".services").resolve()


def _data(door: Path) -> Path:
    if os.geteuid() != 0 or _reachable(door):
        return door
    elsewhere = Path("/var/tmp") / f"pixtools-services-{_digest(door)}"
    elsewhere.mkdir(mode=0o711, exist_ok=True)
    if elsewhere.is_symlink() or elsewhere.stat().st_uid != 0:
        raise PermissionError(f"{elsewhere} belongs to somebody else: remove it.")
    return elsewhere


def _reachable(door: Path) -> bool:
    """Whether any account gets there, as it does not below root's home."""
    return all(path.stat().st_mode & 0o001 for path in (door, *door.parents))


def _digest(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, file: int) -> bool:
    return path.exists() and path.stat().st_ino == os.fstat(file).st_ino


def _free_block() -> int:
    blocks = list(range(FIRST, LAST, BLOCK))
    random.shuffle(blocks)
    for first in blocks:
        if all(is_free(port) for port in range(first, first + BLOCK)):
            return first
    raise OSError("Expected a block of free ports on 127.0.0.1 but found none.")


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
