"""What is shown of webhooks: what was sent, what it is signed with, and sandboxes."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from pixtools.domain.document import DeliveryDocument


class DeliveryList(BaseModel):
    """What a job told its client, with every attempt."""

    data: list[DeliveryDocument]


class NewSigningSecret(BaseModel):
    """A secret that signs from now on; it is shown this once."""

    secret: str = Field(description="Whoever receives our webhooks verifies with it.")
    replaced_until: datetime | None = Field(
        description="Until then the one before it signs, too."
    )


class SigningSecrets(BaseModel):
    """Which secrets sign, the newest first, without the secrets themselves."""

    data: list[SigningSecretTimes]


class SigningSecretTimes(BaseModel):
    """Since when and until when a secret signs; null where nothing ends it."""

    created_at: datetime | None
    retires_at: datetime | None


class NewSandbox(BaseModel):
    """A receiver of our own: use `url` as a `webhook_url`, watch `events_url`."""

    sandbox_id: str
    url: str
    secret: str = Field(description="What is sent there is signed with it.")
    events_url: str = Field(
        description="Server-Sent Events: each delivery as it comes."
    )
    view_url: str = Field(description="The same as one document.")
    expires_at: datetime
    snippets: dict[str, str] = Field(
        description="Programs that verify a delivery: python, node, and curl+openssl, "
        "which sends one."
    )


class ReceiptDocument(BaseModel):
    """What a sandbox has received. `verdict` is `valid`, or what is wrong."""

    seq: int
    received_at: datetime
    verdict: str
    headers: dict[str, str]
    body: str


class SandboxDocument(BaseModel):
    """A sandbox, with the newest of what it has received last."""

    sandbox_id: str
    url: str
    expires_at: datetime
    data: list[ReceiptDocument]


class Received(BaseModel):
    """What a sandbox says of what it was sent."""

    received: int
    verdict: str
