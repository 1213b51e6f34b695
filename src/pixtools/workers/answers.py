"""Nothing that a child says is believed before it was looked at here.

A child decodes whatever strangers send, so it may be theirs by now: an answer of the
wrong shape, an output that nobody asked for, a file outside the scratch directory or
an error that engines don't have ends the child, and harms nobody else.
"""

from __future__ import annotations

import json
import stat
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from pixtools.domain.errors import (
    Canceled,
    InvalidRequest,
    OutputError,
    PixtoolsError,
    SourceError,
    Unavailable,
    every_error,
)
from pixtools.domain.plan import Denoise, RenderPlan
from pixtools.domain.report import OutputFacts, Report
from pixtools.workers.protocol import (
    VERSION,
    Answer,
    BrokenProtocol,
    Done,
    Estimate,
    Failed,
    Hello,
    Progress,
)

_LONGEST_DETAIL = 2000
_MOST_NOISE = 255
_FROM_ENGINES = (SourceError, OutputError, InvalidRequest, Unavailable, Canceled)


def read_answer(body: bytes) -> Answer:
    """Decode what a child said; raises BrokenProtocol unless it is well formed."""
    try:
        answer = _shape().validate_json(body, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BrokenProtocol(f"{first['loc']}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise BrokenProtocol(str(error)) from None
    _check_numbers(answer)
    return answer


def checked_report(done: Done, plan: RenderPlan, scratch: Path) -> Report:
    """The report, if it answers this plan with files that are there.

    Raises BrokenProtocol if outputs are missing, strange or double, or a file is not
    a plain one of the size and name it should have inside `scratch`.
    """
    report = done.report
    answered = [o.id for o in report.outputs] + [f.id for f in report.failures]
    if sorted(answered) != sorted(output.id for output in plan.outputs):
        raise BrokenProtocol(f"Expected each output once but received {answered!r}.")
    planned = {output.id: output for output in plan.outputs}
    for output in report.outputs:
        _check_output(output, planned[output.id].encode.format, scratch)
        _check_noise(output, planned[output.id].denoise)
    for failure in report.failures:
        error_named(failure.code, failure.detail)
    if (report.metadata is not None) != plan.metadata:
        raise BrokenProtocol("Expected metadata exactly if the plan asks for it.")
    _check_finite(report.metadata)
    return report


def error_named(code: str, detail: str) -> PixtoolsError:
    """The domain error that a child names; raises BrokenProtocol for other codes."""
    kind = every_error().get(code)
    if kind is None or not (kind is PixtoolsError or issubclass(kind, _FROM_ENGINES)):
        raise BrokenProtocol(f"Expected an engine's error but received {code!r}.")
    return kind(detail[:_LONGEST_DETAIL])


@cache
def _shape() -> TypeAdapter[Answer]:
    return TypeAdapter(Annotated[Answer, Field(discriminator="type")])


def _check_numbers(answer: Answer) -> None:
    match answer:
        case Hello(version=version) if version != VERSION:
            raise BrokenProtocol(
                f"Expected protocol version {VERSION} but received {version}."
            )
        case Progress(fraction=fraction) if not 0 <= fraction <= 1:
            raise BrokenProtocol(f"Expected a fraction but received {fraction}.")
        case Estimate(bytes=needed) if needed < 0:
            raise BrokenProtocol(f"Expected bytes >= 0 but received {needed}.")
        case Failed(code=code, detail=detail):
            error_named(code, detail)
        case _:
            pass


def _check_output(output: OutputFacts, format: str, scratch: Path) -> None:
    if output.file in {"", ".", ".."} or "/" in output.file or "\0" in output.file:
        raise BrokenProtocol(f"Expected a plain file name, received {output.file!r}.")
    if output.format != format:
        raise BrokenProtocol(
            f"Expected {format} for {output.id} but received {output.format!r}."
        )
    try:
        found = (scratch / output.file).lstat()
    except OSError as error:
        raise BrokenProtocol(f"Output {output.id} has no file: {error}") from None
    if not stat.S_ISREG(found.st_mode) or found.st_size != output.bytes:
        raise BrokenProtocol(
            f"Expected a file of {output.bytes} bytes for output {output.id} "
            f"but found {found.st_size}."
        )


def _check_noise(output: OutputFacts, wanted: Denoise | None) -> None:
    """Let a child tell of noise where it was to remove some, and nowhere else."""
    told = (output.noise_sigma, output.model, output.skipped)
    if wanted is None and any(fact is not None for fact in told):
        raise BrokenProtocol(f"Nobody asked for the noise of {output.id}.")
    if not 0 <= (output.noise_sigma or 0) <= _MOST_NOISE:
        raise BrokenProtocol(f"Expected noise but received {output.noise_sigma}.")


def _check_finite(metadata: object) -> None:
    """Reject NaN and infinities, which are no JSON for whoever gets it next."""
    try:
        json.dumps(metadata, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise BrokenProtocol(str(error)) from None
