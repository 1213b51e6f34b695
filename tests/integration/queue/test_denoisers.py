"""A worker that does nothing but denoise is ready when it could begin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tests.networks import blurring

from pixtools.testing.program import Program, command, eventually

START_SECONDS = 90.0
"""Its child yields to all others, who may be busy."""
Begin = Callable[[Path], Program]


@pytest.fixture
def begin(rabbitmq_url: str, tmp_path: Path) -> Iterator[Begin]:
    """Start a worker on a folder of weights, with a heartbeat beside it."""
    begun: list[Program] = []

    def begin(weights: Path) -> Program:
        settings = {
            "RABBITMQ_URL": rabbitmq_url,
            "PIXTOOLS_DATA_DIR": str(tmp_path / "data"),
            "MODELS_DIR": str(weights),
            "WORKER_HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        }
        line = command("worker", "--queues", "ml_inference_queue")
        begun.append(Program(line, settings, tmp_path / "said" / "worker.txt"))
        begun[-1].start()
        return begun[-1]

    yield begin
    for program in begun:
        program.clear()


def holds_a_network(pid: int) -> bool:
    """Whether ONNX Runtime is in a process."""
    return any("onnxruntime" in part.path for part in psutil.Process(pid).memory_maps())


def test_its_heart_beats_once_a_network_is_open(begin: Begin, tmp_path: Path) -> None:
    """In the one child that it starts with."""
    worker = begin(blurring(tmp_path / "weights", "fast"))
    eventually((tmp_path / "heartbeat").exists, START_SECONDS, worker.words)
    assert [holds_a_network(pid) for pid in worker.pixel_children()] == [True]
    assert worker.stop() == 0


def test_weights_that_are_broken_stop_its_start(begin: Begin, tmp_path: Path) -> None:
    """With a sentence that says which; nobody takes it for ready meanwhile."""
    weights = blurring(tmp_path / "weights", "fast")
    (weights / "denoise-fast.onnx").write_bytes(b"no network")
    worker = begin(weights)
    assert worker.process.wait(START_SECONDS) != 0
    assert "weights of the denoiser fast can't be used" in worker.words()
    assert f"The networks can't be opened, imported ones of {weights}" in worker.words()
    assert not (tmp_path / "heartbeat").exists()
