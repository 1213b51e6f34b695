"""What `pixtools worker` and `pixtools scheduler` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pixtools.cli.say import teaching, to_stderr
from pixtools.domain.errors import ConfigurationInvalid
from pixtools.settings import Settings, load_settings
from pixtools.telemetry.config import LogConfig
from pixtools.telemetry.logs import configure_logs
from pixtools.wiring.machine import keep_freed_memory


@contextmanager
def joining_cluster() -> Iterator[Settings]:
    """The settings of a process that works for a cluster, for a block that teaches."""
    with teaching():
        settings = load_settings()
        configure_logs(LogConfig(level=settings.log_level, format=settings.log_format))
        if not settings.rabbitmq_url:
            raise ConfigurationInvalid(
                "RABBITMQ_URL is not set, so there is no cluster to work for: "
                "set it, or run `pixtools serve`, which brings its own workers."
            )
        keep_freed_memory()
        try:
            yield settings
        except ModuleNotFoundError as error:
            raise ConfigurationInvalid(
                f"The cluster needs {error.name}: install pixtools[cluster]."
            ) from None


def announce(text: str) -> None:
    """Say on the terminal what runs now."""
    to_stderr().print(
        f"{text} (stop it with Ctrl-C)", markup=False, highlight=False, soft_wrap=True
    )
