"""A child that decodes hostile images starts with what it needs and no more."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pixtools.workers.config import WorkersConfig
from pixtools.workers.launch import command, environment


def test_no_secret_reaches_the_child() -> None:
    ours = {
        "AWS_SECRET_ACCESS_KEY": "s",
        "DATABASE_URL": "postgresql://u:p@h/d",
        "API_KEY": "k",
        "WEBHOOK_SIGNING_SECRET": "w",
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": "src",
    }
    passed = environment(ours)
    assert {name: passed[name] for name in ours if name in passed} == {
        "PATH": "/bin",
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": "src",
    }


def test_the_allocator_and_libvips_are_set_up_before_they_are_loaded() -> None:
    passed = environment({"VIPS_CONCURRENCY": "16", "MALLOC_ARENA_MAX": "64"})
    assert passed["VIPS_CONCURRENCY"] == "1"
    assert passed["MALLOC_ARENA_MAX"] == "1"


def test_the_current_directory_is_no_place_for_the_childs_code() -> None:
    assert command()[:2] == (sys.executable, "-P")


def test_a_child_is_told_where_weights_are_and_whether_they_are_needed_at_once() -> (
    None
):
    config = WorkersConfig(
        models_dir=Path("/weights"), precision="int8", denoise_threads=2, kept_heavy=1
    )
    assert json.loads(config.words(heavy=True)) == {
        "models_dir": "/weights",
        "precision": "int8",
        "denoise_threads": 2,
        "warm": True,
    }
    assert not json.loads(config.words(heavy=False))["warm"]
    assert not json.loads(WorkersConfig().words(heavy=True))["warm"]
