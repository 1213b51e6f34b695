"""Who sent a request: found out once, for every route that belongs to somebody."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Final

from anyio import to_thread
from fastapi import Request

from pixtools.api.addresses import network_of
from pixtools.api.credentials import (
    Credential,
    credential_of,
    is_foreign,
    is_local,
)
from pixtools.api.ports import Gate
from pixtools.api.problems import request_id_of
from pixtools.api.sign_ins import SignIns
from pixtools.api.threads import Threads
from pixtools.domain.errors import (
    AccessDenied,
    CredentialsInvalid,
    CredentialsMissing,
    CrossSiteRequest,
    HostUnknown,
    PixtoolsError,
    RateLimited,
    ScopeMissing,
    Unavailable,
)
from pixtools.domain.identity import DEFAULT_TENANT, SCOPES, Identity, Scope

READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent the request, as far as it can be told.

    `refusal` is why nobody is known; routes that belong to nobody don't mind. What is
    `ambient` the browser sends by itself, whoever made the page that asks.
    """

    network: str
    tenant: str = DEFAULT_TENANT
    authenticated: bool = False
    scopes: frozenset[Scope] = frozenset(SCOPES)
    ambient: bool = False
    refusal: PixtoolsError | None = None

    @property
    def identity(self) -> str:
        """By what requests are counted: whoever is known, else where they are."""
        if self.authenticated:
            return f"tenant:{self.tenant}"
        return f"address:{self.network}"


@dataclass(frozen=True, slots=True)
class Callers:
    """Tells callers apart; without a gate all are the same.

    While the gate stands open only requests for this machine, or for `public_base_url`,
    are let in.
    """

    gate: Gate | None
    public_base_url: str | None
    sign_ins: SignIns
    threads: Threads

    async def is_closed(self) -> bool:
        """Whether callers have to be known."""
        if self.gate is None:
            return False
        closed = self.gate.closed
        if closed is None:
            closed = await to_thread.run_sync(
                self.gate.look, limiter=self.threads.gating
            )
        return closed

    async def caller(self, request: Request, base: str) -> Caller:
        """Who sent the request; never raises."""
        network = network_of(request.scope)
        try:
            if not await self.is_closed():
                return self._unasked(request, network)
            given = credential_of(request, base)
            if given is None:
                raise CredentialsMissing
            identity = await self._known(request, given, network)
        except (AccessDenied, RateLimited, Unavailable) as refusal:
            return Caller(network=network, refusal=refusal)
        return Caller(
            network=network,
            tenant=identity.tenant,
            authenticated=True,
            scopes=identity.scopes,
            ambient=given.cookie,
        )

    async def still(self, request: Request, base: str) -> bool:
        """Whether who sent it would be let in now; a failure is no attempt of theirs.

        While that can't be found out it stays as it was.
        """
        try:
            if not await self.is_closed():
                return self._unasked(request, "").refusal is None
            given = credential_of(request, base)
            if given is None:
                return False
            await self._identified(given)
        except AccessDenied:
            return False
        except Unavailable:
            pass
        return True

    async def wrong(self, request: Request, network: str) -> None:
        """Note that somebody came with a wrong key; raises RateLimited."""
        extra = {"request_id": request_id_of(request), "network": network}
        LOG.warning("credentials_refused", extra=extra)
        await self.sign_ins.failed(network)

    def _unasked(self, request: Request, network: str) -> Caller:
        refusal = None
        if self.gate is not None and not is_local(request, self.public_base_url):
            refusal = HostUnknown()
        return Caller(network=network, ambient=True, refusal=refusal)

    async def _known(
        self, request: Request, given: Credential, network: str
    ) -> Identity:
        assert self.gate is not None  # noqa: S101 - there is one, and it is closed
        if not given.cookie and not self.gate.trusts(given.text):
            self.sign_ins.check(network)
        try:
            return await self._identified(given)
        except CredentialsInvalid:
            # Cookies end by themselves; to guess one is as hard as to guess its secret.
            if not given.cookie:
                await self.wrong(request, network)
            raise

    async def _identified(self, given: Credential) -> Identity:
        assert self.gate is not None  # noqa: S101 - likewise
        found = self.gate.recall(given.text, cookie=given.cookie)
        if found is not None:
            return found
        identify = partial(self.gate.identify, given.text, cookie=given.cookie)
        return await to_thread.run_sync(identify, limiter=self.threads.gating)


def admitted(request: Request, caller: Caller, base: str) -> Caller:
    """The caller, if known and allowed to do this.

    Raises the reason why not: AccessDenied kinds, RateLimited, Unavailable.
    """
    if caller.refusal is not None:
        raise caller.refusal
    wanted: Scope = "read" if request.method in READS else "write"
    sent_by_itself = wanted == "write" and caller.ambient
    if sent_by_itself and is_foreign(request, base, proven=caller.authenticated):
        raise CrossSiteRequest
    if wanted not in caller.scopes:
        raise ScopeMissing(f"Your key lacks the scope {wanted}, which this needs.")
    return caller
