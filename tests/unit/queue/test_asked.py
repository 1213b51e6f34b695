"""Asked to stop: heard at once, and handlers are put back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from pixtools.queue.asked import Asked

PATIENCE = 10.0


def test_a_signal_wakes_who_waits() -> None:
    asked = Asked()
    before = signal.getsignal(signal.SIGTERM)
    with asked.listening():
        sender = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGTERM))
        sender.start()
        began = time.monotonic()
        assert asked.wait(PATIENCE)
        assert time.monotonic() - began < PATIENCE
        sender.join()
    assert asked.to_stop
    assert signal.getsignal(signal.SIGTERM) == before


def test_other_news_wakes_without_asking_to_stop() -> None:
    asked = Asked()
    threading.Timer(0.01, asked.say).start()
    assert asked.wait(PATIENCE)
    assert not asked.to_stop
    assert not asked.wait(0.01)


def test_the_second_signal_ends_the_process_at_once() -> None:
    program = (
        "import signal, time\n"
        "from pixtools.queue.asked import Asked\n"
        "with Asked().listening():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=30)
    assert done.returncode == 128 + signal.SIGTERM
