"""The environment, read once into one frozen value.

Names are the contract's (§6) and stand in `variables` only, a group a file; rooms get
their own `config` from `wiring`. A wrong value stops the start with one sentence.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.domain.explain import shown
from pixtools.variables.clients import Clients
from pixtools.variables.networks import Networks
from pixtools.variables.places import Places
from pixtools.variables.serving import Serving
from pixtools.variables.watching import Watching
from pixtools.variables.webhooks import Webhooks
from pixtools.variables.work import Work

EXPECTED_URLS = {
    "DATABASE_URL": "sqlite:///… or postgresql://…",
    "RABBITMQ_URL": "amqp://… or amqps://…",
    "REDIS_URL": "redis://… or rediss://…",
    "WEBHOOK_SIGNING_SECRET": "whsec_ and 24 to 64 bytes in base64 (or two of these)",
    "WEBHOOK_RETRY_SECONDS": "seconds with commas between",
}
"""Their values hold passwords, so a sentence about them shows none."""


class Settings(
    Watching, Webhooks, Clients, Networks, Work, Places, Serving, BaseSettings
):
    """Every variable that PixTools reads, with its default and what it is for.

    Pydantic lists the fields of the last base first.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        case_sensitive=False,
    )

    @property
    def weights_dir(self) -> Path:
        """Where imported weights are."""
        return self.models_dir or self.pixtools_data_dir / "models"


def load_settings() -> Settings:
    """Read process and `.env`; raises ConfigurationInvalid naming the variable."""
    _check_file(Path(".env"))
    try:
        return Settings()
    except ValidationError as error:
        raise ConfigurationInvalid(_sentence(error)) from None


def example() -> str:
    """The text of `.env.example`: every variable with its default and purpose."""
    lines = ["# Everything is optional: nothing set is the embedded mode.", ""]
    for name, field in Settings.model_fields.items():
        default = _shown_default(field.default)
        lines += [f"# {field.description}", f"# {name.upper()}={default}", ""]
    return "\n".join(lines)


def _check_file(path: Path) -> None:
    """Raise ConfigurationInvalid for a line that its reader would pass over.

    With the name of a bucket in it, photos would be kept on this machine instead.
    """
    if not path.is_file():
        return
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as lines:
            wrong = next((each for each in parse_stream(lines) if each.error), None)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise ConfigurationInvalid(f"{path} can't be read: {why}.") from None
    if wrong:
        text = wrong.original.string
        line = wrong.original.line + len(text) - len(text.lstrip("\n"))
        raise ConfigurationInvalid(
            f"{path} can't be read from line {line} on: write NAME=value, and close "
            "every quote."
        )


def _shown_default(default: object) -> object:
    if isinstance(default, SecretStr):
        return ""
    return "" if default is None else default


def _sentence(error: ValidationError) -> str:
    finding = error.errors(include_url=False)[0]
    name = str(finding["loc"][0]).upper() if finding["loc"] else "the environment"
    if finding["type"] == "string_pattern_mismatch":
        return f"Expected {EXPECTED_URLS[name]} for {name} but received another value."
    if finding["type"] == "value_error":  # a sentence of ours, which shows no secret
        return str(finding["ctx"]["error"])
    rule = finding["msg"][0].lower() + finding["msg"][1:]
    return f"{name} is {shown(finding['input'])}, but {rule}."
