"""Addresses signed for S3 (Signature Version 4 in the query), by botocore's signer.

obstore signs addresses too, but neither headers nor the answer's name and type.
botocore costs 4 MB where httpx2 is loaded and 18 MB where it is not. So it is loaded
with the first link: processes that make none, such as workers, never pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from pixtools.domain.errors import ConfigurationInvalid, StorageUnavailable
from pixtools.storage.config import ObjectsConfig

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_SERVICE = "s3"
_PLAIN = "/~"
_LEAST = timedelta(seconds=1)
"""No link is signed for less."""


class Presigner:
    """Signs for one bucket, under the host that `endpoint` names."""

    def __init__(self, config: ObjectsConfig, endpoint: str) -> None:
        """An empty endpoint is AWS. Nothing is loaded yet."""
        self.base = _base(config, endpoint)
        """The address at which keys begin, with a slash at its end."""
        self._config = config
        self._chain: Credentials | None = None

    def url(
        self,
        method: str,
        key: str,
        expiry: timedelta,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[str, datetime]:
        """An address that permits one request, and until when.

        The request must carry `headers` to the letter. A link ends with the temporary
        keys that signed it, if they tell their end. Raises ConfigurationInvalid if
        there are no credentials, StorageUnavailable if they can't be had just now.
        """
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(
            method, self.base + quote(key, safe=_PLAIN), dict(headers or {})
        )
        request.params = dict(query or {})
        keys = self._credentials()
        seconds = int(min(expiry, self._keys_live()).total_seconds())
        signer = S3SigV4QueryAuth(keys, _SERVICE, self._config.region, seconds)
        signer.add_auth(request)
        begins = datetime.fromisoformat(request.context["timestamp"])
        return request.url, begins + timedelta(seconds=seconds)

    @property
    def signs_as(self) -> str:
        """The id of the keys that sign now; temporary ones change. Raises as `url`."""
        return str(self._credentials().access_key)

    def _keys_live(self) -> timedelta:
        """How long what these keys have signed is good for; botocore keeps it dark."""
        end: datetime | None = getattr(self._chain, "_expiry_time", None)
        left = end - datetime.now(UTC) if end else timedelta.max
        return max(left, _LEAST)

    def _credentials(self) -> ReadOnlyCredentials:
        from botocore.credentials import ReadOnlyCredentials
        from botocore.exceptions import BotoCoreError

        given = self._config
        if given.access_key:
            return ReadOnlyCredentials(
                given.access_key, given.secret_key, given.session_token or None
            )
        try:
            self._chain = self._chain or _from_chain()
            return self._chain.get_frozen_credentials()  # anew before they expire
        except (BotoCoreError, RuntimeError) as fault:  # the latter of expired ones
            raise StorageUnavailable(
                "The temporary keys to sign links with can't be had just now: look at "
                "this machine's role."
            ) from fault


def _base(config: ObjectsConfig, endpoint: str) -> str:
    prefix = f"{quote(config.prefix, safe=_PLAIN)}/" if config.prefix else ""
    return f"{_bucket(config, endpoint)}/{prefix}"


def _bucket(config: ObjectsConfig, endpoint: str) -> str:
    if endpoint:
        return f"{endpoint.rstrip('/')}/{config.bucket}"
    host = f"s3.{config.region}.amazonaws.com"
    if "." in config.bucket:  # no certificate covers a name below a name
        return f"https://{host}/{config.bucket}"
    return f"https://{config.bucket}.{host}"


def _from_chain() -> Credentials:
    from botocore.session import Session

    found = Session().get_credentials()
    if found is None:
        raise ConfigurationInvalid(
            "There are no credentials to sign links with: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or give this machine a role."
        )
    return found
