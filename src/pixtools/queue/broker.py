"""RabbitMQ as schedulers and health checks see it: post tokens, count, ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import amqp

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Lane, Wakeup
from pixtools.queue import contracts
from pixtools.queue.config import BrokerConfig
from pixtools.queue.contracts import Contract
from pixtools.queue.line import Blocked, Line
from pixtools.queue.topology import dead_letters_of

T = TypeVar("T")


class Broker:
    """A connection that opens when it is needed and comes back by itself.

    Any thread may use it. All methods raise BrokerUnavailable within the config's
    time-outs, and ConfigurationInvalid if queues stand that were declared otherwise.
    """

    def __init__(
        self, config: BrokerConfig, spoken: Sequence[Contract] = contracts.SPOKEN
    ) -> None:
        self._spoken = spoken
        # Apart: RabbitMQ may block whoever posts, and still answers others.
        self._posts, self._questions = _Access(config), _Access(config)

    def post(self, wakeups: Sequence[Wakeup]) -> None:
        """Publish a token for each; when this returns, RabbitMQ holds all of them.

        If it raises, some may have been published: post all of them again.
        """
        if wakeups:
            messages = [(each.lane, self._message(each)) for each in wakeups]
            self._posts.ask(lambda line: line.post(messages))

    def ready(self, lane: Lane) -> int:
        """How many tokens wait for a worker of this lane."""
        return self._questions.ask(lambda line: line.counts(lane))[0]

    def consumers(self, lane: Lane) -> int:
        """How many worker processes listen to this lane."""
        return self._questions.ask(lambda line: line.counts(lane))[1]

    def dead_letters(self, lane: Lane) -> int:
        """How many messages of this lane nobody could understand."""
        return self._questions.ask(lambda line: line.counts(dead_letters_of(lane)))[0]

    def check(self) -> None:
        """Raise BrokerUnavailable if it does not answer."""
        self._questions.ask(Line.ask)

    def close(self) -> None:
        """Hang up; the next question opens a new connection."""
        self._posts.close()
        self._questions.close()

    def _message(self, wakeup: Wakeup) -> amqp.Message:
        headers, body = contracts.written(
            self._spoken, wakeup.kind, wakeup.stage_id, wakeup.id
        )
        return amqp.Message(
            body,
            content_type=contracts.CONTENT_TYPE,
            content_encoding="utf-8",
            delivery_mode=2,
            correlation_id=wakeup.id,
            application_headers=headers,
        )


class _Access:
    """A line that opens when it is needed, for one thread at a time."""

    def __init__(self, config: BrokerConfig) -> None:
        self._config = config
        self._lock = threading.Lock()
        self._line: Line | None = None

    def ask(self, question: Callable[[Line], T]) -> T:
        """Ask on the line, and once more on a new one if the old one was dead."""
        with self._alone(), self._translated():
            if self._line is not None:
                try:
                    return question(self._line)
                except (TimeoutError, BlockingIOError):
                    raise  # it was heard, and hearing it again would not help
                except (amqp.AMQPError, OSError):
                    self._hang_up()
            self._line = Line(self._config)
            return question(self._line)

    def close(self) -> None:
        """Hang up; the next question opens a new line."""
        with self._lock:
            self._hang_up()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody waits for longer than one answer may take."""
        if not self._lock.acquire(timeout=self._config.answer_within):
            raise BrokerUnavailable("RabbitMQ keeps others waiting.")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (amqp.AMQPError, OSError) as error:
            self._hang_up()
            raise BrokerUnavailable(f"RabbitMQ: {_reason(error)}.") from error
        except Blocked:
            raise  # and the line is kept
        except BaseException:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _reason(error: Exception) -> str:
    if isinstance(error, amqp.AMQPError):
        return str(error.reply_text or error).rstrip(".")
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return "no answer in time"
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error) or type(error).__name__).rstrip(".")
