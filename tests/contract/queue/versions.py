"""Messages of a release to come, for tests of how releases live side by side."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel

from pixtools.domain.job import StageKind
from pixtools.queue.contracts import Contract


class TokenV2(BaseModel):
    """A version to come."""

    v: Literal[2]
    stage_id: str
    hurry: bool = False


V2 = tuple(Contract(kind, 2, TokenV2) for kind in get_args(StageKind))
