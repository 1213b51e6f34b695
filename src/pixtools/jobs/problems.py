"""From exceptions to the problems that are stored with a job."""

from __future__ import annotations

from pixtools.domain.errors import InternalError, PixtoolsError
from pixtools.domain.job import Problem


def problem_of(error: BaseException) -> Problem:
    """Say to the client what happened; a bug becomes one plain sentence."""
    told = error if isinstance(error, PixtoolsError) else InternalError()
    return Problem(code=told.code, detail=told.detail, retryable=told.retryable)
