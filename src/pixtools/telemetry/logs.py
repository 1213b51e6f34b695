"""Logs: one event a line, JSON for machines or columns for people.

Rooms log through the standard library (`log.info("stage_finished", extra={…})`);
this module decides, once per process, how such a record is written. A traceback
never shows local variables: they hold links, keys and clients' data, and drawing them
takes seconds in which nobody is served.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from pixtools.telemetry.config import LogConfig

QUIET = (
    *("uvicorn.access", "alembic", "pyvips", "multipart", "python_multipart"),
    *("celery", "kombu", "amqp"),
)


def configure_logs(config: LogConfig) -> None:
    """Send every logger's records to stderr in the chosen form."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_colour_message,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_rendering(config)
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(config.level)
    for name in ("uvicorn", "uvicorn.error", *QUIET):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _rendering(config: LogConfig) -> list[Processor]:
    drop_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if config.format == "json":
        return [
            drop_meta,
            structlog.processors.ExceptionRenderer(
                ExceptionDictTransformer(show_locals=False)
            ),
            structlog.processors.JSONRenderer(),
        ]
    return [
        drop_meta,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _without_colour_message(
    logger: WrappedLogger, name: str, event: EventDict
) -> EventDict:
    """Uvicorn sends its message a second time, with colours."""
    del logger, name
    event.pop("color_message", None)
    return event
