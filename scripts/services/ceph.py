"""Objects: Ceph's gateway, which checks signatures as S3 does, on one small disk file.

One monitor, one disk, one gateway. The whole cluster authenticates with keys, because
the gateway hangs on a cluster that does not.
"""

from __future__ import annotations

import json
import shutil
import signal
import uuid
from collections.abc import Mapping
from typing import ClassVar

from scripts.services import processes, wire
from scripts.services.errors import CannotServe, NoAnswer
from scripts.services.place import BLOCK, USER, Place
from scripts.services.processes import Room
from scripts.services.server import Image, Server, Variables

REGION = "us-east-1"
DISK_BYTES = 8 << 30
"""Sparse: what is not used takes no room."""
SECONDS = 90.0
"""How long each step may take on a busy machine."""
KEYS = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *"},
}
FOLDERS = ("monitor", "disk", "gateway", "crash")
FORGETS_SOON = (
    "--rgw-gc-obj-min-wait=5",
    "--rgw-gc-processor-period=5",
    "--rgw-gc-processor-max-time=5",
)
"""What is deleted or replaced would stay for two hours, and fill the disk."""
_OKS = {200, 404}
_REFUSALS = {401, 403}


class Ceph(Server):
    """What clients upload and download."""

    name = "s3"
    title = "S3 (Ceph)"
    named_by = "AWS_ENDPOINT_URL"
    account = "ceph"
    packages: ClassVar[Mapping[str, str]] = {
        "ceph-mon": "Ceph's monitor, which its other processes meet at",
        "ceph-osd": "Ceph's disk, which keeps photos and outputs",
        "radosgw": "Ceph's gateway, which speaks S3 and checks signatures",
        "ceph-common": "Ceph's commands, which make the first user",
    }
    ports = ("monitor", "monitor_v1", "s3")
    processes = ("s3", "disk", "monitor")
    ends_by = signal.SIGTERM
    seconds = 240.0
    image = Image(
        "versity/versitygw:v1.8.0",
        {"s3": 7070},
        command=("posix", "/tmp"),
        environ={"ROOT_ACCESS_KEY_ID": "{user}", "ROOT_SECRET_ACCESS_KEY": "{secret}"},
    )

    def lines(self, place: Place) -> dict[str, str]:
        """A bucket and the keys of its owner."""
        return {
            self.named_by: f"http://{place.url('s3')}",
            "AWS_ACCESS_KEY_ID": USER,
            "AWS_SECRET_ACCESS_KEY": place.secret,
            "AWS_REGION": REGION,
            "S3_BUCKET": USER,
        }

    def taken(self, environ: Variables) -> dict[str, str]:
        """A named endpoint with its keys; AWS itself, which has none, is left alone."""
        given = {"AWS_REGION": REGION, **environ}
        given["S3_BUCKET"] = given.get("S3_BUCKET") or given.get("AWS_S3_BUCKET", "")
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        wanted = (self.named_by, *names, "S3_BUCKET")
        found = {name: given[name] for name in wanted if given.get(name)}
        return found if len(found) == len(wanted) else {}

    def check(self, variables: Variables) -> None:
        """A request that is signed well is let in, and another one is not."""
        status = _list(variables, variables["AWS_SECRET_ACCESS_KEY"])
        if status not in _OKS:
            raise NoAnswer(f"it answers {status} to a signed request")
        status = _list(variables, "not the secret")
        if status not in _REFUSALS:
            raise NoAnswer(f"it answers {status} to a request that is signed wrongly")

    def missing(self) -> list[str]:
        """Five programs of four packages."""
        wanted = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
        return [name for name in wanted if not shutil.which(name)]

    def launch(self, room: Room) -> None:
        """Monitor, disk, gateway: each needs the one before it."""
        made = (room.path / "made").exists()
        node = _Node(room)
        if not made:
            node.forget()
            node.make_monitor()
        node.start("monitor", "ceph-mon", "-i", "a")
        if not made:
            node.make_disk()
        node.start("disk", "ceph-osd", "-i", "0")
        if not made:
            node.make_user()
            room.write("made", "")
        # Without tcp_nodelay each answer with a body waits 40 ms for the network.
        frontend = f"beast endpoint={room.place.url('s3')} tcp_nodelay=1"
        words = ("-n", "client.admin", "--rgw-frontends", frontend, *FORGETS_SOON)
        node.start("s3", "radosgw", *words)

    def furnish(self, place: Place) -> None:
        """Make the bucket; raises CannotServe."""
        lines = self.lines(place)
        status = wire.s3(
            lines[self.named_by], USER, place.secret, REGION, f"/{USER}", "PUT"
        )
        if status not in {200, 409}:
            raise CannotServe(f"it answers {status} when it is to make a bucket")


