"""The actions: what a step of a pipeline can do to the source."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from pixtools.domain.operations.geometry import Geometry
from pixtools.domain.operations.output import AnyFormat, Output
from pixtools.domain.operations.overlay import Watermark
from pixtools.domain.operations.restore import Denoising
from pixtools.domain.option import Declared, option

STEP_ID = r"^[A-Za-z0-9_-]{1,64}$"


def _switched(value: object) -> object:
    if isinstance(value, bool):
        return Denoising() if value else None
    return value


SwitchOrOptions = Annotated[
    Denoising | None,
    BeforeValidator(_switched, json_schema_input_type=bool | Denoising | None),
]


class Action(Declared):
    """One step: it runs on the source, never on another step's output."""

    id: Annotated[str, Field(pattern=STEP_ID, description="Names the step's output.")]


class Picture(Geometry, Output, Action):
    """An action that makes a file; each kind of it narrows `action` to its name."""

    action: str

    watermark: Watermark | None = Field(
        None, description="Text or image to draw on the output."
    )
    denoise: SwitchOrOptions = Field(
        None, description="Remove noise first; true, or options. Runs on the ML lane."
    )

    @property
    def denoising(self) -> Denoising | None:
        """How noise is to be removed, if it is: then the step is the ML lane's."""
        return self.denoise


class Convert(Picture):
    """Write the photo in another format."""

    action: Literal["convert"] = "convert"
    format: AnyFormat = option(control="select", help="Format to write.")


class Resize(Picture):
    """Make the photo fit a size."""

    action: Literal["resize"] = "resize"

    @model_validator(mode="after")
    def _has_a_side(self) -> Self:
        if self.width is None and self.height is None:
            raise PydanticCustomError(
                "side_missing",
                "Expected width or height for resize but received neither.",
                {"field": "width"},
            )
        return self


class AddWatermark(Picture):
    """Draw a text or an image on the photo."""

    action: Literal["watermark"] = "watermark"
    watermark: Watermark = Field(description="What to draw, and where.")


class Denoise(Denoising, Picture):
    """Remove noise with a neural network."""

    action: Literal["denoise"] = "denoise"
    format: AnyFormat | None = option("png", control="select", help="Format to write.")

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        if self.denoise is not None and self.denoise != Denoising():
            raise PydanticCustomError(
                "denoise_twice",
                "Expected model and strength beside the action denoise, "
                "not in an option.",
                {"field": "denoise"},
            )
        return self

    @property
    def denoising(self) -> Denoising:
        """Always: that is what the step is for."""
        return Denoising(model=self.model, strength=self.strength)


class ReadMetadata(Action):
    """Read the photo's EXIF facts: camera, exposure, time and place."""

    action: Literal["metadata"] = "metadata"


Step = Annotated[
    Convert | Resize | AddWatermark | Denoise | ReadMetadata,
    Field(discriminator="action"),
]
ACTIONS: dict[str, type[Action]] = {
    kind.model_fields["action"].default: kind
    for kind in (Convert, Resize, AddWatermark, Denoise, ReadMetadata)
}
