"""The Celery app as a value: made by the worker process, never on import.

Everything that Celery could do beside bringing a message to a thread is off: no
results, no events, no gossip, no retries, no countdowns. Those live in the database.
"""

from __future__ import annotations

from typing import Any, Final

from celery import Celery
from kombu.entity import Exchange, Queue

from pixtools.queue.config import BrokerConfig, WorkerConfig
from pixtools.queue.line import tls_of
from pixtools.queue.topology import EXCHANGE, EXCHANGE_TYPE, arguments

MESSAGES: Final = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_acks_on_failure": True,  # a task fails by a fault of ours, never of its token
    "task_reject_on_worker_lost": True,
    "task_create_missing_queues": False,
}
WORK: Final = {
    "worker_pool": "threads",
    "worker_prefetch_multiplier": 1,
    "worker_detect_quorum_queues": True,
    "worker_enable_prefetch_count_reduction": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_disable_rate_limits": True,
    "worker_hijack_root_logger": False,
    "worker_send_task_events": False,
    "control_queue_exclusive": True,
    "event_queue_exclusive": True,
}


def celery_app(config: WorkerConfig) -> Celery:
    """An app that consumes the lanes of a worker and knows no task yet."""
    app = Celery("pixtools", broker=config.broker.url, set_as_current=False)
    app.conf.update(MESSAGES)
    app.conf.update(WORK, worker_concurrency=config.concurrency)
    app.conf.update(_queues(config))
    app.conf.update(_connection(config.broker))
    return app


def _queues(config: WorkerConfig) -> dict[str, Any]:
    # The consumer declares the whole topology at once: see `topology.declare`.
    exchange = Exchange(  # type: ignore[no-untyped-call]
        EXCHANGE, type=EXCHANGE_TYPE, durable=True, no_declare=True
    )
    queues = [
        Queue(  # type: ignore[no-untyped-call]
            lane,
            exchange,
            routing_key=lane,
            queue_arguments=arguments(lane, config.broker),
            no_declare=True,
        )
        for lane in config.lanes
    ]
    return {
        "task_queues": queues,
        "task_default_queue": config.lanes[0],
        "task_default_exchange": EXCHANGE,
        "task_default_exchange_type": EXCHANGE_TYPE,
        "task_default_routing_key": config.lanes[0],
    }


def _connection(broker: BrokerConfig) -> dict[str, Any]:
    return {
        "broker_heartbeat": broker.heartbeat,
        "broker_connection_timeout": broker.connect_within,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_use_ssl": tls_of(broker.url),
    }
