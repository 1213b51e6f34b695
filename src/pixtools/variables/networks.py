"""What noise is removed with."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field

from pixtools.domain.plan import Precision


class Networks(BaseModel):
    """Weights, and how they are run."""

    models_dir: Path | None = Field(
        None,
        description="Folder of imported weights, which win over our own; empty is "
        "models in PIXTOOLS_DATA_DIR.",
    )
    denoise_precision: Precision = Field(
        "auto",
        description="Numbers that a network is run with; auto takes int8 where it has "
        "such weights and the processor multiplies them faster.",
    )
    denoise_threads: int | None = Field(
        None,
        ge=1,
        le=64,
        description="Threads of one denoising; empty takes all cores, four at most.",
    )
