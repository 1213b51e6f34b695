"""What wakes workers: frozen, versioned, and refused where it can't be understood."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from celery import Celery
from tests.contract.queue.snapshot import FROZEN, described
from tests.contract.queue.versions import V2

from pixtools.domain.job import StageKind
from pixtools.queue.contracts import (
    ACCEPTED,
    SPOKEN,
    PoisonMessage,
    by_name,
    read,
    written,
)

KINDS: tuple[StageKind, ...] = get_args(StageKind)
KNOWN = by_name(ACCEPTED)
RENDER = "pixtools.render.v1"
JSON = "application/json"
GOOD = {"v": 1, "stage_id": "0199-stage"}


def body(token: object = GOOD, arguments: object = (), embedded: object = {}) -> bytes:
    return json.dumps([arguments, token, embedded]).encode()


def headers(task: object = RENDER, **more: object) -> dict[str, Any]:
    return {"task": task, "id": "0199-wakeup", **more}


def test_messages_and_queues_are_what_was_frozen() -> None:
    """A difference is a conversation: old workers read it, queues can't be changed."""
    renew = "run `python -m tests.contract.queue.snapshot` if that is what you want"
    assert described() == FROZEN.read_text(encoding="utf-8"), renew


def test_every_kind_of_stage_is_announced_in_words_that_this_release_accepts() -> None:
    for kind in KINDS:
        said, told = written(SPOKEN, kind, "stage", "id")
        assert read(KNOWN, said, JSON, told).kind == kind
    assert len(SPOKEN) == len(KINDS)


def test_what_celery_itself_would_send_is_understood() -> None:
    """An operator may wake workers by `celery call`, with our exchange and key."""
    message = Celery(set_as_current=False).amqp.as_task_v2("an-id", RENDER, (), GOOD)
    told = json.dumps(message.body).encode()
    assert read(KNOWN, message.headers, JSON, told).name == RENDER


@pytest.mark.parametrize(
    ("said", "content_type", "told"),
    [
        pytest.param(headers("pixtools.render.v9"), JSON, body(), id="version"),
        pytest.param(headers("pixtools.erase.v1"), JSON, body(), id="name"),
        pytest.param(headers(["list"]), JSON, body(), id="name of another kind"),
        pytest.param(None, JSON, body(), id="no headers"),
        pytest.param({"task": RENDER}, JSON, body(), id="no id"),
        pytest.param(headers(), "application/x-pickle", body(), id="pickle"),
        pytest.param(headers(), None, body(), id="no type"),
        pytest.param(headers(), JSON, b"\x80\x04", id="no JSON"),
        pytest.param(headers(), JSON, b"[]", id="no call"),
        pytest.param(headers(), JSON, b"17", id="a number"),
        pytest.param(headers(), JSON, b"[" * 4000, id="nested without end"),
        pytest.param(headers(), JSON, body() + b" " * 4096, id="far too long"),
        pytest.param(headers(eta="2030-01-01"), JSON, body(), id="for later"),
        pytest.param(
            headers(), JSON, body(embedded={"chord": {"a": 1}}), id="with a sequel"
        ),
        pytest.param(headers(), JSON, body(embedded=[]), id="embeds a list"),
        pytest.param(headers(), JSON, body(arguments=[1]), id="positional"),
        pytest.param(headers(), JSON, body(None), id="no token"),
        pytest.param(headers(), JSON, body({"v": 1}), id="no stage"),
        pytest.param(headers(), JSON, body(GOOD | {"v": 2}), id="body's version"),
        pytest.param(headers(), JSON, body(GOOD | {"stage_id": 7}), id="no text"),
        pytest.param(headers(), JSON, body(GOOD | {"stage_id": ""}), id="empty"),
        pytest.param(headers(), JSON, body(GOOD | {"stage_id": "x" * 65}), id="long"),
        pytest.param(headers(), JSON, body(GOOD | {"more": 1}), id="more than agreed"),
    ],
)
def test_what_breaks_the_contract_is_refused(
    said: dict[str, Any] | None, content_type: str | None, told: bytes
) -> None:
    with pytest.raises(PoisonMessage) as refused:
        read(KNOWN, said, content_type, told)
    assert len(str(refused.value)) < 200


def test_two_versions_live_side_by_side_for_a_release() -> None:
    """First all workers accept both, then schedulers speak the new one."""
    older, newer = KNOWN, by_name((*ACCEPTED, *V2))
    old_words = written(SPOKEN, "render", "stage", "id")
    new_words = written(V2, "render", "stage", "id")
    assert read(older, old_words[0], JSON, old_words[1]).version == 1
    assert read(newer, old_words[0], JSON, old_words[1]).version == 1
    assert read(newer, new_words[0], JSON, new_words[1]).version == 2
    with pytest.raises(PoisonMessage, match=r"no task 'pixtools\.render\.v2'"):
        read(older, new_words[0], JSON, new_words[1])
