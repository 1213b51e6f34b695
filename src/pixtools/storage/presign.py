"""Addresses signed for S3 (Signature Version 4 in the query), by botocore's signer.

obstore signs addresses too, but neither headers nor the answer's name and type.
botocore costs 4 MB where httpx2 is loaded and 18 MB where it is not. So it is loaded
with the first link: processes that make none, such as workers, never pay for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from pixtools.domain.errors import ConfigurationInvalid
from pixtools.storage.config import ObjectsConfig

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

_SERVICE = "s3"
_PLAIN = "/~"


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

        The request must carry `headers` to the letter. Raises ConfigurationInvalid if
        there are no credentials.
        """
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(
            method, self.base + quote(key, safe=_PLAIN), dict(headers or {})
        )
        request.params = dict(query or {})
        seconds = int(expiry.total_seconds())
        signer = S3SigV4QueryAuth(
            self._credentials(), _SERVICE, self._config.region, seconds
        )
        signer.add_auth(request)
        begins = datetime.fromisoformat(request.context["timestamp"])
        return request.url, begins + timedelta(seconds=seconds)

    def _credentials(self) -> ReadOnlyCredentials:
        from botocore.credentials import ReadOnlyCredentials

        given = self._config
        if given.access_key:
            return ReadOnlyCredentials(
                given.access_key, given.secret_key, given.session_token or None
            )
        self._chain = self._chain or _from_chain()
        return self._chain.get_frozen_credentials()  # anew before they expire


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
