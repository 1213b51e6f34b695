"""Turn pydantic's findings into one sentence for each wrong field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import ErrorDetails

from pixtools.domain.errors import FieldError
from pixtools.domain.operations.actions import ACTIONS

MOST = 100
"""So many findings are explained; whoever sent more needs no list of them."""

_EXPECTED = {
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    "literal_error": "{expected}",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "nothing",
    "union_tag_invalid": "one of {expected_tags}",
}


def field_errors(
    findings: Sequence[ErrorDetails], prefix: str = ""
) -> tuple[FieldError, ...]:
    """Explain findings, at most a hundred.

    `prefix` is the JSON pointer that leads to the model.
    """
    return tuple(_explained(finding, prefix) for finding in findings[:MOST])


def shown(value: object, limit: int = 60) -> str:
    """A value as it is quoted back in a sentence, never longer than `limit`."""
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _explained(finding: ErrorDetails, prefix: str) -> FieldError:
    context: dict[str, Any] = finding.get("ctx", {})
    parts = [str(part) for part in _path(finding, context)]
    pointer = prefix + "".join("/" + _escaped(part) for part in parts)
    return FieldError(pointer or "/", _sentence(finding, context, parts))


def _path(finding: ErrorDetails, context: dict[str, Any]) -> list[int | str]:
    """Drop the union's branch names, which are no part of what was sent."""
    loc = finding["loc"]
    path: list[int | str] = [
        part
        for at, part in enumerate(loc)
        if not (at and isinstance(loc[at - 1], int) and part in ACTIONS)
    ]
    if finding["type"] in ("union_tag_invalid", "union_tag_not_found"):
        path.append("action")
    if "field" in context:
        path.append(context["field"])
    return path


def _sentence(finding: ErrorDetails, context: dict[str, Any], parts: list[str]) -> str:
    name = parts[-1] if parts else "the request"
    kind = finding["type"]
    if kind == "missing":
        return f"Expected a value for {name} but received none."
    if kind == "union_tag_not_found":
        return f"Expected an action: one of {', '.join(ACTIONS)}."
    if kind == "extra_forbidden":
        return f"There is no option named {name} here."
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format(**context)
        value = context.get("tag", finding["input"])
        return f"Expected {expected} for {name} but received {shown(value)}."
    message = finding["msg"].removeprefix("Value error, ")
    return message if message.endswith(".") else f"{message}."


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