def _list(variables: Variables, secret: str) -> int:
    endpoint, key = variables["AWS_ENDPOINT_URL"], variables["AWS_ACCESS_KEY_ID"]
    bucket = f"/{variables['S3_BUCKET']}"
    return wire.s3(endpoint, key, secret, variables["AWS_REGION"], bucket)


class _Node:
    """The three processes' common settings, and how each is made."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._settings = str(room.path / "ceph.conf")
        self._keyring = str(room.path / "keyring")

    def forget(self) -> None:
        """Remove what a making that was cut short has left."""
        for path in self._room.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.suffix != ".log":
                path.unlink()

    def start(self, name: str, program: str, *words: str) -> None:
        """Start one of the processes in the foreground."""
        self._room.start(name, [program, "-f", "-c", self._settings, *words])

    def make_monitor(self) -> None:
        """Settings, keys, and the map that the monitor begins with."""
        cluster = str(uuid.uuid4())
        for name in FOLDERS:
            self._room.folder(name)
        self._room.write("ceph.conf", _settings(self._room, cluster))
        new = ["--create-keyring"]
        for name, rights in KEYS.items():
            caps = [word for right in rights.items() for word in ("--cap", *right)]
            key = ["--gen-key", "-n", name, *caps]
            self._run("ceph-authtool", self._keyring, *new, *key)
            new = []
        nodes = ["--create", "--fsid", cluster, "--addv", "a"]
        first_map = str(self._room.path / "monmap")
        self._run("monmaptool", *nodes, _address(self._room.place), first_map)
        begin = ["--mkfs", "--monmap", first_map, "--keyring", self._keyring]
        self._run("ceph-mon", "-c", self._settings, "-i", "a", *begin)

    def make_disk(self) -> None:
        """A file that the monitor knows as disk 0."""
        identity = str(uuid.uuid4())
        self._ceph("osd", "new", identity)
        words = ["-i", "0", "--mkfs", "--osd-uuid", identity]
        self._run("ceph-osd", "-c", self._settings, *words)

    def make_user(self) -> None:
        """The owner of the bucket; this makes the gateway's pools, too."""
        processes.wait_until(self._has_disk, SECONDS, "the start of Ceph's disk")
        names = [f"--uid={USER}", f"--display-name={USER}"]
        keys = [f"--access-key={USER}", f"--secret-key={self._room.place.secret}"]
        command = ["radosgw-admin", "-c", self._settings, "user", "create"]
        self._run(*command, *names, *keys)

    def _has_disk(self) -> bool:
        found = json.loads(self._ceph("osd", "stat", "--format=json"))
        return bool(found["num_up_osds"])

    def _ceph(self, *words: str) -> str:
        timeout = f"--connect-timeout={SECONDS:g}"
        return self._run("ceph", "-c", self._settings, timeout, *words)

    def _run(self, *command: str) -> str:
        return self._room.run(command, SECONDS)


def _address(place: Place) -> str:
    return f"[v2:{place.url('monitor')},v1:{place.url('monitor_v1')}]"


def _settings(room: Room, cluster: str) -> str:
    place, path = room.place, room.path
    settings = {
        "fsid": cluster,
        "mon host": _address(place),
        "public network": "127.0.0.0/8",
        "ms bind port min": place.port("storage"),
        "ms bind port max": place.first_port + BLOCK - 1,
        "auth cluster required": "cephx",
        "auth service required": "cephx",
        "auth client required": "cephx",
        "run dir": path,
        "crash dir": path / FOLDERS[3],
        "log file": "",
        "log to stderr": "true",
        "admin socket": "",
        "keyring": path / "keyring",
        "mon data": path / FOLDERS[0],
        "osd data": path / FOLDERS[1],
        "rgw data": path / FOLDERS[2],
        "osd objectstore": "bluestore",
        "bluestore block size": DISK_BYTES,
        "osd pool default size": 1,
        "osd pool default min size": 1,
        "osd pool default pg num": 8,
        "osd crush chooseleaf type": 0,
        "osd memory target": 939524096,
        "mon allow pool size one": "true",
        "mon warn on pool no redundancy": "false",
        "mon max pg per osd": 500,
        "rgw dynamic resharding": "false",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    return "\n".join(["[global]", *lines, ""])
