"""`make services` and `make services-stop`: what is there, whose it is, what is said.

Redis stands for all four, because it starts fast.
"""

from __future__ import annotations

import fcntl
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import psutil
import pytest
from redis import Redis
from scripts.services.place import remove
from tests.integration.services.checkout import ROOT, Checkout, answers, lives

from pixtools.testing.serving import eventually


def test_a_second_call_finds_what_the_first_one_started(checkout: Checkout) -> None:
    """The same processes, the same environment, within a second or two."""
    first = checkout.services("start", "redis")
    assert (first.returncode, first.stderr) == (0, "")
    lines, process = checkout.lines, checkout.process("redis")
    assert f"REDIS_URL={lines['REDIS_URL']}" in first.stdout
    assert answers(lines["REDIS_URL"])
    second = checkout.services("start", "redis")
    assert "Redis: runs." in second.stdout
    assert checkout.lines == lines
    assert checkout.process("redis") == process


def test_a_server_is_private(checkout: Checkout) -> None:
    """Loopback only, never as root, with a password that others can't read."""
    checkout.services("start", "redis")
    process = checkout.process("redis")
    assert 0 not in process.uids()
    heard = [c for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in heard} == {"127.0.0.1"}
    for file in ("env", "settings.json"):
        assert (checkout.door / file).stat().st_mode & 0o077 == 0
    parts = urlsplit(checkout.lines["REDIS_URL"])
    with pytest.raises(Exception, match=r"(?i)auth"):
        answers(f"redis://{parts.hostname}:{parts.port}/0")


def test_stopping_ends_it_and_starting_again_finds_its_data(
    checkout: Checkout,
) -> None:
    """At the same address."""
    checkout.services("start", "redis")
    lines, process = checkout.lines, checkout.process("redis")
    with Redis.from_url(lines["REDIS_URL"]) as client:
        client.set("kept", "yes")
    stopped = checkout.services("stop")
    assert "Redis: stopped" in stopped.stdout
    assert not lives(process)
    assert checkout.lines == {}
    checkout.services("start", "redis")
    assert checkout.lines == lines
    with Redis.from_url(lines["REDIS_URL"]) as client:
        assert client.get("kept") == b"yes"


def test_what_died_is_started_again(checkout: Checkout) -> None:
    checkout.services("start", "redis")
    process = checkout.process("redis")
    process.kill()
    eventually(lambda: not lives(process), within=60)
    again = checkout.services("start", "redis")
    assert "Redis: started" in again.stdout
    assert answers(checkout.lines["REDIS_URL"])


def test_nobody_elses_process_is_ended(checkout: Checkout) -> None:
    """A process that got the number of one of ours is not ours."""
    checkout.services("start", "redis")
    checkout.services("stop")
    with subprocess.Popen(["sleep", "60"]) as other:
        record = json.dumps({"pid": other.pid, "born": "another boot/1"})
        (checkout.door / "processes" / "redis").write_text(record)
        assert checkout.services("stop").returncode == 0
        assert other.poll() is None
        other.kill()


def test_a_taken_port_is_not_fought_over(checkout: Checkout) -> None:
    """It is said which, and what to do."""
    checkout.services("start", "redis")
    port = urlsplit(checkout.lines["REDIS_URL"]).port
    checkout.services("stop")
    with socket.create_server(("127.0.0.1", port or 0)):
        refused = checkout.services("start", "redis")
    assert refused.returncode == 1
    assert f"port {port} is taken" in refused.stderr
    assert "REDIS_URL" not in checkout.lines


def test_an_unknown_name_is_refused(checkout: Checkout) -> None:
    refused = checkout.services("start", "mongodb")
    assert refused.returncode == 1
    assert "but received mongodb" in refused.stderr


def test_what_tests_started_they_stop(checkout: Checkout) -> None:
    """Unless other tests still run, or a person has asked for it."""
    checkout.services("start", "--lent", "redis")
    with (checkout.door / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        checkout.services("stop", "--lent")
        assert lives(checkout.process("redis"))
    checkout.services("start", "redis")
    checkout.services("stop", "--lent")
    process = checkout.process("redis")
    assert lives(process)
    checkout.services("stop")
    assert not lives(process)
    checkout.services("start", "--lent", "redis")
    checkout.services("stop", "--lent")
    assert not (checkout.door / "processes" / "redis").exists()


def test_what_an_ending_server_removes_itself_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It and `make clean` may well remove the same files at the same time."""
    monkeypatch.setenv("PIXTOOLS_SERVICES_DIR", str(tmp_path))
    room = tmp_path / "redis"
    room.mkdir()
    files = [room / f"{number}" for number in range(3000)]
    for file in files:
        file.touch()

    def end() -> None:
        for file in files:
            file.unlink(missing_ok=True)

    server = Thread(target=end)
    server.start()
    remove(["redis"])
    server.join()
    assert not room.exists()


def test_two_calls_at_once_start_one_server(checkout: Checkout) -> None:
    """The second waits for its turn and finds what the first has started."""
    both = [
        subprocess.Popen(
            checkout.command("start", "redis"),
            cwd=ROOT,
            env=checkout.whole_environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = "".join(call.communicate(timeout=60)[0] for call in both)
    assert [call.returncode for call in both] == [0, 0]
    assert (said.count("Redis: started"), said.count("Redis: runs.")) == (1, 1)


def test_ctrl_c_leaves_nothing_that_stop_does_not_end(checkout: Checkout) -> None:
    """A start that was cut short is gone on with, or cleared away."""
    call = subprocess.Popen(
        checkout.command("start", "postgres", "redis"),
        cwd=ROOT,
        env=checkout.whole_environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually((checkout.door / "processes" / "redis").exists, within=60)
    call.send_signal(signal.SIGINT)
    _, said = call.communicate(timeout=60)
    assert call.returncode in {0, 130}
    if call.returncode == 130:
        assert "services-stop" in said
    process = checkout.process("redis")
    assert checkout.services("stop").returncode == 0
    assert not lives(process)


def test_make_clean_ends_what_killed_tests_left_behind(
    checkout: Checkout, tmp_path: Path
) -> None:
    """Servers of their own, and the lock beside them."""
    for name in ("Makefile", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    for folder in (tmp_path / "src", tmp_path / "tests", checkout.door):
        folder.mkdir()
    (checkout.door / "chaos-1234.lock").touch()
    left = Checkout(checkout.door / "chaos-1234")
    assert left.services("start", "--lent", "redis").returncode == 0
    process = left.process("redis")
    subprocess.run(
        ["make", "clean", f"SYSTEM_PYTHON={sys.executable}"],
        cwd=tmp_path,
        env=checkout.whole_environ,
        check=True,
    )
    assert not lives(process)
    assert not checkout.door.exists()


def test_clearing_removes_what_is_ours_only(checkout: Checkout) -> None:
    """Whatever else lies in the directory that somebody named."""
    checkout.services("start", "redis")
    process, diary = checkout.process("redis"), checkout.door / "diary.txt"
    diary.write_text("not yours")
    assert checkout.services("clear").returncode == 0
    assert not lives(process)
    assert [path.name for path in checkout.door.iterdir()] == ["diary.txt"]
    diary.unlink()
    assert checkout.services("clear").returncode == 0
    assert not checkout.door.exists()
