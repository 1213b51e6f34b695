"""How an option is declared: once, with its range, default, unit and help.

Validation, OpenAPI, the page's controls, the command line's flags and the
reference tables are all derived from these declarations.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Control = Literal["number", "slider", "select", "switch", "text", "colour", "gravity"]


class Declared(BaseModel):
    """A group of options: unknown names are errors, values are never coerced."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=False
    )


def option(
    default: Any = ...,  # noqa: ANN401 - a default has its option's type
    *,
    help: str,
    control: Control,
    unit: str | None = None,
    ge: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    step: float | None = None,
) -> Any:  # noqa: ANN401 - pydantic's own way to declare a field
    """Declare one option; `unit` and `control` travel in the JSON Schema."""
    hints: dict[str, Any] = {"control": control}
    if unit:
        hints["unit"] = unit
    if step:
        hints["step"] = step
    return Field(
        default,
        description=help,
        ge=ge,
        le=le,
        min_length=min_length,
        max_length=max_length,
        json_schema_extra=hints,
    )
