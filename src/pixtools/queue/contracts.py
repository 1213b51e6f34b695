"""The messages that wake workers, by name and version.

A message is a token: it says that work waits in a lane, and names the stage for which
it was sent. Whoever takes it asks the database what is next. So a message may be lost
or doubled, but not misunderstood: what this release does not know, it refuses.

A new version is added beside the old one and accepted for a release before the first
scheduler posts it; then workers of both releases understand all that is posted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from pixtools.domain.job import StageKind

CONTENT_TYPE: Final = "application/json"
MOST_BYTES: Final = 4096
NEVER_SAID: Final = ("eta", "expires", "retries")
"""Headers that Celery would act upon; when work is done, the database decides."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TokenV1(BaseModel):
    """Work waits in this lane; it was announced for this stage."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    v: Literal[1]
    stage_id: Id


@dataclass(frozen=True, slots=True)
class Contract:
    """One kind of message in one version: its task's name and its keyword arguments."""

    kind: StageKind
    version: int
    token: type[BaseModel]

    @property
    def name(self) -> str:
        """The name of the Celery task."""
        return f"pixtools.{self.kind}.v{self.version}"


V1: Final = tuple(Contract(kind, 1, TokenV1) for kind in get_args(StageKind))
ACCEPTED: Final[Sequence[Contract]] = V1
"""What workers of this release understand."""
SPOKEN: Final[Sequence[Contract]] = V1
"""What schedulers of this release post: one version of each kind."""


class PoisonMessage(ValueError):
    """A message that no worker of this release can understand."""


def written(
    spoken: Sequence[Contract], kind: StageKind, stage_id: str, message_id: str
) -> tuple[dict[str, Any], bytes]:
    """Headers and body of a message, as Celery's protocol 2 has them."""
    contract = next(each for each in spoken if each.kind == kind)
    token = contract.token.model_validate(
        {"v": contract.version, "stage_id": stage_id}
    ).model_dump()
    headers = {
        "lang": "py",
        "task": contract.name,
        "id": message_id,
        "root_id": message_id,
        "ignore_result": True,
    }
    return headers, json.dumps([[], token, {}]).encode()


def read(
    accepted: Mapping[str, Contract],
    headers: Mapping[str, Any] | None,
    content_type: str | None,
    body: bytes | str,
) -> Contract:
    """Which contract a message fulfils; raises PoisonMessage if none."""
    said = headers or {}
    name = said.get("task")
    contract = accepted.get(name) if isinstance(name, str) else None
    if contract is None:
        raise PoisonMessage(f"no task {name!r:.80} is known here")
    if not isinstance(said.get("id"), str):
        raise PoisonMessage("it has no id")
    if any(said.get(word) for word in NEVER_SAID):
        raise PoisonMessage(f"it has one of the headers {', '.join(NEVER_SAID)}")
    if content_type != CONTENT_TYPE or len(body) > MOST_BYTES:
        raise PoisonMessage(f"it is no {CONTENT_TYPE} of at most {MOST_BYTES} bytes")
    _check(contract, body)
    return contract


def _check(contract: Contract, body: bytes | str) -> None:
    try:
        arguments, token, embedded = json.loads(body)
        more = any(embedded.values())
        contract.token.model_validate(token)
    except ValidationError as error:
        finding = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(map(str, finding["loc"]))
        raise PoisonMessage(f"{at or 'token'}: {finding['msg']}") from None
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise PoisonMessage("its body is no call of a task") from None
    if arguments or more:
        raise PoisonMessage("it brings more than a token")


def by_name(contracts: Sequence[Contract]) -> dict[str, Contract]:
    """The contracts under their tasks' names."""
    return {contract.name: contract for contract in contracts}


def schemas(contracts: Sequence[Contract] = ACCEPTED) -> dict[str, Any]:
    """The JSON Schema of each message's keyword arguments, by its task's name."""
    return {each.name: each.token.model_json_schema() for each in contracts}
