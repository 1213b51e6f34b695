"""The frozen OpenAPI document; `python -m tests.contract.http.snapshot` renews it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

from pixtools.api.app import create_app
from pixtools.api.config import ApiConfig
from pixtools.api.routers.files import files_router
from pixtools.queue.bell import HouseBell
from pixtools.testing.house import House

FROZEN = Path(__file__).with_name("openapi.json")


class ShutDoor:
    """A door that is described but never opened."""

    def download(self, *_: object, **__: object) -> NoReturn:
        """Nobody comes here."""
        raise NotImplementedError

    def upload(self, *_: object, **__: object) -> NoReturn:
        """Nobody comes here."""
        raise NotImplementedError


def described() -> str:
    """The document of a whole deployment, as it is kept in the repository."""
    app = create_app(
        ApiConfig(),
        House().service,
        desk=HouseBell(),
        probes={},
        doors=[files_router(ShutDoor())],
    )
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FROZEN.write_text(described())
