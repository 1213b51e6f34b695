"""Celery is told to bring messages to threads, and to do nothing else."""

from __future__ import annotations

import ssl

from pixtools.queue.celery_app import celery_app
from pixtools.queue.config import BrokerConfig, WorkerConfig
from pixtools.queue.line import tls_of


def config(url: str = "amqp://guest:secret@broker/vhost") -> WorkerConfig:
    return WorkerConfig(
        broker=BrokerConfig(url=url),
        owner="house",
        lanes=("ml_inference_queue",),
        concurrency=3,
    )


def test_messages_are_acknowledged_late_one_for_each_thread() -> None:
    conf = celery_app(config()).conf
    assert conf.task_acks_late
    assert conf.worker_pool == "threads"
    assert conf.worker_concurrency == 3
    assert conf.worker_prefetch_multiplier == 1
    assert conf.accept_content == ["json"]


def test_only_the_lanes_of_the_worker_are_consumed_and_none_is_made_up() -> None:
    conf = celery_app(config()).conf
    assert [queue.name for queue in conf.task_queues] == ["ml_inference_queue"]
    assert not conf.task_create_missing_queues
    assert conf.task_queues[0].queue_arguments["x-queue-type"] == "quorum"


def test_nothing_is_sent_that_nobody_reads() -> None:
    conf = celery_app(config()).conf
    assert conf.result_backend is None
    assert conf.task_ignore_result
    assert not conf.worker_send_task_events
    assert conf.control_queue_exclusive
    assert conf.event_queue_exclusive


def test_every_app_is_a_value_of_its_own() -> None:
    assert celery_app(config()) is not celery_app(config())


def test_an_encrypted_connection_checks_whom_it_speaks_to() -> None:
    tls = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "broker"}
    assert celery_app(config("amqps://broker")).conf.broker_use_ssl == tls
    assert tls_of("amqp://broker") is None


def test_passwords_are_not_shown() -> None:
    assert "secret" not in repr(config())
